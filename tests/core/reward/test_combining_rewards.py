import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.reward import Question, Reward, combine, exact_verdict, judged, reward_parts
from core.schema import Alternative, Example, Judgment, NightshiftError

EXAMPLE = Example.make("screen", ("m",), "Write the report.", answers=("on_task", "off_task"))
PARTS = st.dictionaries(st.sampled_from("abcd"), st.none() | st.floats(0, 1), min_size=4, max_size=4)
WEIGHTS = st.lists(st.floats(0, 1), min_size=4, max_size=4)


def rewards(weights: list[float]) -> list[Reward]:
    return [Reward(name, weight, judged) for name, weight in zip("abcd", weights, strict=True)]


def judgment(**scores: float) -> Judgment:
    return Judgment(
        id="j", environment="screen", example=EXAMPLE.id, judge="x", prompt_version="1",
        scores=tuple(Alternative(answer=answer, score=score) for answer, score in scores.items()),
        unscored=None if scores else "it would not say",
    )  # fmt: skip


def test_a_part_that_did_not_answer_leaves_its_weight_to_the_others() -> None:
    parts = {"a": 1.0, "b": None, "c": 0.0, "d": None}
    assert combine(parts, rewards([0.3, 0.5, 0.1, 0.1]), label_says=None) == pytest.approx(0.75)


def test_where_no_part_answered_there_is_no_reward() -> None:
    assert combine(dict.fromkeys("abcd"), rewards([1, 1, 1, 1]), label_says=None) is None


def test_parts_without_weight_do_not_answer_alone() -> None:
    parts = {"a": 1.0, "b": None, "c": None, "d": None}
    assert combine(parts, rewards([0, 1, 1, 1]), label_says=None) is None


@given(PARTS, WEIGHTS, st.sampled_from([0.0, 1.0]))
def test_a_persons_label_overrides_every_part(
    parts: dict[str, float | None], weights: list[float], says: float
) -> None:
    assert combine(parts, rewards(weights), label_says=says) == says


@example({"a": None, "b": None, "c": None, "d": 0.5}, [0.0, 0.0, 0.0, 5e-324])
@given(PARTS, WEIGHTS)
def test_a_reward_lies_between_the_parts_that_answered(parts: dict[str, float | None], weights: list[float]) -> None:
    value = combine(parts, rewards(weights), label_says=None)
    weighty = [part for name, part in parts.items() if part is not None and weights["abcd".index(name)] > 0]
    if value is None:
        assert weighty == []
    else:
        assert min(weighty) - 1e-9 <= value <= max(weighty) + 1e-9


@given(PARTS, WEIGHTS, st.floats(0.1, 10))
def test_only_the_proportion_of_the_weights_matters(
    parts: dict[str, float | None], weights: list[float], factor: float
) -> None:
    weights = [round(weight, 3) for weight in weights]
    one = combine(parts, rewards(weights), label_says=None)
    other = combine(parts, rewards([weight * factor for weight in weights]), label_says=None)
    assert other == (None if one is None else pytest.approx(one))


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_part_outside_its_range_is_an_error_that_names_it(value: float) -> None:
    broken = Reward("eager", 1.0, lambda _question, _answer: value)
    with pytest.raises(NightshiftError, match=r"'eager' gave .*outside its range"):
        reward_parts(Question(EXAMPLE), "on_task", [broken])


def test_every_part_is_asked_about_the_answer() -> None:
    stack = [Reward("exact", 1, exact_verdict), Reward("judge", 1, judged)]
    question = Question(EXAMPLE, label="on_task", judgment=judgment(on_task=0.8, off_task=0.2))
    assert reward_parts(question, "on_task", stack) == {"exact": 1.0, "judge": 0.8}
    assert reward_parts(question, "off_task", stack) == {"exact": 0.0, "judge": 0.2}


def test_the_judges_part_is_silent_where_it_was_not_asked_or_would_not_say() -> None:
    assert judged(Question(EXAMPLE), "on_task") is None
    assert judged(Question(EXAMPLE, judgment=judgment()), "on_task") is None
    assert judged(Question(EXAMPLE, judgment=judgment(on_task=0.9)), "off_task") is None


def test_a_score_of_zero_is_a_score() -> None:
    assert judged(Question(EXAMPLE, judgment=judgment(on_task=0.0)), "on_task") == 0.0
