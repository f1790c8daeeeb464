import math
from pathlib import Path

import pytest
from labelled_folder import Pair

from core.media import ImageRefused
from core.schema import ChosenBy, Correction, Example, Media, NightshiftError, Prediction
from core.services import Classifier, Workspace, classify, correct, prediction, standing_word, undo


def said(ws: Workspace, classifier: Classifier, pair: Pair) -> Prediction:
    return classify(ws, classifier, pair.data, pair.ask, name=pair.file)


def other(answer: object) -> str:
    return "off_task" if answer == "on_task" else "on_task"


def counts(ws: Workspace) -> dict[str, int]:
    return ws.store.tables()


def test_a_prediction_is_stored_before_it_is_returned(ws: Workspace, classifier: Classifier, pairs: list[Pair]) -> None:
    answered = classify(ws, classifier, pairs[0].data, pairs[0].ask, name="a.png", source="here", session="morning")
    again = Workspace.open(ws.home)
    assert prediction(again, answered.id) == answered
    (example,) = again.store.get_many(Example, [answered.example])
    (media,) = again.store.get_many(Media, example.media)
    assert (example.ask, media.source, media.session) == (pairs[0].ask, "here", "morning")
    assert again.library.image(media.id).size == (media.width, media.height)


def test_a_prediction_says_what_it_rests_on(ws: Workspace, classifier: Classifier, pairs: list[Pair]) -> None:
    answered = said(ws, classifier, pairs[0])
    assert answered.answer in ("on_task", "off_task")
    assert 0.5 <= answered.probability < 1
    assert answered.answer_logprobs is not None
    assert sum(map(math.exp, answered.answer_logprobs)) == pytest.approx(1)
    assert answered.release == ws.store.champion("screen")
    assert answered.latency_ms > 0
    assert not answered.from_person
    assert any(each.box is not None for each in answered.evidence)


def test_asking_twice_is_one_example_and_two_predictions(
    ws: Workspace, classifier: Classifier, pairs: list[Pair]
) -> None:
    one, two = said(ws, classifier, pairs[0]), said(ws, classifier, pairs[0])
    assert one.id != two.id
    assert (one.example, one.answer, one.answer_logprobs) == (two.example, two.answer, two.answer_logprobs)
    assert (counts(ws)["media"], counts(ws)["example"], counts(ws)["prediction"]) == (1, 1, 2)


def test_predicting_writes_nothing(imported: Workspace) -> None:
    before = counts(imported)
    Classifier.of_champion(imported, "screen").predict(imported.store.find(Example, limit=2))
    assert counts(imported) == before


def test_a_corrected_screen_answers_as_the_person_said(
    ws: Workspace, classifier: Classifier, pairs: list[Pair]
) -> None:
    first = said(ws, classifier, pairs[0])
    correct(ws, first.id, other(first.answer))
    second = said(ws, classifier, pairs[0])
    assert (second.answer, second.confidence, second.from_person) == (other(first.answer), 1.0, True)


def test_a_person_who_could_not_tell_leaves_the_answer_to_the_model(
    ws: Workspace, classifier: Classifier, pairs: list[Pair]
) -> None:
    first = said(ws, classifier, pairs[0])
    correct(ws, first.id, "cannot_tell")
    second = said(ws, classifier, pairs[0])
    assert (second.answer, second.from_person) == (first.answer, False)


def test_undoing_a_correction_brings_the_models_answer_back(
    ws: Workspace, classifier: Classifier, pairs: list[Pair]
) -> None:
    first = said(ws, classifier, pairs[0])
    word = correct(ws, first.id, other(first.answer))
    assert undo(ws, first.id).retracts == word.id
    assert standing_word(ws, first.example) is None
    assert not said(ws, classifier, pairs[0]).from_person


def test_undoing_brings_the_word_before_back(ws: Workspace, classifier: Classifier, pairs: list[Pair]) -> None:
    first = said(ws, classifier, pairs[0])
    earlier = correct(ws, first.id, "on_task")
    correct(ws, first.id, "off_task")
    undo(ws, first.id)
    assert standing_word(ws, first.example) == earlier
    assert [label.correction for label in ws.store.labels("screen")] == [earlier.id]


