import pytest
from pydantic import JsonValue

from core.reward import Question, exact_verdict
from core.schema import Example

EXAMPLE = Example.make("screen", ("m",), "Write the report.", answers=("on_task", "off_task"))

CHEATS: list[JsonValue] = [
    "",
    " ",
    "on_task ",
    "\non_task",
    "ON_TASK",
    "On task",
    "on task",
    "on-task",
    "ontask",
    "on_task.",
    "'on_task'",
    "`on_task`",
    "on_task off_task",
    "on_task or off_task",
    "off_task on_task",
    "not off_task",
    "answer: on_task",
    '{"answer": "on_task"}',
    "on_task" * 2,
    "on_tаsk",
    "on_task\u200b",
    "ｏｎ_task",
    "*",
    "any",
    "1",
    1,
    1.0,
    0,
    True,
    False,
    None,
    [],
    ["on_task"],
    ["on_task", "off_task"],
    {},
    {"answer": "on_task"},
]


@pytest.mark.parametrize("cheat", CHEATS, ids=repr)
def test_nothing_but_the_label_itself_earns_anything(cheat: JsonValue) -> None:
    assert exact_verdict(Question(EXAMPLE, label="on_task"), cheat) == 0.0


def test_the_label_earns_one_and_the_other_answer_nothing() -> None:
    question = Question(EXAMPLE, label="off_task")
    assert (exact_verdict(question, "off_task"), exact_verdict(question, "on_task")) == (1.0, 0.0)


def test_without_a_label_there_is_no_verdict() -> None:
    assert exact_verdict(Question(EXAMPLE), "on_task") is None


@pytest.mark.parametrize(("label", "answer"), [(1, True), (True, 1), (0, False), (1, 1.0), ("1", 1)])
def test_equal_values_of_different_types_are_different_answers(label: JsonValue, answer: JsonValue) -> None:
    assert exact_verdict(Question(EXAMPLE, label=label), answer) == 0.0
