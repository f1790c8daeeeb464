"""What leaves and what comes in: one labelled example with its pictures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from core.schema import NightshiftError
from core.settings import MediaSettings

__all__ = ["Format", "Incoming", "Outgoing", "Picture", "Rows", "single"]


@dataclass(frozen=True)
class Picture:
    """A picture that leaves: a name for its file, and its bytes on demand."""

    name: str
    read: Callable[[], bytes]


class Outgoing(BaseModel):
    """A labelled example as it leaves, without its pictures' bytes."""

    model_config = ConfigDict(frozen=True)
    example: str
    split: str
    "`train` or `golden`."
    ask: str
    answers: tuple[str, ...]
    "The closed answer set; empty for free text."
    label: str
    reason: str
    reviewer: str
    chosen_by: str
    labelled_at: str
    "ISO 8601; empty where another word stands since."
    cluster: str
    domain: str


@dataclass(frozen=True)
class Incoming:
    """A labelled example as it comes in, about one picture."""

    name: str
    "Of the picture; rows with one name share it."
    read: Callable[[MediaSettings], bytes]
    "The picture's bytes. Raises NightshiftError where it is not there, or larger than the settings allow."
    ask: str
    label: str
    reason: str | None = None


Rows = Sequence[tuple[Outgoing, Sequence[Picture]]]


class Format(Protocol):
    """How labelled examples are written to a folder, and read from one."""

    name: str
    "As the command line names it."

    def write(self, folder: Path, rows: Rows, tell: Callable[[int], None]) -> None:
        """Writes all rows into an empty folder; `tell` hears how many are written."""
        ...

    def recognises(self, path: Path) -> bool:
        """Whether a file or folder looks like this format; looks at names alone."""
        ...

    def read(self, path: Path) -> Iterator[Incoming]:
        """What it holds. Raises NightshiftError where it is damaged or lacks a column."""
        ...


def single(row: Outgoing, pictures: Sequence[Picture], what: str) -> Picture:
    """The only picture of an example. Raises NightshiftError where there are more: `what` holds one a line."""
    if len(pictures) != 1:
        raise NightshiftError(f"example {row.example} has {len(pictures)} pictures, and {what} holds one an example")
    return pictures[0]
