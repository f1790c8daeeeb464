"""What a person says of an answer, in each environment: how it stands, and how it is taken back."""

from collections.abc import Callable

import pytest
from served_homes import in_each_environment

from core.access import Actor, as_actor
from core.schema import ChosenBy, Correction, NightshiftError, Prediction, Role
from core.services import AnothersWord, Workspace, correct, standing_word, take_back, undo

pytestmark = in_each_environment

Ask = Callable[[], Prediction]


def other(answer: object, answers: tuple[str, ...]) -> str:
    return next(each for each in answers if each != answer)


def test_what_was_corrected_answers_as_the_person_said(ws: Workspace, ask: Ask, answers: tuple[str, ...]) -> None:
    first = ask()
    correct(ws, first.id, other(first.answer, answers), reason="it is not")
    second = ask()
    assert (second.answer, second.confidence) == (other(first.answer, answers), 1.0)
    assert second.from_person and not first.from_person


def test_a_person_who_could_not_tell_leaves_the_answer_to_the_model(ws: Workspace, ask: Ask) -> None:
    first = ask()
    correct(ws, first.id, "cannot_tell")
    second = ask()
    assert (second.answer, second.reason, second.from_person) == (first.answer, first.reason, False)


def test_undoing_a_correction_brings_the_models_answer_back(ws: Workspace, ask: Ask, answers: tuple[str, ...]) -> None:
    first = ask()
    word = correct(ws, first.id, other(first.answer, answers))
    assert undo(ws, first.id).retracts == word.id
    assert standing_word(ws, first.example) is None
    second = ask()
    assert (second.answer, second.reason, second.from_person) == (first.answer, first.reason, False)


def test_undoing_brings_the_word_before_back(
    ws: Workspace, ask: Ask, answers: tuple[str, ...], environment: str
) -> None:
    first = ask()
    earlier = correct(ws, first.id, answers[0])
    correct(ws, first.id, answers[1])
    undo(ws, first.id)
    assert standing_word(ws, first.example) == earlier
    assert [label.correction for label in ws.store.labels(environment)] == [earlier.id]


def test_the_store_and_the_services_agree_on_which_word_stands(
    ws: Workspace, ask: Ask, answers: tuple[str, ...], environment: str
) -> None:
    first = ask()
    yes, no = answers
    for step in (yes, no, "undo", "cannot_tell", yes, "undo", "undo", "undo"):
        undo(ws, first.id) if step == "undo" else correct(ws, first.id, step)
        word = standing_word(ws, first.example)
        assert [label.correction for label in ws.store.labels(environment)] == ([word.id] if word else [])


def test_nothing_can_be_undone_where_nothing_stands(ws: Workspace, ask: Ask, answers: tuple[str, ...]) -> None:
    first = ask()
    with pytest.raises(NightshiftError, match="nothing to undo"):
        undo(ws, first.id)
    correct(ws, first.id, answers[0])
    undo(ws, first.id)
    with pytest.raises(NightshiftError, match="nothing to undo"):
        undo(ws, first.id)


def test_a_person_takes_back_their_own_word_alone_and_once(
    ws: Workspace, ask: Ask, answers: tuple[str, ...], environment: str
) -> None:
    word = correct(ws, ask().id, answers[0], reviewer="mara")
    with pytest.raises(NightshiftError, match="only they, or an engineer, can"):
        take_back(ws, word.id, reviewer="ben")
    assert take_back(ws, word.id, reviewer="mara") == take_back(ws, word.id, reviewer="mara")
    assert ws.store.labels(environment) == []


def test_an_operator_undoes_their_own_word_and_an_engineer_anybodys(
    ws: Workspace, ask: Ask, answers: tuple[str, ...], environment: str
) -> None:
    first = ask()
    ben, eva = Actor("ben", Role.OPERATOR, "console"), Actor("eva", Role.ENGINEER, "console")
    word = correct(ws, first.id, answers[0], reviewer="mara")
    with as_actor(ben), pytest.raises(AnothersWord, match="mara"):
        undo(ws, first.id)
    assert [label.correction for label in ws.store.labels(environment)] == [word.id]

    with as_actor(ben):
        correct(ws, first.id, answers[1])
        undo(ws, first.id)
    assert standing_word(ws, first.example) == word
    with as_actor(eva):
        assert undo(ws, first.id).reviewer == "eva"
    assert ws.store.labels(environment) == []


def test_a_correction_keeps_who_said_it_why_and_how_it_was_chosen(
    ws: Workspace, ask: Ask, answers: tuple[str, ...], environment: str
) -> None:
    first = ask()
    word = correct(
        ws, first.id, answers[1], reason="  it is a game ", reviewer="mara",
        chosen_by=ChosenBy.RANDOM_AUDIT, chosen_probability=0.2,
    )  # fmt: skip
    (label,) = ws.store.labels(environment)
    assert (label.correction, label.prediction, label.reason) == (word.id, first.id, "it is a game")
    assert (label.reviewer, label.chosen_by, label.chosen_probability) == ("mara", ChosenBy.RANDOM_AUDIT, 0.2)


def test_an_answer_that_is_none_is_refused_and_nothing_is_written(
    ws: Workspace, ask: Ask, answers: tuple[str, ...]
) -> None:
    first = ask()
    of_another = {"on_task", "通过"} - set(answers)
    for answer in ("", "maybe", "ON_TASK", "on task", "通 过", None, True, *of_another):
        with pytest.raises(NightshiftError, match=f"is not an answer here; the answers are {', '.join(answers)}"):
            correct(ws, first.id, answer)
    assert ws.store.count(Correction) == 0


def test_an_endless_reason_is_refused_and_nothing_is_written(ws: Workspace, ask: Ask, answers: tuple[str, ...]) -> None:
    first = ask()
    with pytest.raises(NightshiftError, match="the reason has 2001 characters"):
        correct(ws, first.id, answers[0], reason="x" * 2001)
    assert ws.store.count(Correction) == 0
