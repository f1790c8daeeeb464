"""What each part of the learning is worth: `ablate`."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.commands.measures import told_to_throw_away_homes
from app.options import SCREEN
from app.terminal import Answer, Terminal
from core import services
from core.evaluation.ablation_page import COLUMNS, confidence_figure, markdown_table, table_rows
from core.schema import NightshiftError
from core.settings import load_settings

__all__ = ["ablate"]


def ablate(
    terminal: Terminal,
    home: Path | None,
    dataset: Path,
    *,
    splits: int,
    arms: str | None,
    seed: int,
    out: Path | None,
) -> Answer:
    """The ablation under this home's settings and with its cache of readings, in homes that are thrown away."""
    settings = load_settings(home)
    if out is not None:
        _make(out)
    found = services.ablate(
        dataset,
        settings=settings,
        told={**told_to_throw_away_homes(settings), "cache": settings.cache_dir},
        splits=splits,
        arms=None if arms is None else [name.strip() for name in arms.split(",") if name.strip()],
        seed=seed,
        environment=SCREEN,
        watch=terminal.progress,
    )
    if out is not None:
        _write(found, out)
    return Answer(found, partial(_show, found))


def _make(out: Path) -> None:
    """Before hours of work rather than after them."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NightshiftError(f"--out {out} cannot be made a folder: {error.strerror or error}") from error


def _write(found: dict[str, Any], out: Path) -> None:
    (out / "ablation.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (out / "ablation.md").write_text(markdown_table(found), encoding="utf-8")
    if found["confidence"]:
        confidence_figure(found["confidence"], out / "ablation-confidence.png")


def _show(found: dict[str, Any], console: Console) -> None:
    console.print(f"{found['n']} pairs of {found['applications']} applications, {found['splits']} splits")
    table = Table(*COLUMNS)
    for row in table_rows(found):
        table.add_row(*row)
    console.print(table)
    for name, reason in found["left_out"].items():
        console.print(f"left out: {name}: {reason}")
