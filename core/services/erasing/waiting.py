"""What `nightshift watch` captured, or was told, and nobody has answered yet: files in the home, and no records."""

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.schema import NightshiftError
from core.services.workspace import Workspace

__all__ = ["remove_screens", "remove_words", "screens_waiting"]


def screens_waiting(ws: Workspace, *, session: str | None = None, before: datetime | None = None) -> list[Path]:
    """Those of a session, or that were captured before a moment: for each the file that says what it is."""
    return [
        path
        for path, told in _waiting(ws)
        if "work" in told
        and ((session is not None and told.get("session") == session) or (before is not None and _at(path) < before))
    ]


def remove_screens(screens: Collection[Path]) -> dict[str, int]:
    """Removes these screens; how many. Raises NightshiftError where one cannot be removed."""
    for told in screens:
        # The picture first: while it is there, what names it is found again.
        _remove(told.with_suffix(".png"))
        _remove(told)
    return {"waiting_screens": len(screens)} if screens else {}


def remove_words(ws: Workspace, predictions: Collection[str]) -> None:
    """Removes words about these predictions. Raises NightshiftError where one cannot be removed."""
    for path, told in _waiting(ws):
        if told.get("prediction_id") in predictions:
            _remove(path)


def _waiting(ws: Workspace) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(ws.settings.watch_dir.glob("*/*.json")):
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            continue  # answered since it was listed, or damaged
        yield path, told


def _at(path: Path) -> datetime:
    """When it was captured: the name is a UUID of version 7, which begins with the milliseconds."""
    return datetime.fromtimestamp(int(path.stem[:12], 16) / 1000, UTC)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise NightshiftError(f"cannot remove {path}: {error.strerror or error}") from error
