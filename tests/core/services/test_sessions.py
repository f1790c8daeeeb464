from typing import Any

import duckdb
import pytest

from core.environments import environment
from core.schema import NightshiftError, Prediction, new_id
from core.services import Workspace, classify, review_queue, session_frames, sessions
from core.services.classify import Classifier
from core.store.database import engine_of, open_database
from core.store.migrate import load_migrations

WORK = "Write the letter."


def answered(ws: Workspace, answers: str, *, session: str | None = "morning", ask: str = WORK) -> list[Prediction]:
    """One prediction a letter: on task for 1, off task for 0, and a person's word for p (on task)."""
    examples = [environment("screen").example((f"{i:064d}",), ask, cluster="c") for i in range(len(answers))]
    made = [
        Prediction(
            id=new_id(),
            environment="screen",
            example=example.id,
            answer="off_task" if letter == "0" else "on_task",
            probability=0.9,
            confidence=0.9,
            release="r",
            latency_ms=1,
            from_person=letter == "p",
            session=session,
        )
        for example, letter in zip(examples, answers, strict=True)
    ]
    ws.store.add(*examples, *made)
    return made


def flipping(ws: Workspace, session: str = "morning") -> str:
    return "".join("!" if frame.flips else "." for frame in session_frames(ws, "screen", session))


@pytest.mark.parametrize(
    ("answers", "flagged"),
    [("11011", "..!.."), ("1100", "...."), ("10", ".."), ("p0p", ".!."), ("0p0", "..."), ("1101", "..!.")],
)
def test_a_verdict_that_stands_for_one_screen_is_flagged(ws: Workspace, answers: str, flagged: str) -> None:
    answered(ws, answers)
    assert flipping(ws) == flagged


def test_screens_of_other_work_are_no_neighbours(ws: Workspace) -> None:
    answered(ws, "1")
    answered(ws, "0", ask="Plan the garden party.")
    answered(ws, "1")
    assert flipping(ws) == "..."


def test_a_session_says_when_it_was_and_how_often_it_flipped(ws: Workspace) -> None:
    made = answered(ws, "101")
    answered(ws, "1", session=None)
    (card,) = sessions(ws, "screen")
    assert (card.session, card.predictions, card.flips) == ("morning", 3, 1)
    assert (card.started, card.ended) == (made[0].at, made[-1].at)


def test_what_flips_is_reviewed_first_and_says_why(ws: Workspace) -> None:
    made = answered(ws, "1" * 10 + "0" + "1" * 10)
    waiting = [item for item in review_queue(ws, "screen", limit=50) if not item.blind]
    assert [item.prediction.id for item in waiting if item.flips] == [made[10].id]
    assert waiting[0].flips


def test_a_classified_screen_knows_its_session(ws: Workspace, classifier: Classifier, pairs: list[Any]) -> None:
    said = classify(ws, classifier, pairs[0].data, WORK, session="monday")
    assert said.session == "monday"
    assert [frame.prediction for frame in session_frames(ws, "screen", "monday")] == [said.id]


def test_a_session_that_is_not_there_is_named(ws: Workspace) -> None:
    with pytest.raises(NightshiftError, match="no session 'evening'"):
        session_frames(ws, "screen", "evening")


def test_predictions_from_before_take_over_the_session_of_their_picture(tmp_path) -> None:
    file = tmp_path / "old.duckdb"
    steps = load_migrations()
    (place,) = [place for place, step in enumerate(steps) if step.name == "sessions"]
    before = steps[:place]
    old = open_database(engine_of(f"duckdb:///{file}"), before, deadline_s=30)

    def fill(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute("INSERT INTO media_event VALUES (1, 'm', now(), 'image', 'b', '0', NULL, 'monday', '{}')")
        connection.execute(
            """INSERT INTO example_event VALUES (1, 'e', now(), 'screen', 'c', NULL, '{"media": ["m"]}')"""
        )
        connection.execute(
            'INSERT INTO prediction_event (seq, id, "at", environment, example, release, from_person, payload) '
            "VALUES (1, 'p', now(), 'screen', 'e', 'r', false, '{}')"
        )

    old.write(fill)
    new = open_database(engine_of(f"duckdb:///{file}"), steps, deadline_s=30)
    assert new.read(lambda c: c.execute("SELECT name, predictions FROM session").fetchall()) == [("monday", 1)]
