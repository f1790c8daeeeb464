import threading
from datetime import timedelta

import pytest
from serving import picture

from app.console.reviewing import Reviewing, answered_today
from core.schema import ChosenBy, Correction, Example, NightshiftError, Prediction, new_id, now
from core.services import Workspace, classify, correct, standing_word
from core.services.classify import Classifier


@pytest.fixture
def fresh(home):
    return Workspace.open(home)


@pytest.fixture
def waiting(fresh):
    """Thirty predictions that nobody looked at, of one picture held against thirty works."""
    classifier = Classifier.of_champion(fresh, "screen")
    first = classify(fresh, classifier, picture(), "Work number 0.")
    (example,) = fresh.store.get_many(Example, [first.example])
    environment = fresh.environment("screen")
    examples = [environment.example(example.media, f"Work number {n}.", cluster=example.cluster) for n in range(1, 30)]
    copies = [
        first.model_copy(update={"id": new_id(), "example": each.id, "confidence": 0.5 + n / 100})
        for n, each in enumerate(examples)
    ]
    fresh.store.add(*examples, *copies)
    return fresh


@pytest.fixture
def session(waiting):
    return Reviewing.begin(waiting, "screen")


def test_blind_audits_and_doubtful_items_are_stored_as_what_they_are(session, waiting):
    shown = {}
    while session.current is not None and len(shown) < 30:
        item = session.current
        shown[item.example.id] = item
        session.answer(item.prediction.id, "on_task")
    words = {word.example: word for word in waiting.store.find(Correction)}
    assert words.keys() == shown.keys()
    assert {word.chosen_by for word in words.values()} == {ChosenBy.REVIEW_QUEUE, ChosenBy.RANDOM_AUDIT}
    for example, item in shown.items():
        assert words[example].chosen_by == item.chosen_by
        assert words[example].chosen_probability == item.chosen_probability
        assert item.blind == (item.chosen_by == ChosenBy.RANDOM_AUDIT)


def test_a_second_key_does_not_answer_an_item_that_nobody_has_seen(session, waiting):
    shown = session.current.prediction.id
    threads = [threading.Thread(target=session.answer, args=(shown, "on_task")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waiting.store.count(Correction) == 1
    assert session.done_today == 1


def test_what_is_skipped_comes_back_when_nothing_else_is_left(session):
    skipped = session.current
    assert session.skip(skipped.prediction.id)
    seen = []
    for _ in range(29):
        seen.append(session.current.example.id)
        session.answer(session.current.prediction.id, "off_task")
    assert skipped.example.id not in seen
    assert session.current.example.id == skipped.example.id


def test_undo_takes_back_and_shows_the_item_again(session, waiting):
    item = session.current
    session.answer(item.prediction.id, "off_task")
    assert standing_word(waiting, item.example.id).answer == "off_task"
    assert session.undo().item == item
    assert session.current == item
    assert standing_word(waiting, item.example.id) is None
    assert session.done_today == 0


def test_undo_goes_back_step_by_step_through_skips_too(session):
    first, second = session.items[:2]
    session.answer(first.prediction.id, "on_task")
    session.skip(second.prediction.id)
    session.undo()
    assert session.current == second
    session.undo()
    assert session.current == first
    with pytest.raises(NightshiftError, match="nothing to undo"):
        session.undo()


def test_an_answer_that_is_none_is_refused_and_the_item_stays(session, waiting):
    item = session.current
    with pytest.raises(NightshiftError, match="is not an answer"):
        session.answer(item.prediction.id, "perhaps")
    assert session.current == item
    assert waiting.store.count(Correction) == 0


def test_the_day_counts_what_stands_of_this_reviewer_and_this_day(waiting):
    predictions = waiting.store.find(Prediction)
    queue = {"chosen_by": ChosenBy.REVIEW_QUEUE}
    correct(waiting, predictions[0].id, "on_task", **queue)
    correct(waiting, predictions[1].id, "on_task", **queue, reviewer="somebody else")
    correct(waiting, predictions[2].id, "on_task")
    yesterday = correct(waiting, predictions[3].id, "on_task", **queue)
    old = yesterday.model_copy(
        update={"id": new_id(), "at": now() - timedelta(days=1), "example": predictions[4].example}
    )
    waiting.store.add(old)
    assert answered_today(waiting, "screen", "local") == 2


def test_an_empty_queue_is_an_empty_page(fresh):
    session = Reviewing.begin(fresh, "screen")
    assert session.current is None
    assert not session.answer("nobody", "on_task")
    assert not session.skip("nobody")
