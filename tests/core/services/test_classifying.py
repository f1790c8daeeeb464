import math
from pathlib import Path

import pytest
from labelled_folder import Pair

from core.media import ImageRefused
from core.schema import Example, Media, NightshiftError, Prediction
from core.services import Classifier, Workspace, classify, correct, prediction, undo


def said(ws: Workspace, classifier: Classifier, pair: Pair) -> Prediction:
    return classify(ws, classifier, pair.data, pair.ask, name=pair.file)


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


@pytest.mark.parametrize("described", ["", " \n ", "x" * 2001])
def test_a_description_that_is_none_is_refused_and_nothing_is_written(
    ws: Workspace, classifier: Classifier, pairs: list[Pair], described: str
) -> None:
    before = counts(ws)
    with pytest.raises(NightshiftError, match="'Work description'"):
        classify(ws, classifier, pairs[0].data, described)
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
