import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation import cohen_kappa, kappa_ci95

ITEMS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab"), st.integers(0, 9)), min_size=1, max_size=40)


@given(ITEMS)
def test_it_lies_in_the_range_of_a_kappa_and_is_the_same_again(items: list[tuple[str, str, int]]) -> None:
    first, second, clusters = ([str(item[axis]) for item in items] for axis in range(3))
    interval = kappa_ci95(first, second, clusters)
    assert interval == kappa_ci95(first, second, clusters)
    if interval is not None:
        assert -1 - 1e-9 <= interval[0] <= interval[1] <= 1 + 1e-9


def test_it_holds_the_kappa_it_belongs_to() -> None:
    first, second = list("aabbabab") * 5, list("aabbabba") * 5
    interval = kappa_ci95(first, second, [str(place // 2) for place in range(40)])
    kappa = cohen_kappa(first, second)
    assert interval is not None and kappa is not None
    assert interval[0] < kappa < interval[1]


@pytest.mark.parametrize("clusters", [["one"] * 4, ["one", "two", "three", "four"]])
def test_more_clusters_are_more_evidence_and_one_is_none(clusters: list[str]) -> None:
    interval = kappa_ci95(list("abab"), list("abba"), clusters)
    assert (interval is None) == (len(set(clusters)) == 1)
