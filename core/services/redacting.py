"""Taking a picture in as the settings want it kept: what is private is painted over before anything is stored."""

from typing import NamedTuple

from core.environments.screen.private_text import masked
from core.environments.screen.redaction import redact
from core.media import as_kept, intake, open_image
from core.reading import Reading
from core.schema import Media
from core.settings import MediaSettings, RedactionSettings

__all__ = ["TakenIn", "taken_in"]


class TakenIn(NamedTuple):
    """A picture to keep."""

    media: Media
    png: bytes
    reading: Reading | None
    "What can be read on it, where that had to be known."


def taken_in(
    data: bytes,
    media: MediaSettings,
    redaction: RedactionSettings,
    *,
    name: str | None = None,
    source: str | None = None,
    session: str | None = None,
) -> TakenIn:
    """The picture, normalised and redacted: record, file and reading are those of the redacted one.

    Raises ImageRefused for what is not taken in, and NightshiftError where something private cannot be painted over.
    """
    record, png = intake(data, media, name=name, source=source, session=session)
    if not redaction.is_on:
        return TakenIn(record, png, None)
    painted, reading = redact(open_image(png), redaction)
    source = masked(source, redaction) if source is not None else None
    record, png = as_kept(painted, source=source, session=session)
    return TakenIn(record, png, reading)
