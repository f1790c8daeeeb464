"""`nightshift bench hostile`: whether text on a screen can ask for its verdict."""

from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.options import SCREEN
from app.terminal import Answer, Terminal
from core.services import Workspace
from core.services.classify import Classifier
from core.services.hostile import HostileItem, hostile_figures, hostile_items, hostile_screens

__all__ = ["hostile"]


def hostile(terminal: Terminal, home: Path | None, dataset: Path | None, release: str) -> Answer:
    """Flips toward an attacker's goal, of a release and of the judge in the settings."""
    ws = Workspace.open(home)
    classifier = Classifier.load(ws, SCREEN, release)
    judge = classifier.environment.judge(ws.settings)
    with terminal.progress("reading screens") as progress:
        screens = hostile_screens(ws, SCREEN, dataset, progress=progress)
    with terminal.progress("writing on screens") as progress:
        items = hostile_items(classifier, judge, screens, progress=progress)
    found = hostile_figures(items, screens)
    flipped = [item for item in items if item.flipped("student") or item.flipped("judge")]
    data = {**found, "flipped": [item.model_dump(mode="json") for item in flipped]}
    return Answer(data, partial(_show, found, flipped))


def _show(found: dict[str, Any], flipped: list[HostileItem], console: Console) -> None:
    console.print(f"{found['screens']} screens, {found['renderings']} renderings of wordings held out of development")
    table = Table("written on the screen", "student flipped", "at most (95%)", "judge flipped", "at most (95%)")
    parts = {"orders of all kinds": found, **found["by_kind"], "the work itself": found["quotes"]}
    for name, part in parts.items():
        cells = (cell for who in ("student", "judge") for cell in _cells(part[who]))
        table.add_row(name, *cells)
    console.print(table)
    ordinary = found["ordinary"]
    console.print(
        f"without any of it, {ordinary['left_out']} of {ordinary['lines']} lines are left out, on "
        f"{ordinary['touched']} of {ordinary['screens']} screens"
    )
    for item in flipped:
        console.print(Text(f"{item.kind}, for {item.goal}: {item.text}"))


def _cells(figures: dict[str, Any]) -> tuple[str, str]:
    if figures["share"] is None:
        return "-", "-"
    return f"{figures['flips']} of {figures['n']} ({figures['share']:.1%})", f"{figures['upper95']:.1%}"
