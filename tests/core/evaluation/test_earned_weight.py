import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation import earned_weight

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60)


def weight(pairs: list[tuple[bool, bool]]) -> float:
    return earned_weight([judge for judge, _ in pairs], [champion for _, champion in pairs])


@given(PAIRS)
def test_it_is_between_nothing_and_one(pairs: list[tuple[bool, bool]]) -> None:
    assert 0 <= weight(pairs) <= 1


def test_without_evidence_a_judge_has_earned_nothing() -> None:
    assert weight([]) == 0


@given(st.lists(st.booleans(), max_size=40))
def test_a_judge_that_is_right_just_where_the_champion_is_has_earned_nothing(right: list[bool]) -> None:
    assert weight([(each, each) for each in right]) == 0


@given(PAIRS)
def test_being_right_once_more_where_the_champion_is_wrong_never_costs(pairs: list[tuple[bool, bool]]) -> None:
    assert weight([*pairs, (True, False)]) >= weight(pairs) - 1e-12


@given(PAIRS)
def test_being_wrong_once_more_where_the_champion_is_right_never_pays(pairs: list[tuple[bool, bool]]) -> None:
    assert weight([*pairs, (False, True)]) <= weight(pairs) + 1e-12


@given(PAIRS, st.booleans())
def test_items_on_which_both_agree_say_nothing(pairs: list[tuple[bool, bool]], both: bool) -> None:
    assert weight([*pairs, (both, both)]) == pytest.approx(weight(pairs))


@given(st.permutations([(True, False)] * 6 + [(False, True)] * 2 + [(True, True)] * 3))
def test_the_order_of_the_items_does_not_matter(pairs: list[tuple[bool, bool]]) -> None:
    assert weight(pairs) == weight(sorted(pairs))


def test_a_judge_no_better_than_the_champion_has_earned_nothing_however_much_evidence_there_is() -> None:
    assert weight([(True, False), (False, True)] * 500) == 0


def test_a_judge_that_is_always_the_one_that_is_right_earns_nearly_all_with_evidence() -> None:
    few, many = weight([(True, False)] * 3), weight([(True, False)] * 300)
    assert few < 0.6 < 0.98 < many


def test_answers_of_different_lengths_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="shorter"):
        earned_weight([True], [])
