"""Pictures of variants: made, taken in within the bounds of intake, and read where they changed.

They follow from their parents and nothing else, so any process may make them: what it is told, and what it answers, is
JSON. It writes the file and the reading, both under names that follow from the pixels; the night's process writes rows.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from PIL.Image import Image
from pydantic import BaseModel, ConfigDict, JsonValue, TypeAdapter

from core.learning.variants import Draft, Labelled, VariantKind, draft_pictures
from core.media import as_kept
from core.media.normalise import bounded
from core.schema import Example, Media
from core.services.clusters import VARIANT_SOURCE
from core.services.workspace import Workspace
from core.settings import MediaSettings, Settings
from core.store import open_store

__all__ = [
    "VARIANT_SEED",
    "Candidate",
    "Piece",
    "Spread",
    "candidate_of",
    "in_this_process",
    "make_pictures",
    "make_pictures_apart",
    "take_in_picture",
]

VARIANT_SEED = 0
"Variants follow from their parents alone, so that one night's are found again by the next."


class Piece(BaseModel):
    """One parent, and the kinds of picture that are to be made of it."""

    model_config = ConfigDict(frozen=True)
    parent: Example
    answer: JsonValue
    picture: Media
    "Of the parent: whoever makes the pieces need not look into the store."
    kinds: tuple[str, ...]


class Candidate(BaseModel):
    """A variant that was made, and read where it has another picture."""

    model_config = ConfigDict(frozen=True)
    how: str
    parent: str
    example: Example
    answer: JsonValue
    parameters: dict[str, JsonValue]
    picture: Media | None = None
    "One that was made for it."
    left: float
    "Share of what decides the label that it still shows."
    doubtful: bool = False


Spread = Callable[[Workspace, str, Sequence[Piece]], Iterator[list[Candidate]]]
"""Makes the pictures of all pieces, which belong to an environment, and gives them in the order of the pieces, now and
then some."""


def in_this_process(ws: Workspace, environment: str, pieces: Sequence[Piece]) -> Iterator[list[Candidate]]:
    """One piece after the other."""
    for piece in pieces:
        yield make_pictures(ws, environment, [piece])


def make_pictures(ws: Workspace, environment: str, pieces: Sequence[Piece]) -> list[Candidate]:
    """Every picture of these pieces, in order."""
    kinds = {kind.name: kind for kind in ws.environment(environment).variant_kinds}
    made = []
    for piece in pieces:
        ws.library.remember(piece.picture)
        wanted: list[VariantKind] = [kinds[name] for name in piece.kinds]
        drafts = draft_pictures(Labelled(piece.parent, piece.answer), wanted, ws.library, seed=VARIANT_SEED)
        made += [candidate_of(ws, environment, draft) for draft in drafts]
    return made


_PIECES, _CANDIDATES = TypeAdapter(list[Piece]), TypeAdapter(list[Candidate])


def make_pictures_apart(settings: str, environment: str, pieces: str) -> str:
    """The same in a process of its own: settings, pieces and candidates as JSON."""
    told = Settings.model_validate_json(settings)
    ws = Workspace(told, open_store(told.store_url))
    return _CANDIDATES.dump_json(make_pictures(ws, environment, _PIECES.validate_json(pieces))).decode()


def candidate_of(ws: Workspace, environment: str, draft: Draft) -> Candidate:
    """A draft taken in. A new picture is kept, with what can be read on it, but no row of it is written."""
    bound = ws.environment(environment)
    picture = take_in_picture(ws, draft.image) if draft.image is not None else None
    changed = picture.id if picture else draft.media
    media, left = draft.photos or draft.parent.media, 1.0
    if changed is not None:
        media = (changed,)
        if draft.image is not None and draft.known is not None:
            ws.library.read_by(changed, draft.image, draft.known)
        left = bound.evidence_left(draft.ask, ws.library.reading(draft.parent.media[0]), ws.library.reading(changed))
    return Candidate(
        how=draft.how,
        parent=draft.parent.id,
        example=bound.example(media, draft.ask, cluster=draft.parent.cluster, parent=draft.parent.id),
        answer=draft.answer,
        parameters=draft.parameters,
        picture=picture,
        left=left,
        doubtful=draft.doubtful,
    )


def take_in_picture(ws: Workspace, image: Image) -> Media:
    """Keeps the file of a picture that was made, within the bounds of intake; its record."""
    picture, png = as_kept(_within_bounds(image.convert("RGB"), ws.settings.media), source=VARIANT_SOURCE)
    ws.blobs.put(picture.blob, png)
    ws.library.remember(picture)
    return picture


def _within_bounds(image: Image, bounds: MediaSettings) -> Image:
    """No longer, and with no more pixels, than what is taken in and kept."""
    longest = min(bounds.max_side, max(image.size))
    while math.prod(round(side * longest / max(image.size)) for side in image.size) > bounds.max_pixels:
        longest -= 1
    return bounded(image, longest)
