"""`nightshift draw`: labelled screens from templates."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from app.terminal import Answer, Terminal
from core.services import DrawnFolder, draw_folder

__all__ = ["draw"]


def draw(
    terminal: Terminal,
    out: Path,
    *,
    count: int,
    seed: int,
    kinds: Sequence[str],
    languages: Sequence[str],
    templates: Path | None,
) -> Answer:
    """Draws into a new folder. Raises NightshiftError for one that is not, and without a Chromium."""
    with terminal.progress("drawing screens") as progress:
        drawn = draw_folder(
            out, count=count, seed=seed, kinds=kinds, languages=languages, templates=templates, progress=progress
        )
    return Answer(drawn.model_dump(mode="json"), partial(_show, drawn))


def _show(drawn: DrawnFolder, console: Console) -> None:
    labels = ", ".join(f"{count} {label}" for label, count in drawn.labels.items())
    console.print(
        f"{drawn.screens} screens of {drawn.applications} applications in {drawn.directory}, "
        f"{drawn.per_second:.1f} a second",
        markup=False,
    )
    console.print(f"{drawn.pairs} pairs: {labels}; {drawn.hard} of them hard")
    console.print(f"At a glance: {drawn.contact_sheet}", markup=False)
