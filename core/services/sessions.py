"""Sittings: what was answered in them in what order, and which verdicts flip for a single screen."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict, JsonValue

from core.schema import Example, NightshiftError, Prediction
from core.services.workspace import Workspace

__all__ = ["SessionCard", "SessionFrame", "flips", "session_frames", "sessions"]


class SessionCard(BaseModel):
    """A session at a glance."""

    model_config = ConfigDict(frozen=True)
    session: str
    started: datetime
    ended: datetime
    predictions: int
    flips: int


class SessionFrame(BaseModel):
    """One verdict of a session."""

    model_config = ConfigDict(frozen=True)
    prediction: str
    at: datetime
    ask: str
    answer: JsonValue
    confidence: float
    flips: bool
    "The verdicts before and after it, about the same work, are equal and another."


def flips(predictions: Iterable[Prediction], ask_of: Mapping[str, str]) -> set[str]:
    """Ids of the predictions whose answer stands for one screen between two equal other ones of its session.

    `predictions` come in the order in which they were made; `ask_of` has the description of each example. What a
    person answered is never flagged, and counts as a neighbour.
    """
    sequences: dict[tuple[str, str], list[Prediction]] = {}
    for each in predictions:
        if each.session is not None:
            sequences.setdefault((each.session, ask_of[each.example]), []).append(each)
    return {
        frame.id
        for frames in sequences.values()
        for before, frame, after in zip(frames, frames[1:], frames[2:], strict=False)
        if before.answer == after.answer != frame.answer and not frame.from_person
    }


def sessions(ws: Workspace, environment: str) -> list[SessionCard]:
    """Every session, the one that began last first."""
    name = ws.environment(environment).name
    return [
        SessionCard(
            session=each.name,
            started=each.started,
            ended=each.ended,
            predictions=each.predictions,
            flips=sum(frame.flips for frame in session_frames(ws, name, each.name)),
        )
        for each in ws.store.sessions(name)
    ]


def session_frames(ws: Workspace, environment: str, session: str) -> list[SessionFrame]:
    """The verdicts of a session in the order in which they were given. Raises NightshiftError where there is none."""
    made = ws.store.find(Prediction, environment=ws.environment(environment).name, session=session)
    if not made:
        raise NightshiftError(f"there is no session {session!r} here; `nightshift verify session` lists them")
    ask_of = {example.id: example.ask for example in ws.store.get_many(Example, {each.example for each in made})}
    flipping = flips((each.model_copy(update={"session": session}) for each in made), ask_of)
    return [
        SessionFrame(
            prediction=each.id,
            at=each.at,
            ask=ask_of[each.example],
            answer=each.answer,
            confidence=each.confidence,
            flips=each.id in flipping,
        )
        for each in made
    ]
