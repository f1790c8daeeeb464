"""The processes that `nightshift up` starts: each with a log, a sign that it is ready, and an end with its starter."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from flows.server import last_lines
from flows.tether import end_session, start_tethered

__all__ = ["Child", "stop_all"]

STOP_S = 6.0
"""A child that is still there after this long is killed, and everything it started with it."""


@dataclass
class Child:
    """One process of several that are up together."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = lambda: True
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Starts it; what an earlier one said is kept beside the log as `.previous`."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(f"{self.log.suffix}.previous"))
        with _opened(self.log) as log:
            self._process = start_tethered(self.command, log=log, env=self.environment)

    @property
    def pid(self) -> int | None:
        """The process that leads its session, or None before it is started."""
        return self._process.pid if self._process else None

    @property
    def status(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._process.poll() if self._process else None

    def last_words(self) -> str:
        """How it ended, and the end of its log."""
        return f"{self.name} ended with status {self.status}. The end of {self.log}:\n{last_lines(self.log)}"


def stop_all(children: Sequence[Child]) -> None:
    """Asks them all to stop, and sees to it that nothing they started is left."""
    running = [child._process for child in children if child._process is not None]
    for process in running:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + STOP_S
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
        end_session(process.pid)
        process.wait()


def _opened(log: Path) -> BinaryIO:
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.open("wb")
