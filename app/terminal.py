"""What a command says, and where: its result on standard output, everything else on standard error."""

import contextlib
import getpass
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, NoReturn, TextIO

from rich.console import Console

from core.schema import NightshiftError, now
from core.settings import resolve_home

__all__ = ["Answer", "Progress", "Terminal", "run"]

Progress = Callable[[int, int], None]
"""Told how much of how much is done."""

FAILED, INTERRUPTED = 1, 130
PLAIN_EVERY_S = 15.0
"""How often progress is told where no person watches."""


class Answer(NamedTuple):
    """What a command found: as one JSON object, and as a person reads it."""

    data: dict[str, Any]
    show: Callable[[Console], None]
    ok: bool = True
    "Whether the command counts as successful; what it found is shown all the same."


class Terminal:
    """Standard output is kept for the result alone, at the level of file descriptors: libraries that print, in Python
    or in C, and processes that are started reach standard error instead."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _claim_stdout()
        self._has_printed = False
        self.error = Console(stderr=True, highlight=False)

    @property
    def is_interactive(self) -> bool:
        """Whether a person is there to be asked."""
        return not self.as_json and sys.stdin is not None and sys.stdin.isatty() and self._out.isatty()

    def tell(self, line: str = "") -> None:
        """A line for people, beside the result."""
        out = sys.stderr if self.as_json else self._out
        with contextlib.suppress(BrokenPipeError):
            out.write(f"{line}\n")
            out.flush()

    def print_json(self, data: dict[str, Any]) -> None:
        """The one JSON object of a command; a second is not printed."""
        if self._has_printed:
            return
        self._has_printed = True
        with contextlib.suppress(BrokenPipeError):
            self._out.write(json.dumps(data, ensure_ascii=False, allow_nan=False, default=str) + "\n")
            self._out.flush()

    def print(self, answer: Answer) -> None:
        """The result of a command, in the form that was asked for."""
        if self.as_json:
            self.print_json(answer.data)
            return
        with contextlib.suppress(BrokenPipeError):
            answer.show(Console(file=self._out, highlight=False, soft_wrap=not self._out.isatty()))
            self._out.flush()

    def refuse(self, message: str) -> None:
        """Why there is no result."""
        sys.stderr.write(f"nightshift: {message}\n")
        if self.as_json:
            self.print_json({"error": message})

    @contextlib.contextmanager
    def progress(self, what: str) -> Iterator[Progress]:
        """Shows how far something is, with the time left."""
        with self._bar(what) if self.error.is_terminal else _plain_progress(what) as report:
            yield report

    @contextlib.contextmanager
    def _bar(self, what: str) -> Iterator[Progress]:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Bar(*columns, console=self.error, transient=True) as bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)


def run(command: Callable[[Terminal], Answer | None], *, home: Path | None, as_json: bool) -> NoReturn:
    """Runs a command, prints its result or why there is none, and leaves with the exit status.

    A command that returns None has shown all there is.
    """
    signal.signal(signal.SIGTERM, _leave)
    terminal = Terminal(as_json)
    status = FAILED
    try:
        with _in_the_name_of_whoever_runs_it():
            answer = command(terminal)
        if answer is not None:
            terminal.print(answer)
        status = 0 if answer is None or answer.ok else FAILED
    except NightshiftError as error:
        terminal.refuse(str(error))
    except Exception as error:
        terminal.refuse(f"unexpected {type(error).__name__}: {_first_line(error)} (all of it in {_keep(home)})")
    except KeyboardInterrupt:
        terminal.refuse("interrupted")
        status = INTERRUPTED
    sys.exit(status)


@contextlib.contextmanager
def _in_the_name_of_whoever_runs_it() -> Iterator[None]:
    """The machine has let them in already. Imported here, since `--help` needs no store."""
    from core.access import LOCAL, as_actor

    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    with as_actor(replace(LOCAL, door="command line", address=f"{user}@{socket.gethostname()}")):
        yield


def _claim_stdout() -> TextIO:
    sys.stdout.flush()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(2, 1)
    return out


@contextlib.contextmanager
def _plain_progress(what: str) -> Iterator[Progress]:
    started = told = time.monotonic()

    def report(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told < PLAIN_EVERY_S or not 0 < done < total:
            return
        told = time.monotonic()
        left_s = (told - started) / done * (total - done)
        sys.stderr.write(f"{what}: {done} of {total}, about {left_s:.0f} s left\n")

    yield report


def _leave(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    # As Ctrl-C does, so that what was started is stopped on the way out.
    raise KeyboardInterrupt


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no message"])[0]


def _keep(home: Path | None) -> str:
    """Writes the traceback of the exception being handled; returns where."""
    text = f"{now().isoformat(timespec='seconds')} {' '.join(sys.argv)}\n{traceback.format_exc()}\n"
    log = resolve_home(home) / "logs" / "errors.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        sys.stderr.write(text)
        return "the lines above"
    return str(log)
