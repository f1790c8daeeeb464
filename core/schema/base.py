"""What every noun is.

Each noun is an immutable pydantic model. Where a thing has content, its id is the hash of that content, so that
writing the same thing twice is a no-op; events that have no content of their own carry a time-ordered UUID.
"""

import hashlib
import json
import os
import time
import uuid
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

__all__ = ["CANNOT_TELL", "NightshiftError", "Record", "Unavailable", "content_id", "new_id", "now"]

CANNOT_TELL = "cannot_tell"
"""The answer of a person who looked and could not decide: stored, never trained on, never scored."""


class NightshiftError(Exception):
    """Something a user can cause or mend. The message says what was wrong, with which value, and what is right."""


class Unavailable(NightshiftError):
    """What was asked may be right, but cannot be done now: of itself, or once somebody mends it, the same goes well."""


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A time-ordered UUID (version 7, RFC 9562 section 5.7), as 32 hex digits."""
    unix_ms = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (unix_ms & (2**48 - 1)) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value).hex


def content_id(*parts: JsonValue | tuple[JsonValue, ...]) -> str:
    """SHA-256 of the canonical JSON of `parts`, as 64 hex digits."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Record(BaseModel):
    """Anything the store keeps. `kind` names its table."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    id: str
    at: AwareDatetime = Field(default_factory=now)
