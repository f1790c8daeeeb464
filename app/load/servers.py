"""A server in a process of its own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from core.schema import NightshiftError
from flows.server import last_lines
from flows.tether import end_session, start_tethered

__all__ = ["Server", "home_of_its_own", "serving"]

START_S = 240.0
STOP_S = 20.0
LOOK_S = 0.1
HOST = "127.0.0.1"
ELSEWHERE = ("NIGHTSHIFT_STORE", "NIGHTSHIFT_BLOBS", "NIGHTSHIFT_CACHE")


class Server:
    """`python -m app.server` over a home, ready to answer."""

    def __init__(self, home: Path, env: Mapping[str, str] | None = None) -> None:
        """Raises NightshiftError, with the end of what it said, where it does not come up."""
        self.log = home / "logs" / f"server-{time.time_ns()}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        told = home / "run" / f"address-{time.time_ns()}"
        told.parent.mkdir(exist_ok=True)
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "app.server", str(home), HOST, "0", str(told)]
            self._tether = start_tethered(command, log=log, env=env)
        self._until = time.monotonic() + START_S
        try:
            self.address = self._awaited(told)
            while not self._is_ready():
                self._pause()
        except BaseException:
            self.stop()
            raise

    def memory_mib(self) -> float:
        """What the server has in memory now: its resident set."""
        return float(self._process().memory_info().rss / 2**20)

    def kill(self) -> None:
        """Ends it at once, as a machine that fails would."""
        self._process().kill()
        self._tether.wait(STOP_S)
        end_session(self._tether.pid)

    def stop(self) -> None:
        """Asks it to stop, and waits until it has."""
        if self._tether.poll() is None:
            self._tether.terminate()
        try:
            self._tether.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._tether.kill()
        end_session(self._tether.pid)
        self._tether.wait()

    def _awaited(self, told: Path) -> str:
        while not (told.exists() and (address := told.read_text())):
            self._pause()
        return address

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=30).status_code == 200
        except httpx.TransportError:
            return False

    def _pause(self) -> None:
        if self._tether.poll() is not None:
            raise NightshiftError(f"the server ended. The end of what it said:\n{last_lines(self.log)}")
        if time.monotonic() > self._until:
            raise NightshiftError(f"the server was not ready within {START_S:g} s; see {self.log}")
        time.sleep(LOOK_S)

    def _process(self) -> psutil.Process:
        (child,) = psutil.Process(self._tether.pid).children()
        return child


@contextmanager
def serving(home: Path, env: Mapping[str, str] | None = None) -> Iterator[Server]:
    """A server over `home`, which is stopped with the block."""
    server = Server(home, env)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def home_of_its_own() -> Iterator[Path]:
    """A folder for a home that goes with the block; nothing of it lies elsewhere, whatever the environment says."""
    elsewhere = {name: os.environ.pop(name) for name in ELSEWHERE if name in os.environ}
    try:
        with tempfile.TemporaryDirectory(prefix="nightshift-load-") as folder:
            yield Path(folder) / "home"
    finally:
        os.environ.update(elsewhere)
