from datetime import UTC, date, datetime, timedelta

import pytest
from store_records import correction

from core.schema import Correction, Prediction, new_id

NOON = datetime(2026, 3, 5, 12, tzinfo=UTC)


def said(answer="on_task", *, at=NOON, latency_ms=10.0, release="r", **fields):
    return Prediction(
        id=new_id(), environment="screen", example="e", answer=answer, probability=0.8, confidence=0.8,
        release=release, latency_ms=latency_ms, at=at, **fields,
    )  # fmt: skip


def test_a_day_s_figures_are_those_of_its_predictions(store):
    store.add(*(said(latency_ms=float(n)) for n in range(1, 100)), said("off_task", latency_ms=100.0))
    store.add(said("off_task", from_person=True, latency_ms=50.0), said(at=NOON + timedelta(days=1)))
    first, second = store.days_of_predictions("screen", date(2026, 3, 5), date(2026, 3, 6))
    assert (first.predictions, first.from_person, first.answers) == (101, 1, {"off_task": 1, "on_task": 99})
    assert first.confidence == pytest.approx(0.8)
    assert first.latency_ms_p50 == pytest.approx(50.0) and first.latency_ms_p95 == pytest.approx(95.0)
    assert second.predictions == 1


def test_a_day_s_index_changes_with_its_predictions_alone(store):
    store.add(said(), said(at=NOON + timedelta(days=2)))
    before = store.prediction_days("screen")
    assert [each.day for each in before] == [date(2026, 3, 5), date(2026, 3, 7)]
    store.add(said(at=NOON + timedelta(hours=3)))
    after = store.prediction_days("screen")
    assert after[0] != before[0] and after[1] == before[1]
    assert store.prediction_days("another") == []


def test_a_prediction_that_lies_there_twice_counts_once(store):
    record = said()
    store.add(record)
    again = "INSERT INTO prediction_event SELECT * REPLACE (seq + 1 AS seq) FROM prediction_event"
    store.database.write(lambda connection: connection.execute(again))
    (day,) = store.days_of_predictions("screen", date(2026, 3, 5), date(2026, 3, 5))
    assert day.predictions == 1


def test_the_newest_answers_of_a_release_are_its_own_within_the_days_asked_for(store):
    store.add(said(), said("off_task", at=NOON + timedelta(days=1)), said(release="other"), said(from_person=True))
    border = date(2026, 3, 6)
    assert [each.answer for each in store.answered("screen", "r", before_day=border)] == ["on_task"]
    assert [each.answer for each in store.answered("screen", "r", from_day=border)] == ["off_task"]
    assert len(store.answered("screen", "r", limit=1)) == 1


def test_words_of_several_are_the_last_that_stand_on_what_more_than_one_answered(store):
    taken = correction("both", "off_task", reviewer="ben")
    store.add(
        correction("both", "off_task", reviewer="ada"),
        correction("both", "on_task", reviewer="ada"),
        correction("both", "cannot_tell", reviewer="ben"),
        taken,
        correction("both", "off_task", reviewer="ben", retracts=taken.id),
        correction("one", reviewer="ada"),
    )
    assert [(word.reviewer, word.answer) for word in store.words_of_several("screen")] == [
        ("ada", "on_task"),
        ("ben", "cannot_tell"),
    ]


def test_heads_tell_appending_and_erasing(store):
    before = store.heads(Correction, Prediction)
    store.add(correction())
    after = store.heads(Correction, Prediction)
    assert after[0] != before[0] and after[1] == before[1]