def test_the_store_and_the_services_agree_on_which_word_stands(
    ws: Workspace, classifier: Classifier, pairs: list[Pair]
) -> None:
    first = said(ws, classifier, pairs[0])
    for step in ("on_task", "off_task", "undo", "cannot_tell", "on_task", "undo", "undo", "undo"):
        undo(ws, first.id) if step == "undo" else correct(ws, first.id, step)
        word = standing_word(ws, first.example)
        assert [label.correction for label in ws.store.labels("screen")] == ([word.id] if word else [])


def test_nothing_can_be_undone_where_nothing_stands(ws: Workspace, classifier: Classifier, pairs: list[Pair]) -> None:
    first = said(ws, classifier, pairs[0])
    with pytest.raises(NightshiftError, match="nothing to undo"):
        undo(ws, first.id)
    correct(ws, first.id, "on_task")
    undo(ws, first.id)
    with pytest.raises(NightshiftError, match="nothing to undo"):
        undo(ws, first.id)


def test_a_correction_keeps_who_said_it_why_and_how_it_was_chosen(
    ws: Workspace, classifier: Classifier, pairs: list[Pair]
) -> None:
    first = said(ws, classifier, pairs[0])
    word = correct(
        ws, first.id, "off_task", reason="  it is a game ", reviewer="mara",
        chosen_by=ChosenBy.RANDOM_AUDIT, chosen_probability=0.2,
    )  # fmt: skip
    (label,) = ws.store.labels("screen")
    assert (label.correction, label.prediction, label.reason) == (word.id, first.id, "it is a game")
    assert (label.reviewer, label.chosen_by, label.chosen_probability) == ("mara", ChosenBy.RANDOM_AUDIT, 0.2)


@pytest.mark.parametrize("unknown", ["", "nothing", "0" * 32])
def test_an_unknown_prediction_is_refused_and_nothing_is_written(ws: Workspace, unknown: str) -> None:
    before = counts(ws)
    for ask in (
        lambda: prediction(ws, unknown),
        lambda: correct(ws, unknown, "on_task"),
        lambda: undo(ws, unknown),
    ):
        with pytest.raises(NightshiftError, match="there is no prediction"):
            ask()
    assert counts(ws) == before


@pytest.mark.parametrize("answer", ["", "maybe", "ON_TASK", "on task", None, True])
def test_an_answer_that_is_none_is_refused_and_nothing_is_written(
    ws: Workspace, classifier: Classifier, pairs: list[Pair], answer: object
) -> None:
    first = said(ws, classifier, pairs[0])
    with pytest.raises(NightshiftError, match="is not an answer here; the answers are on_task, off_task"):
        correct(ws, first.id, answer)  # type: ignore[arg-type]
    assert ws.store.count(Correction) == 0


def test_an_endless_reason_is_refused_and_nothing_is_written(
    ws: Workspace, classifier: Classifier, pairs: list[Pair]
) -> None:
    first = said(ws, classifier, pairs[0])
    with pytest.raises(NightshiftError, match="the reason has 2001 characters"):
        correct(ws, first.id, "on_task", reason="x" * 2001)
    assert ws.store.count(Correction) == 0


@pytest.mark.parametrize("ask", ["", " \n ", "x" * 2001])
def test_a_description_that_is_none_is_refused_and_nothing_is_written(
    ws: Workspace, classifier: Classifier, pairs: list[Pair], ask: str
) -> None:
    before = counts(ws)
    with pytest.raises(NightshiftError, match="'Work description'"):
        classify(ws, classifier, pairs[0].data, ask)
    assert counts(ws) == before
    assert [path for path in (ws.home / "blobs").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("data", [b"", b"x", b"just some text", b"\x89PNG\r\n\x1a\n"])
def test_a_picture_that_is_none_is_refused_and_nothing_is_written(
    ws: Workspace, classifier: Classifier, data: bytes
) -> None:
    before = counts(ws)
    with pytest.raises(ImageRefused):
        classify(ws, classifier, data, "Write the report.", name="a.png")
    assert counts(ws) == before


def test_a_release_is_found_by_the_beginning_of_its_id(ws: Workspace, classifier: Classifier) -> None:
    assert Classifier.load(ws, "screen", classifier.release_id[:8]).release_id == classifier.release_id
    assert Classifier.load(ws, "screen", "champion").release_id == classifier.release_id
    with pytest.raises(NightshiftError, match="no release of screen begins with 'xyz'"):
        Classifier.load(ws, "screen", "xyz")


def test_a_home_that_cannot_be_made_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(NightshiftError, match="cannot make the home"):
        Workspace.open(tmp_path / "file" / "home")
