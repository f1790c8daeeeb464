"""`nightshift verify`: what the rules see on screens."""

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.terminal import Answer, Terminal
from core.services import Workspace, measure_titles
from core.services.verifying import TitleFigures

__all__ = ["titles"]


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
        table.add_row(miss.file, miss.person or "-", miss.found or "-")
    console.print(table, markup=False)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
