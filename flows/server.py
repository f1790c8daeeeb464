"""The Prefect server of a home: the one that `nightshift up` runs, or one for as long as it takes."""

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError

from core.schema import NightshiftError
from flows.auth import AUTH, auth_of, new_auth
from flows.tether import end_session, lives, start_tethered

__all__ = [
    "Running",
    "answers",
    "ask",
    "last_lines",
    "prefect_environment",
    "prefect_server",
    "running",
    "server_command",
    "stop",
]

START_S = 120.0
"""A Prefect server that does not answer after this long has failed; a busy machine takes a minute the first time."""

STOP_S = 8.0
LOOK_S = 5.0
ANSWER_S = 30.0

BUSY = 503
"""What Prefect answers, having done nothing, when another writer held its database."""

BUSY_WAITS_S = (0.1, 0.3, 1.0, 3.0)


class Running(BaseModel):
    """What `nightshift up` says of itself in `<home>/run/server.json`, for as long as everything runs."""

    model_config = ConfigDict(frozen=True)
    pid: int
    started: float
    "When the process with this id started, in seconds since 1970: a recycled id started at another time."
    home: Path
    console_url: str
    prefect_url: str
    api_url: str
    "What PREFECT_API_URL must be to reach the Prefect server."
    ports: dict[str, int]
    pids: dict[str, int]
    logs: Path

    @staticmethod
    def file(home: Path) -> Path:
        """Where it is written."""
        return home / "run" / "server.json"

    def write(self) -> None:
        """Written aside and renamed, so that no reader sees half of it."""
        file = self.file(self.home)
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_suffix(".tmp")
        aside.write_text(self.model_dump_json(indent=1))
        aside.replace(file)

    @property
    def is_alive(self) -> bool:
        """Whether the process that wrote it still runs."""
        return lives(self.pid, self.started)


def running(home: Path) -> Running | None:
    """The Nightshift that is up from this home, or None."""
    try:
        found = Running.model_validate_json(Running.file(home).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.is_alive else None


def prefect_environment(home: Path, api_url: str, auth: str) -> dict[str, str]:
    """Environment variables under which Prefect keeps to this home and this server, and calls nobody else.

    The server answers only whoever sends `auth`, and lets pages of no origin but its own read what it answers.
    """
    port = urlsplit(api_url).port
    return {
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_MEMO_STORE_PATH": str(home / "prefect" / "memo_store.toml"),
        "PREFECT_API_URL": api_url,
        AUTH: auth,
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},http://localhost:{port}",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        # With the default, in memory, a server that is killed forgets who holds a slot, and the slot stays taken.
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "DO_NOT_TRACK": "1",
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "127.0.0.1,localhost"])),
    }


def server_command(host: str, port: int) -> list[str]:
    """The command line of a Prefect server."""
    return [sys.executable, "-m", "prefect", "server", "start", "--host", host, "--port", str(port)]


def answers(url: str) -> bool:
    """Whether a GET of `url` succeeds."""
    try:
        status, _ = _request("GET", url, None, None, LOOK_S)
    except (OSError, HTTPException):
        return False
    return 200 <= status < 300


def ask(method: str, url: str, body: dict[str, Any] | None = None, *, auth: str | None = None) -> Any:
    """One request to a Prefect server, repeated while that is busy, and its JSON.

    Where `auth` is not given the environment says it, as it does to Prefect. Raises NightshiftError when it fails.
    """
    auth = auth or os.environ.get(AUTH)
    try:
        status, reply = _request(method, url, body, auth, ANSWER_S)
        for wait_s in BUSY_WAITS_S:
            if status != BUSY:
                break
            time.sleep(wait_s)
            status, reply = _request(method, url, body, auth, ANSWER_S)
    except (OSError, HTTPException) as error:
        raise NightshiftError(f"the Prefect server at {url} does not answer: {error}") from error
    if not 200 <= status < 300:
        raise NightshiftError(f"Prefect refused {method} {url}: {status} {reply[:300].decode(errors='replace')}")
    try:
        return json.loads(reply) if reply else None
    except ValueError as error:
        raise NightshiftError(f"what answers at {url} is no Prefect server: {reply[:100]!r}") from error


@contextlib.contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """The API URL of this home's Prefect server: of the one that is up, else of a temporary one.

    Inside the block Prefect is set up to use it, here and in processes started from here.
    """
    up = running(home)
    if up is not None and answers(f"{up.api_url}/health"):
        with _settings(home, up.api_url, auth_of(home) or ""):
            yield up.api_url
        return
    with _temporary(home) as api_url:
        yield api_url


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for a person."""
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return "\n".join(lines[-count:]) or "(it said nothing)"


def stop(process: "subprocess.Popen[bytes]", within_s: float = STOP_S) -> None:
    """Asks a tethered process to stop, and sees to it that nothing of its session is left."""
    if process.poll() is None:
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(within_s)
    end_session(process.pid)
    process.wait()


@contextlib.contextmanager
def _temporary(home: Path) -> Iterator[str]:
    port, auth = _free_port(), new_auth()
    api_url = f"http://127.0.0.1:{port}/api"
    log_file = home / "logs" / "prefect-temporary.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with log_file.open("wb") as log:
        process = start_tethered(
            server_command("127.0.0.1", port), log=log, env=prefect_environment(home, api_url, auth) | _TEMPORARY
        )
    try:
        # Setting up Prefect here takes seconds, in which the server starts.
        with _settings(home, api_url, auth):
            _await(process, f"{api_url}/health", log_file)
            yield api_url
    finally:
        stop(process)


_TEMPORARY = {
    "PREFECT_SERVER_UI_ENABLED": "false",
    # Nobody is there to run what it would schedule.
    "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
}


def _await(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + START_S
    while not answers(url):
        if process.poll() is not None:
            raise NightshiftError(f"the Prefect server ended as it started; the end of {log}:\n{last_lines(log)}")
        if time.monotonic() > deadline:
            raise NightshiftError(f"the Prefect server did not answer within {START_S:g} s; see {log}")
        time.sleep(0.1)


@contextlib.contextmanager
def _settings(home: Path, api_url: str, auth: str) -> Iterator[None]:
    """Prefect reads the environment when it is first imported, and its settings context after that."""
    wanted = prefect_environment(home, api_url, auth)
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, PREFECT_HOME, temporary_settings

        here = {PREFECT_API_URL: api_url, PREFECT_API_AUTH_STRING: auth, PREFECT_HOME: home / "prefect"}
        with temporary_settings(here):
            try:
                yield
            finally:
                _send_what_is_queued()
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _send_what_is_queued() -> None:
    """Prefect sends logs and events from threads of its own, which would find the server gone."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogHandler

    APILogHandler().flush()
    EventsWorker.drain_all(timeout=5.0)


def _request(
    method: str, url: str, body: dict[str, Any] | None, auth: str | None, timeout_s: float
) -> tuple[int, bytes]:
    """Status and content. Only ever to this machine: no proxy, no certificates, nothing to import."""
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=timeout_s)
    with contextlib.closing(connection):
        told = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"} if told else {}
        if auth:
            headers["Authorization"] = f"Basic {base64.b64encode(auth.encode()).decode()}"
        connection.request(method, place.path, told, headers)
        reply = connection.getresponse()
        return reply.status, reply.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
