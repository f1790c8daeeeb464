"""What somebody asks to be erased, and which pictures that is."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.access import acting
from core.schema import Correction, Example, Media, NightshiftError, Prediction, Tombstone
from core.services.clusters import VARIANT_SOURCE
from core.services.workspace import Workspace

__all__ = ["Wanted", "examples_of", "not_seen_since", "pictures_wanted"]


class Wanted(BaseModel):
    """One request: exactly one of the four, why, and who asks."""

    model_config = ConfigDict(frozen=True)
    screen: str | None = None
    "Id of a picture, or of an example or a prediction of it."
    session: str | None = None
    reviewer: str | None = None
    "Whose words and name go; the pictures stay."
    before: datetime | None = None
    "Pictures that came before, and were not sent again since."
    reason: str = "on request"
    by: str = Field(default_factory=lambda: acting().name)

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> "Wanted":
        if sum(each is not None for each in (self.screen, self.session, self.reviewer, self.before)) != 1:
            raise ValueError("ask for exactly one of a screen, a session, a reviewer, or a date")
        return self

    @property
    def how(self) -> Literal["screen", "session", "reviewer", "before"]:
        """By what it is asked for."""
        if self.screen is not None:
            return "screen"
        if self.session is not None:
            return "session"
        return "reviewer" if self.reviewer is not None else "before"

    @property
    def field(self) -> tuple[str, str] | None:
        """The field of records that names a session or a person, where it is one of these that is asked for."""
        for name, value in (("session", self.session), ("reviewer", self.reviewer)):
            if value is not None:
                return name, value
        return None


def pictures_wanted(ws: Workspace, wanted: Wanted) -> list[str]:
    """Ids of the pictures to erase; none where they are erased already, or nothing fits.

    Raises NightshiftError for a screen that never was here.
    """
    if wanted.screen is not None:
        return _screen(ws, wanted.screen)
    if wanted.session is not None:
        return _session(ws, wanted.session)
    return not_seen_since(ws, wanted.before) if wanted.before is not None else []


def examples_of(ws: Workspace, pictures: Iterable[str]) -> list[Example]:
    """Every example that shows one of these pictures."""
    ids = set(pictures)
    return [example for example in ws.store.naming(Example, ids) if ids & set(example.media)]


def not_seen_since(ws: Workspace, moment: datetime, *, without_feedback: bool = False) -> list[str]:
    """Pictures taken in before `moment` of which no prediction was made since; all of them, or unlabelled ones alone.

    A word that was taken back is feedback, too. Pictures that were made of others go with those.
    """
    old = {each.id for each in ws.store.find(Media) if each.at < moment and each.source != VARIANT_SOURCE}
    shown: dict[str, set[str]] = {}
    for example in examples_of(ws, old):
        for media in old & set(example.media):
            shown.setdefault(example.id, set()).add(media)
    kept = {
        said.example for said in (ws.store.find(Prediction, example=set(shown)) if shown else ()) if said.at >= moment
    }
    if without_feedback and shown:
        kept |= {word.example for word in ws.store.find(Correction, example=set(shown))}
    return sorted(old - {media for example in kept for media in shown[example]})


def _screen(ws: Workspace, id: str) -> list[str]:
    if ws.store.get(Media, id) is not None:
        return [id]
    said = ws.store.get(Prediction, id)
    example = ws.store.get(Example, said.example if said is not None else id)
    if example is not None:
        return list(example.media)
    if ws.store.find(Tombstone, content=id):
        return []
    raise NightshiftError(
        f"there is no picture, example or prediction {id!r} here; `nightshift classify` and the console say the id of "
        "a prediction"
    )


def _session(ws: Workspace, session: str) -> list[str]:
    taken_in = {each.id for each in ws.store.find(Media, session=session)}
    asked = {each.example for each in ws.store.find(Prediction, session=session)}
    shown = {media for example in ws.store.find(Example, id=asked) for media in example.media} if asked else set()
    return sorted(taken_in | shown)
