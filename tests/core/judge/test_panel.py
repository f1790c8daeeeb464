"""Several judges that speak as one."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from memory_library import MemoryLibrary
from pydantic import JsonValue
from screen_questions import examples

from core.judge import Judge, Panel, disagreement, panel_weights
from core.policy import Library
from core.schema import Example, Judgment, NightshiftError

ANSWERS = ("on_task", "off_task")
SHARES = st.floats(0, 1)


class Sure(Judge):
    """Says the same of everything; nothing where it has no opinion."""

    prompt_version = "1"

    def __init__(self, name: str, on_task: float | None, *, transient: bool = False) -> None:
        self.name, self.on_task, self.transient, self.asked = name, on_task, transient, 0

    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:  # noqa: ARG002
        self.asked += 1
        if self.on_task is None:
            return self.unscored(example, candidates, "it will not say", transient=self.transient)
        return self.scored(example, candidates, [self.on_task, 1 - self.on_task], "so it seems", 1.0)


def said(library: MemoryLibrary, *members: Sure, **weights: float) -> Judgment:
    (example,) = examples(library, 1)
    return Panel(members, weights or None).judge(example, ANSWERS, library)


def test_without_weights_all_members_weigh_the_same(library: MemoryLibrary) -> None:
    judgment = said(library, Sure("a", 0.9), Sure("b", 0.4), Sure("c", 0.8))
    assert judgment.score_of("on_task") == pytest.approx(0.7)


def test_a_score_is_the_mean_by_weight(library: MemoryLibrary) -> None:
    judgment = said(library, Sure("a", 0.9), Sure("b", 0.1), a=0.6, b=0.2)
    assert judgment.score_of("on_task") == pytest.approx(0.7)


def test_a_member_that_says_nothing_drops_out(library: MemoryLibrary) -> None:
    judgment = said(library, Sure("a", 0.9), Sure("b", None))
    assert judgment.score_of("on_task") == pytest.approx(0.9)
    assert not judgment.transient and "it will not say" in (judgment.rationale or "")


def test_a_member_missing_for_a_reason_that_may_pass_makes_the_judgment_pass_too(library: MemoryLibrary) -> None:
    assert said(library, Sure("a", 0.9), Sure("b", None, transient=True)).transient


def test_a_panel_of_which_nobody_speaks_is_unscored(library: MemoryLibrary) -> None:
    judgment = said(library, Sure("a", None), Sure("b", None))
    assert judgment.scores == () and "no member says anything" in (judgment.unscored or "")


def test_the_same_judge_twice_is_refused() -> None:
    with pytest.raises(NightshiftError, match="twice"):
        Panel([Sure("a", 0.1), Sure("a", 0.2)])


@given(st.dictionaries(st.sampled_from("abcd"), st.tuples(SHARES, st.floats(0.01, 1)), min_size=1))
def test_a_panel_stays_between_its_members_and_its_scores_sum_to_one(voices: dict[str, tuple[float, float]]) -> None:
    members = [Sure(name, on_task) for name, (on_task, _) in voices.items()]
    judgment = said(MemoryLibrary(), *members, **{name: weight for name, (_, weight) in voices.items()})
    shares = [on_task for on_task, _ in voices.values()]
    assert min(shares) - 1e-9 <= (judgment.score_of("on_task") or 0.0) <= max(shares) + 1e-9
    assert sum(each.score for each in judgment.scores) == pytest.approx(1)


def test_weights_are_the_lower_end_of_what_was_measured_and_the_unmeasured_weigh_as_the_least() -> None:
    assert panel_weights(["a", "b", "c"], {"a": 0.6, "b": 0.2}) == {"a": 0.6, "b": 0.2, "c": 0.2}


@pytest.mark.parametrize("measured", [{}, {"a": -0.3}, {"a": 0.0, "b": -1.0}, {"elsewhere": 0.9}])
def test_where_nobody_is_known_to_agree_with_people_all_weigh_the_same(measured: dict[str, float]) -> None:
    assert panel_weights(["a", "b"], measured) == {"a": 1.0, "b": 1.0}


def test_disagreement_is_the_largest_distance_between_scores_of_one_answer(library: MemoryLibrary) -> None:
    (example,) = examples(library, 1)
    judgments = [Sure(name, p).judge(example, ANSWERS, library) for name, p in (("a", 0.9), ("b", 0.2), ("c", None))]
    assert disagreement(judgments) == pytest.approx(0.7)
    assert disagreement(judgments[:1]) == disagreement([]) == 0
