"""`nightshift verify`: what the rules see on screens."""

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.options import SCREEN
from app.terminal import Answer, Terminal
from core.services import (
    DrawnFigures,
    Workspace,
    measure_drawn,
    measure_titles,
    session_frames,
    sessions,
    verify_screen,
)
from core.services.sessions import SessionCard, SessionFrame
from core.services.verifying import ScreenFindings, TitleFigures

__all__ = ["drawn", "screen", "session", "titles"]

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
        cards = sessions(ws, SCREEN)
        return Answer({"sessions": [card.model_dump(mode="json") for card in cards]}, partial(_show_sessions, cards))
    frames = session_frames(ws, SCREEN, name)
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


def drawn(terminal: Terminal, home: Path | None, dataset: Path) -> Answer:
    """What the rules find beside what is true of drawn screens."""
    ws = Workspace.open(home)
    with terminal.progress("reading screens") as progress:
        figures = measure_drawn(ws, dataset, progress=progress)
    data = figures.model_dump(mode="json")
    for kind, found in figures.elements.items():
        data["elements"][kind] |= {"recall": found.recall, "precision": found.precision}
    return Answer(data, partial(_show_drawn, figures))


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


def _show_drawn(figures: DrawnFigures, console: Console) -> None:
    titles = ", ".join(f"{kind} {_percent(share)}" for kind, share in figures.titles_within.items())
    console.print(f"{figures.screens} screens; titles found: {titles}; {_percent(figures.titles_exact)} to the letter")
    console.print(f"{_percent(figures.lines_read)} of {figures.lines} lines read; {figures.ms_p50:.0f} ms a screen")
    table = Table("element", "there", "claimed", "found", "of what is claimed, right")
    for kind, found in figures.elements.items():
        table.add_row(kind, str(found.n), str(found.claimed), _percent(found.recall), _percent(found.precision))
    console.print(table)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
