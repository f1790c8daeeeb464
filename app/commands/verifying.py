"""`nightshift verify`: what the rules see on screens."""

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.commands import ENVIRONMENT
from app.terminal import Answer, Terminal
from core.services import Workspace, measure_titles, session_frames, sessions, verify_screen
from core.services.sessions import SessionCard, SessionFrame
from core.services.verifying import ScreenFindings, TitleFigures

__all__ = ["screen", "session", "titles"]

SHOWN = ("window", "menu_bar", "tool_bar", "table", "image", "video", "button", "notification")
"""Kinds listed one by one for a person; text is counted."""


def screen(home: Path | None, image: Path, work: str | None) -> Answer:
    """Title, elements and signals of one picture. Raises NightshiftError for a picture that is refused."""
    found = verify_screen(Workspace.open(home), image, work)
    return Answer(found.model_dump(mode="json"), partial(_show_screen, found))


def session(home: Path | None, name: str | None) -> Answer:
    """All sessions, or the verdicts of one. Raises NightshiftError for one that is not there."""
    ws = Workspace.open(home)
    if name is None:
        cards = sessions(ws, ENVIRONMENT)
        return Answer({"sessions": [card.model_dump(mode="json") for card in cards]}, partial(_show_sessions, cards))
    frames = session_frames(ws, ENVIRONMENT, name)
    data = {
        "session": name,
        "predictions": [frame.model_dump(mode="json") for frame in frames],
        "flips": sum(frame.flips for frame in frames),
    }
    return Answer(data, partial(_show_frames, frames))


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
    table = Table("element", "left", "top", "right", "bottom", "score", "for the work", "text")
    for element in found.elements:
        if element.kind in SHOWN or element.says in ("relevant", "distracting"):
            said = "" if element.weight is None else f"{element.says} {element.weight:+.2f}"
            places = (f"{edge:.3f}" for edge in element.box)
            table.add_row(element.kind, *places, f"{element.score:.2f}", said, Text(element.text))
    console.print(table)
    console.print(f"{found.signals['text']:.0f} lines of text; {found.ms:.0f} ms once the screen was read")


def _show_sessions(cards: list[SessionCard], console: Console) -> None:
    table = Table("session", "began", "ended", "verdicts", "flips")
    for card in cards:
        times = (f"{at.astimezone():%d %b %Y, %H:%M:%S}" for at in (card.started, card.ended))
        table.add_row(Text(card.session), *times, str(card.predictions), str(card.flips))
    console.print(table if cards else "No prediction was made in a session yet.")


def _show_frames(frames: list[SessionFrame], console: Console) -> None:
    table = Table("prediction", "at", "verdict", "confidence", "work", "")
    for frame in frames:
        table.add_row(
            frame.prediction,
            f"{frame.at.astimezone():%H:%M:%S}",
            str(frame.answer),
            f"{frame.confidence:.0%}",
            Text(frame.ask),
            "flips for one screen" if frame.flips else "",
        )
    console.print(table)


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
