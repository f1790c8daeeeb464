"""An installation as a whole: `store copy`, `store tend`, `backup`, `restore`."""

from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from app.terminal import Answer, Terminal
from core import services
from core.services import Manifest
from core.settings import load_settings
from core.store import open_store

__all__ = ["backup", "copy", "restore", "tend"]

SHOWN = 5


def copy(terminal: Terminal, home: Path | None, source: str, target: str, to_home: Path | None) -> Answer:
    """Copies a store. Raises NightshiftError where there is one at the target, or the two differ in the end."""
    with terminal.progress("copying pictures and models") as progress:
        copied = services.copy_store(source, target, home=home, to_home=to_home, progress=progress)
    data = {"source": _data(copied.source), "target": _data(copied.target)}
    return Answer(data, partial(_show, copied.target, "Copied: both have the same manifest"), ok=_whole(copied.target))


def tend(home: Path | None) -> Answer:
    """Puts the store of a home in order."""
    done = open_store(load_settings(home).store_url).tend()
    said = ", ".join(f"{number} {what.replace('_', ' ')}" for what, number in done.items()) or "Nothing had to be done"
    return Answer({"done": done}, lambda console: console.print(f"{said}."))


def backup(terminal: Terminal, home: Path | None, target: Path) -> Answer:
    """Backs an installation up. Raises NightshiftError where there is something at `target`."""
    with terminal.progress("copying pictures and models") as progress:
        kept = services.backup(home, target, progress=progress)
    return Answer(
        {"backup": str(target), **_data(kept)}, partial(_show, kept, f"Backed up to {target}"), ok=_whole(kept)
    )


def restore(terminal: Terminal, home: Path | None, source: Path) -> Answer:
    """Restores a backup. Raises NightshiftError where it is not whole, or there is an installation already."""
    with terminal.progress("copying pictures and models") as progress:
        kept = services.restore(home, source, progress=progress)
    return Answer(_data(kept), partial(_show, kept, "Restored; `nightshift doctor` looks at the rest"))


def _whole(manifest: Manifest) -> bool:
    return not manifest.missing


def _data(manifest: Manifest) -> dict[str, Any]:
    return {"sha256": manifest.sha256, **manifest.model_dump(mode="json")}


def _show(manifest: Manifest, done: str, console: Console) -> None:
    records = sum(held.rows for held in manifest.store.records.values())
    console.print(f"{done}.")
    console.print(f"{records} records, {manifest.pictures} pictures, {len(manifest.checkpoints)} models")
    console.print(f"manifest {manifest.sha256}")
    if manifest.missing:
        console.print(f"{len(manifest.missing)} pictures or models that records name were damaged or not there:")
        for key in manifest.missing[:SHOWN]:
            console.print(f"  {key}", markup=False)
