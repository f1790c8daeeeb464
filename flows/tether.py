"""A process that ends with whoever started it: `python -m flows.tether PID COMMAND ARGUMENTS...`.

It leads a session of its own, runs the command in it, and asks the command to stop when it is asked itself or when
the process PID is gone. Whatever of the session is left after that is killed, so that nothing outlives its starter,
whichever way that one ended. A process that makes a session of its own (a training does) must watch for itself.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

__all__ = ["end_session", "lives", "start_tethered"]

WATCH_S = 0.2
GRACE_S = 4.0
"""How long the command may take to stop before it is killed."""


def start_tethered(
    command: Sequence[str], *, log: IO[bytes], env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> "subprocess.Popen[bytes]":
    """The command, running until it ends, is asked to stop (SIGTERM), or this process is gone."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.tether", str(os.getpid()), *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        # Safe path: a folder named as one of our packages must not be taken for it.
        env={**os.environ, "PYTHONSAFEPATH": "1", **(env or {})},
        cwd=cwd,
        start_new_session=True,
    )


def end_session(leader: int) -> None:
    """Kills every process of the session that `leader` leads or led, this one excepted."""
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and os.getsid(process.pid) == leader:
                process.kill()
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue


def lives(pid: int, started: float) -> bool:
    """Whether the process `pid` that started at `started` (seconds since 1970) is alive, and not a later one."""
    try:
        process = psutil.Process(pid)
        return bool(abs(process.create_time() - started) < 1.0 and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def main(arguments: list[str]) -> int:
    """Runs `arguments[1:]` for as long as the process `arguments[0]` lives; returns its exit status."""
    starter = int(arguments[0])
    asked_to_stop = False

    def ask_to_stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal asked_to_stop
        asked_to_stop = True

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, ask_to_stop)
    command = subprocess.Popen(arguments[1:])
    try:
        while command.poll() is None and not asked_to_stop and os.getppid() == starter:
            time.sleep(WATCH_S)
        if command.poll() is None:
            command.terminate()
            command.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        command.kill()
        command.wait()
    finally:
        end_session(os.getpid())
    return command.returncode if command.returncode >= 0 else 128 - command.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
