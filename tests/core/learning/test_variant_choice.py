"""Which variants are kept, and which pictures a budget allows."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.learning.diversity import Look, most_diverse
from core.learning.variants import Labelled, VariantKind, plan_pictures
from core.schema import Example


def direction(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle)], dtype=np.float32)


ORIGIN = Look("", direction(0))
looks = st.lists(st.builds(Look, st.sampled_from("abc"), st.floats(0, 3).map(direction), st.none()), max_size=12)


def kind(name: str, cost_s: float = 1.0) -> VariantKind:
    return VariantKind(
        name,
        "keeps",
        changes_pixels=cost_s > 0,
        limit=1,
        make=lambda *_: [],
        preserves="everything",
        cost_s=cost_s,
    )


def parents(count: int) -> list[Labelled]:
    return [Labelled(Example.make("screen", (f"{i}",), "work"), "on_task") for i in range(count)]


def test_every_kind_comes_before_the_second_of_any() -> None:
    many = [Look("a", direction(angle)) for angle in (0.1, 1.0, 2.0, 3.0)]
    chosen = most_diverse([*many, Look("b", direction(0.1)), Look("c", direction(0.0))], ORIGIN, 3)
    assert {[*"aaaabc"][place] for place in chosen} == {"a", "b", "c"}


def test_of_one_kind_the_farthest_from_what_is_there_comes_next() -> None:
    assert most_diverse([Look("a", direction(angle)) for angle in (0.1, 3.0, 1.5)], ORIGIN, 3) == [1, 0, 2]


def test_another_appearance_counts_as_well() -> None:
    dark, light = np.zeros((24, 24, 3), np.float32), np.ones((24, 24, 3), np.float32)
    same, other = Look("a", direction(0), dark), Look("a", direction(0), light)
    assert most_diverse([same, other], ORIGIN._replace(thumbnail_SSC=dark), 1) == [1]


@given(looks, st.integers(0, 12))
def test_as_many_are_chosen_as_there_are_or_may_be_and_none_twice(found: list[Look], limit: int) -> None:
    chosen = most_diverse(found, ORIGIN, limit)
    assert len(chosen) == len(set(chosen)) == min(limit, len(found))
    assert chosen[: limit // 2] == most_diverse(found, ORIGIN, limit // 2), "a smaller choice begins a larger one"


@given(st.integers(0, 30), st.integers(0, 12), st.floats(0, 50), st.integers(0, 3))
def test_a_plan_holds_its_budget_and_is_the_same_each_time(count: int, limit: int, budget_s: float, seed: int) -> None:
    kinds = [kind("a", 0.5), kind("b", 1.0), kind("c", 2.0), kind("text", 0.0)]
    plan, spent_s = plan_pictures(parents(count), kinds, seed=seed, limit=limit, budget_s=budget_s)
    assert spent_s == pytest.approx(sum(each.cost_s for chosen in plan.values() for each in chosen), abs=1e-3)
    assert spent_s <= budget_s + 1e-3
    assert all(len(chosen) <= -(-limit // 2) for chosen in plan.values())
    assert all(each.changes_pixels for chosen in plan.values() for each in chosen)
    again = plan_pictures(parents(count), kinds, seed=seed, limit=limit, budget_s=budget_s)
    assert again == (plan, spent_s)


def test_a_larger_budget_leaves_what_a_smaller_one_allows() -> None:
    kinds = [kind(name) for name in "abcd"]
    small, _ = plan_pictures(parents(10), kinds, seed=0, limit=4, budget_s=7)
    large, _ = plan_pictures(parents(10), kinds, seed=0, limit=4, budget_s=15)
    assert all(large[example][: len(chosen)] == chosen for example, chosen in small.items())


def test_over_many_parents_every_kind_comes_up_about_alike() -> None:
    plan, _ = plan_pictures(parents(200), [kind(name) for name in "abcdef"], seed=0, limit=6, budget_s=1000)
    times = Counter(each.name for chosen in plan.values() for each in chosen)
    assert set(times) == set("abcdef") and min(times.values()) > 0.7 * max(times.values())


def test_a_kind_that_changes_pixels_states_its_cost() -> None:
    with pytest.raises(ValueError, match="it has a cost if, and only if, it changes pixels"):
        VariantKind("a", "keeps", changes_pixels=True, limit=1, make=lambda *_: [], preserves="everything")
