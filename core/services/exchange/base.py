"""What leaves and what comes in: one labelled example with its pictures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from pydantic import BaseModel, ConfigDict

from core.schema import NightshiftError
from core.settings import MediaSettings

__all__ = ["Format", "Incoming", "IncomingPicture", "Outgoing", "Picture", "Rows", "has_several", "single"]


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
class IncomingPicture:
    """A picture that comes in. Its name tells a person which one; equal names need not be equal pictures."""

    name: str
    read: Callable[[MediaSettings], bytes]
    "The picture's bytes. Raises NightshiftError where it is not there, or larger than the settings allow."


@dataclass(frozen=True)
class Incoming:
    """A labelled example as it comes in, with its pictures in their order."""

    name: str
    "What it is called where something is wrong with it."
    pictures: tuple[IncomingPicture, ...]
    ask: str
    label: str
    reason: str | None = None
    cluster: str = ""
    "Which cluster it was in where it comes from; empty where that is not told."

    @classmethod
    def about(cls, name: str, read: Callable[[MediaSettings], bytes], ask: str, label: str, reason: str | None) -> Self:
        """An example with one picture, called as that is."""
        return cls(name, (IncomingPicture(name, read),), ask, label, reason)


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


def has_several(rows: Rows) -> bool:
    """Whether any example has more than one picture."""
    return any(len(pictures) > 1 for _, pictures in rows)


def single(row: Outgoing, pictures: Sequence[Picture], what: str) -> Picture:
    """The only picture of an example. Raises NightshiftError where there are more: `what` holds one an example."""
    if len(pictures) != 1:
        raise NightshiftError(
            f"example {row.example[:12]} has {len(pictures)} pictures, and {what} holds one an example; parquet and "
            "webdataset hold several, and for groups so does folder"
        )
    return pictures[0]
