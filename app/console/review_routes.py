"""What the Review page asks for while a person works: the next items, words to store, the way back.

The page does not wait for any of it: it shows the next item at once and is told later whether the word is stored.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from app.access import allow_people
from app.console.review_item import item_parts
from core.access import acting
from core.environments import Environment
from core.schema import Media, NightshiftError, Role, Unavailable
from core.services import (
    Given,
    ReviewItem,
    Seat,
    Workspace,
    answer_claimed,
    give_back,
    hand_out,
    renew,
    reviewed_today,
    take_up,
)
from core.store import Order, Sought

__all__ = ["review_routes"]

MOST_WANTED = 24
MOST_HELD = 2_000
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z-]+$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Body(BaseModel):
    """What a sitting sends: who sits where is the server's to say, which window it is the page's."""

    model_config = ConfigDict(extra="forbid")
    sitting: Id


class Filters(BaseModel):
    """What the reviewer searches for."""

    model_config = ConfigDict(extra="forbid")
    work: Name | None = None
    domain: Name | None = None
    since: datetime | None = None
    until: datetime | None = None
    reviewer: Name | None = None
    verdict: Name | None = None
    session: Name | None = None


class WantedItems(Body):
    held: list[Id] = Field(default_factory=list, max_length=MOST_HELD)
    want: int = Field(ge=0, le=MOST_WANTED)
    order: Order = Order.DOUBT
    sought: Filters = Filters()
    blind: bool = False


class GivenWord(BaseModel):
    model_config = ConfigDict(extra="forbid")
    key: Id
    prediction: Id
    answer: JsonValue
    reason: str | None = Field(None, max_length=2000)


class Words(Body):
    words: list[GivenWord] = Field(min_length=1, max_length=50)


class Undo(Body):
    prediction: Id
    correction: Id | None = None
    blind: bool = False


class Leave(Body):
    predictions: list[Id] = Field(max_length=MOST_HELD)


def review_routes(ws: Workspace, environment: Environment) -> APIRouter:
    """What the page asks for, below `/console/ENVIRONMENT/review`."""
    router = APIRouter(prefix=f"/console/{environment.name}/review", include_in_schema=False)

    def seat(body: Body) -> Seat:
        return Seat(environment.name, acting().name, body.sitting)

    @router.post("/items")
    @allow_people(Role.OPERATOR)
    def items(body: WantedItems) -> dict[str, Any]:
        return _items(ws, environment, seat(body), body)

    @router.post("/words")
    @allow_people(Role.OPERATOR)
    def words(body: Words) -> dict[str, Any]:
        at = seat(body)
        outcomes = answer_claimed(ws, at, [Given(**word.model_dump()) for word in body.words])
        return {
            "results": [
                {"key": word.key, "problem": str(outcome)}
                if isinstance(outcome, NightshiftError)
                else {"key": word.key, "correction": outcome.id}
                for word, outcome in zip(body.words, outcomes, strict=True)
            ],
            "done": reviewed_today(ws, environment.name, at.reviewer),
        }

    @router.post("/undo")
    @allow_people(Role.OPERATOR)
    def undo(body: Undo) -> dict[str, Any]:
        at = seat(body)
        try:
            item = take_up(ws, at, body.prediction, correction=body.correction)
        except Unavailable:
            raise
        except NightshiftError as error:
            raise HTTPException(409, str(error)) from error
        return {
            "item": _shown(ws, environment, [item], blind=body.blind)[0],
            "done": reviewed_today(ws, environment.name, at.reviewer),
        }

    @router.post("/leave", status_code=204)
    @allow_people(Role.OPERATOR)
    def leave(body: Leave) -> None:
        give_back(ws, seat(body), body.predictions)

    @router.get("/facets")
    @allow_people(Role.OPERATOR)
    def facets() -> dict[str, list[str]]:
        found = ws.store.facets(environment.name)
        return {"domain": found.domains, "session": found.sessions, "reviewer": found.reviewers}

    return router


def _items(ws: Workspace, environment: Environment, seat: Seat, body: WantedItems) -> dict[str, Any]:
    if not body.want:
        renew(ws, seat, body.held)
        return {"items": [], "done": reviewed_today(ws, environment.name, seat.reviewer)}
    sought = Sought(**body.sought.model_dump())
    given = hand_out(ws, seat, limit=body.want, held=body.held, order=body.order, sought=sought)
    return {
        "items": _shown(ws, environment, given.items, blind=body.blind),
        "waiting": given.waiting,
        "done": reviewed_today(ws, environment.name, seat.reviewer),
        "reviewer": seat.reviewer,
    }


def _shown(
    ws: Workspace, environment: Environment, items: Sequence[ReviewItem], *, blind: bool
) -> list[dict[str, Any]]:
    """Items as the page puts them up; what is hidden from the reviewer is not sent."""
    pictures = {each.id: each for each in ws.store.get_many(Media, {item.example.media[0] for item in items})}
    always = blind or ws.settings.review.blind
    return [
        {
            "prediction": item.prediction.id,
            **item_parts(environment, item, pictures[item.example.media[0]], hidden=item.blind or always),
        }
        for item in items
    ]
