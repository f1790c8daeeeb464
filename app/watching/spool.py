"""What was captured or said and is not answered yet: files, so that neither a crash nor an absent server loses it."""

import fcntl
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.disk import write_through
from core.schema import NightshiftError, new_id

__all__ = ["Spool", "Waiting"]

MOST_SCREENS = 2_000
MOST_BYTES = 500_000_000


@dataclass(frozen=True)
class Waiting:
    """A screen with what it is held against, or a word about a prediction. Its id orders it, and is the key it is
    sent under, so that it counts once however often it is sent."""

    id: str
    told: dict[str, Any]
    picture: Path | None

    @property
    def is_screen(self) -> bool:
        return self.picture is not None


class Spool:
    """A folder that one process writes and takes from, oldest first; bounded."""

    def __init__(self, folder: Path, *, most_screens: int = MOST_SCREENS, most_bytes: int = MOST_BYTES) -> None:
        """Raises NightshiftError where the folder cannot be made, or another process uses it."""
        self.folder, self.most_screens, self.most_bytes = folder, most_screens, most_bytes
        self.dropped = 0
        "Screens that made room for newer ones."
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = (folder / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._clear_halves()
        except BlockingIOError:
            raise NightshiftError(f"another `nightshift watch` is running with {folder}; stop it first") from None
        except OSError as error:
            raise NightshiftError(f"cannot keep screens in {folder}: {error.strerror or error}") from error

    def add_screen(self, picture: bytes, told: dict[str, Any]) -> str:
        """Keeps a screen until it is answered; the oldest ones make room where there are too many."""
        self._make_room(len(picture))
        id = new_id()
        self._write(self.folder / f"{id}.png", picture)
        self._write(self.folder / f"{id}.json", _text(told))
        return id

    def add_word(self, told: dict[str, Any]) -> str:
        """Keeps a person's word until it is stored; words are never dropped."""
        id = new_id()
        self._write(self.folder / f"{id}.json", _text(told))
        return id

    def waiting(self) -> list[Waiting]:
        """Oldest first."""
        found = []
        for path in sorted(self.folder.glob("*.json")):
            told = _read(path)
            if told is not None:
                found.append(Waiting(path.stem, told, path.with_suffix(".png") if "work" in told else None))
        return found

    def done(self, id: str) -> None:
        """It was answered, or never will be."""
        for suffix in (".json", ".png"):
            (self.folder / f"{id}{suffix}").unlink(missing_ok=True)

    def close(self) -> None:
        """Lets another process have it."""
        self._lock.close()

    def _clear_halves(self) -> None:
        """What a crash cut off while it was written: a picture is there before what it is about."""
        for path in (*self.folder.glob("*.tmp"), *self.folder.glob("*.png")):
            if path.suffix == ".tmp" or not path.with_suffix(".json").exists():
                path.unlink()

    def _make_room(self, wanted: int) -> None:
        pictures = sorted(self.folder.glob("*.png"))
        taken = sum(path.stat().st_size for path in pictures)
        while pictures and (len(pictures) >= self.most_screens or taken + wanted > self.most_bytes):
            oldest = pictures.pop(0)
            taken -= oldest.stat().st_size
            self.done(oldest.stem)
            self.dropped += 1

    def _write(self, path: Path, data: bytes) -> None:
        aside = path.with_suffix(".tmp")
        try:
            aside.write_bytes(data)
            write_through(aside)
            aside.replace(path)
        except OSError as error:
            raise NightshiftError(f"cannot keep {path.name} in {self.folder}: {error.strerror or error}") from error


def _text(told: dict[str, Any]) -> bytes:
    """As records are kept, so that an erasure finds in it what it looks for."""
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _read(path: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None
