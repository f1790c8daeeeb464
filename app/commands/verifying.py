"""`nightshift verify`: what the rules see on screens."""

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.terminal import Answer, Terminal
from core.services import Workspace, measure_titles, verify_screen
from core.services.verifying import ScreenFindings, TitleFigures

__all__ = ["screen", "titles"]

SHOWN = ("menu_bar", "table", "image", "button")
"""Kinds listed one by one for a person; text is counted."""


def screen(home: Path | None, image: Path) -> Answer:
    """Title, elements and signals of one picture. Raises NightshiftError for a picture that is refused."""
    found = verify_screen(Workspace.open(home), image)
    return Answer(found.model_dump(mode="json"), partial(_show_screen, found))


def titles(terminal: Terminal, home: Path | None, dataset: Path) -> Answer:
    """Titles found beside titles read by a person."""
    ws = Workspace.open(home)
    with terminal.progress("reading screens") as progress:
        figures = measure_titles(ws, dataset, progress=progress)
    data = {
        "n": figures.n,
        "within_0.2": figures.within,
        "exact": figures.exact,
        "false_titles": figures.false_titles,
        "ms_p50": figures.ms_p50,
    }
    return Answer(data, partial(_show_titles, figures))


def _show_screen(found: ScreenFindings, console: Console) -> None:
    console.print(f"Title: {found.title}" if found.title is not None else "No title.", markup=False)
    table = Table("element", "left", "top", "right", "bottom", "score", "text")
    for element in found.elements:
        if element.kind in SHOWN:
            table.add_row(
                element.kind, *(f"{edge:.3f}" for edge in element.box), f"{element.score:.2f}", Text(element.text)
            )
    console.print(table)
    console.print(f"{found.signals['text']:.0f} lines of text; {found.ms:.0f} ms once the screen was read")


def _show_titles(figures: TitleFigures, console: Console) -> None:
    console.print(
        f"{figures.n} screens with a title: {_percent(figures.within)} found, {_percent(figures.exact)} to the letter"
    )
    console.print(f"{figures.without} without: a title claimed on {_percent(figures.false_titles)}")
    console.print(f"{figures.ms_p50:.0f} ms a screen, once it is read")
    if not figures.misses:
        return
    table = Table("file", "a person read", "found")
    for miss in figures.misses:
        table.add_row(*(Text(cell or "-") for cell in (miss.file, miss.person, miss.found)))
    console.print(table)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
