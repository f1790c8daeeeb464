"""Commands and nights as processes of their own that start at once: a fork server has done their imports."""

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["app.cli", "core.services", "prefect"])
DEADLINE_S = 300.0


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """Standard output, which must be one JSON object and nothing else."""
        found: dict[str, Any] = json.loads(self.out)
        return found


class Forked:
    """A function in a process that leads a group of its own, with its output in files."""

    def __init__(self, scratch: Path, work: Callable[..., None], *arguments: Any, **environment: str) -> None:
        self._files = {name: _fresh(scratch, name) for name in ("out", "err")}
        called = (self._files["out"], self._files["err"], environment, work, arguments)
        # Neither Process of the typing stubs is the one of this context.
        self.process: BaseProcess = CONTEXT.Process(target=_alone, args=called)  # type: ignore[attr-defined]
        self.process.start()

    @property
    def is_running(self) -> bool:
        return self.process.exitcode is None

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        assert self.process.pid is not None
        os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self, within_s: float = DEADLINE_S) -> Ended:
        """Until it has ended; a signal shows as a negative status."""
        self.process.join(within_s)
        if self.process.exitcode is None:
            self.kill()
            self.process.join()
            raise TimeoutError(f"not over after {within_s:g} s: {self._files['err'].read_text()[-2000:]}")
        return Ended(self.process.exitcode, self._files["out"].read_text(), self._files["err"].read_text())


def nightshift(scratch: Path, *arguments: str, **environment: str) -> Ended:
    """The command line, as a person would run it."""
    return Forked(scratch, _command_line, *arguments, **environment).wait()


def _command_line(*arguments: str) -> None:
    from app.cli import main

    sys.argv = ["nightshift", *arguments]
    main()


def _alone(
    out: Path, err: Path, environment: Mapping[str, str], work: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    os.setsid()
    for number, path, flags in ((0, Path(os.devnull), os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        os.dup2(os.open(path, flags), number)
    os.environ.update(environment)
    work(*arguments)


def _fresh(scratch: Path, name: str) -> Path:
    scratch.mkdir(parents=True, exist_ok=True)
    taken = len(list(scratch.glob(f"{name}.*")))
    path = scratch / f"{name}.{taken}"
    path.touch()
    return path
