"""What `watch` does and shows: a status line, keys, and at the end what came of it."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.live import Live
from rich.text import Text

from app.options import SCREEN
from app.terminal import Answer, Terminal
from app.watching import Answerer, Here, Screen, Server, Spool, Watcher
from app.watching.keys import pressed_keys
from core.environments import environment
from core.schema import NightshiftError, now
from core.settings import Settings, load_settings

__all__ = ["Asked", "watch"]

TICK_S = 0.1
PATIENCE_S = 20.0
"For what is still to be answered at the end."


class Asked(NamedTuple):
    """What the command line said."""

    work: str
    every_s: float
    monitor: int
    url: str | None
    token_env: str
    screens: int | None


def watch(terminal: Terminal, home: Path | None, asked: Asked) -> Answer:
    """Watches until it is told to stop. Raises NightshiftError without a screen to look at, or a server's consent."""
    if not asked.work.strip():
        raise NightshiftError("--work is empty; say in a sentence or two what you are working on")
    settings = load_settings(home)
    kind = environment(SCREEN)
    with Screen(asked.monitor) as screen:
        watcher = Watcher(
            screen.grab,
            _answerer(home, asked, terminal),
            Spool(settings.watch_dir / ("server" if asked.url else "here")),
            work=asked.work.strip(),
            session=f"watch {now():%Y-%m-%d %H:%M:%S}",
            answers=kind.answers or (),
            longest_side=settings.media.max_side,
            as_kept=_as_kept(settings),
        )
        watcher.start()
        try:
            _attend(watcher, asked, terminal, kind.answer_titles)
        except KeyboardInterrupt:
            terminal.tell("Stopping ...")
        finally:
            watcher.stop(PATIENCE_S if watcher.away is None else 0.0)
    if watcher.ended is not None:
        raise watcher.ended
    told = watcher.told()
    return Answer(told, partial(_show, told, kind.answer_titles))


def _as_kept(settings: Settings) -> Callable[[bytes], bytes]:
    """What of a picture may lie on disk: it is painted over before, where the settings of this home ask for that."""
    if not settings.redaction.is_on:
        return bytes
    # Reading brings libraries with it that whoever sends screens elsewhere can do without.
    from core.services.redacting import taken_in

    return lambda picture: taken_in(picture, settings.media, settings.redaction).png


def _answerer(home: Path | None, asked: Asked, terminal: Terminal) -> Answerer:
    if asked.url is None:
        return Here(home, SCREEN)
    terminal.tell(f"Screens are sent to {asked.url}.")
    return Server(asked.url, os.environ.get(asked.token_env), SCREEN)


def _attend(watcher: Watcher, asked: Asked, terminal: Terminal, titles: dict[str, str]) -> None:
    due = time.monotonic()
    with _status_line(terminal) as show, pressed_keys(wanted=not terminal.as_json) as key:
        while watcher.ended is None:
            if time.monotonic() >= due:
                watcher.look()
                due = time.monotonic() + asked.every_s
            show(_line(watcher, titles))
            if asked.screens is not None and watcher.counts.screens >= asked.screens:
                return
            match key(min(TICK_S, max(0.0, due - time.monotonic()))):
                case "c":
                    watcher.correct()
                case "u":
                    watcher.undo()
                case "q":
                    return


@contextmanager
def _status_line(terminal: Terminal) -> Iterator[Any]:
    """One line that changes in place; in a log, a line where what it says of the screen changed."""
    if terminal.error.is_terminal:
        with Live(console=terminal.error, transient=True, auto_refresh=False) as live:
            yield lambda line: live.update(line, refresh=True)
        return
    last = ""

    def tell(line: Text) -> None:
        nonlocal last
        said = line.plain.split("  ")[0]
        if said != last:
            last = said
            terminal.error.print(said, markup=False, soft_wrap=True)

    yield tell


def _line(watcher: Watcher, titles: dict[str, str]) -> Text:
    line, last = Text(no_wrap=True, overflow="ellipsis"), watcher.last
    if last is None:
        line.append("looking" if watcher.away is None else "no verdict yet")
    elif watcher.word is not None:
        line.append(f"corrected: {titles.get(watcher.word, watcher.word)}", "bold")
    else:
        sure = "as a person said" if last.from_person else f"{last.confidence:.0%}"
        line.append(f"{titles.get(last.answer, last.answer)} {sure}", "bold")
    if watcher.away is not None:
        line.append(f"  {watcher.away}; what is seen waits on this disk", "yellow")
    if watcher.unheard:
        line.append(f"  your word is not stored: {watcher.unheard[-1].why}", "red")
    waits = _unanswered(watcher)
    waiting = f", {waits} waiting" if waits else ""
    line.append(f"  {watcher.counts.screens} seen, {watcher.counts.unchanged} unchanged{waiting}", "dim")
    line.append("  u undo  q quit" if watcher.word else "  c correct  q quit", "dim")
    return line


def _unanswered(watcher: Watcher) -> int:
    """Screens of this sitting that are still to be answered; no look at the disk, ten times a second."""
    counts = watcher.counts
    over = counts.answered + counts.refused + watcher.spool.dropped
    return max(0, counts.screens - counts.unchanged - over)


def _show(told: dict[str, Any], titles: dict[str, str], console: Console) -> None:
    counted = told["verdicts"].items()
    verdicts = ", ".join(f"{number} {titles.get(answer, answer).lower()}" for answer, number in counted)
    console.print(
        f"{told['screens']} screens, {told['unchanged']} unchanged, {told['answered']} answered"
        f"{f': {verdicts}' if verdicts else ''}."
    )
    if told["corrections"]:
        console.print(f"{told['corrections']} corrected, {told['undone']} of that taken back.")
    if told["waiting"]:
        console.print(f"{told['waiting']} wait on this disk; the next `nightshift watch` sends them.")
    if told["dropped"]:
        console.print(f"{told['dropped']} made room for newer ones and are lost.")
    if told["refused"]:
        console.print(f"{told['refused']} were refused.")
    for word in told["unheard"]:
        said = "taking back" if word["label"] is None else f"{titles.get(word['label'], word['label'])!r}"
        console.print(f"Not stored: {said}, said of {word['prediction_id']}: {word['why']}", markup=False)
