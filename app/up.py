"""`nightshift up`: a Prefect server, the served nights, and the console with the API, together until Ctrl-C.

Nothing is restarted silently: when one of them ends, the others are stopped and the reason is shown.
"""

import contextlib
import errno
import fcntl
import os
import shlex
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psutil

from app.children import Child, stop_all
from app.guard import require_reach
from app.terminal import Answer, Terminal
from core.access import has_users
from core.schema import Media, NightshiftError
from core.settings import ServeSettings, Settings, load_settings
from core.store import open_store
from flows.auth import AUTH, AUTH_FILE, keep_auth, new_auth
from flows.schedule import READY
from flows.server import Running, answers, prefect_environment, running, server_command

__all__ = ["Wanted", "up"]

LOOPBACK = "127.0.0.1"
START_S = 240.0
LOOK_S = 0.2
NEEDED_MB = 500


@dataclass(frozen=True)
class Wanted:
    """What the command line said beside the settings."""

    host: str | None = None
    port: int | None = None
    prefect_port: int | None = None
    samples: bool | None = None


class Stopped(Exception):
    """Somebody asked for the end."""


def up(home: Path | None, wanted: Wanted, terminal: Terminal) -> Answer | None:
    """Runs until it is told to stop, or something it started ends.

    Raises NightshiftError where it cannot start: a port in use, no disk, a home that cannot be opened, or one that is
    up already; and where one of its processes ended.
    """
    settings = _settings(home, wanted)
    require_reach(settings.serve.host, settings.access, has_users=has_users(settings))
    _check_home(settings.home)
    with _alone(settings.home):
        # The store first: what is wrong with it is no better with another port.
        is_empty = not open_store(settings.store_url).count(Media)
        _check_ports(settings.serve)
        children = _children(settings)
        samples = _samples(settings) if is_empty and _wants_samples(settings, wanted, terminal) else None
        try:
            with _stoppable():
                began = time.monotonic()
                _start(children, terminal)
                place = _place(settings, children)
                place.write()
                _say_what_runs(settings, place, time.monotonic() - began, terminal)
                _attend(children, samples, terminal)
        except Stopped:
            terminal.tell("Stopping ...")
        finally:
            for file in (Running.file(settings.home), settings.home / AUTH_FILE):
                file.unlink(missing_ok=True)
            _stop([*children, samples] if samples else children)
    terminal.tell("Everything is stopped.")
    return None


def _settings(home: Path | None, wanted: Wanted) -> Settings:
    told = {"host": wanted.host, "port": wanted.port, "prefect_port": wanted.prefect_port}
    return load_settings(home, serve={name: value for name, value in told.items() if value is not None})


def _check_home(home: Path) -> None:
    try:
        for folder in ("run", "logs"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise NightshiftError(f"cannot write to the home {home}: {error.strerror}; name another with --home") from error
    free_mb = shutil.disk_usage(home).free // 2**20
    if free_mb < NEEDED_MB:
        raise NightshiftError(
            f"{free_mb} MB free on the disk of {home}; at least {NEEDED_MB} MB are needed. Make room, or name another "
            "place with --home"
        )


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    with (home / "run" / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            there = running(home)
            where = f": {there.console_url} (process {there.pid})" if there else ", and is just starting or stopping"
            raise NightshiftError(f"Nightshift is up from {home} already{where}") from None
        yield


def _check_ports(serve: ServeSettings) -> None:
    if serve.port == serve.prefect_port:
        raise NightshiftError(f"the console and the Prefect server cannot share port {serve.port}; change --port")
    _check_port(serve.host, serve.port, "--port", "serve.port")
    _check_port(LOOPBACK, serve.prefect_port, "--prefect-port", "serve.prefect_port")


def _check_port(host: str, port: int, option: str, setting: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host.strip("[]"), port))
    except (OSError, OverflowError) as error:
        why = "in use" if isinstance(error, OSError) and error.errno == errno.EADDRINUSE else f"not to be had: {error}"
        raise NightshiftError(
            f"port {port} on {host} is {why}; choose another with {option} (or {setting} in nightshift.toml)"
        ) from None


def _wants_samples(settings: Settings, wanted: Wanted, terminal: Terminal) -> bool:
    if wanted.samples is not None or not terminal.is_interactive:
        return wanted.samples is not False
    terminal.tell(f"{settings.home} is empty. Load a small sample workspace of drawn screens? [Y/n]")
    return sys.stdin.readline().strip().lower() not in ("n", "no")


def _children(settings: Settings) -> list[Child]:
    home, logs = settings.home, settings.home / "logs"
    auth = new_auth()
    keep_auth(home, auth)
    prefect = prefect_environment(home, _api_url(settings), auth)
    ready = home / READY
    ready.unlink(missing_ok=True)
    return [
        Child(
            "the Prefect server",
            server_command(LOOPBACK, settings.serve.prefect_port),
            logs / "prefect.log",
            prefect,
            lambda: answers(f"{_api_url(settings)}/health"),
        ),
        Child(
            "the nightly flow",
            [sys.executable, "-m", "flows.schedule", str(home)],
            logs / "flows.log",
            prefect,
            ready.exists,
        ),
        Child(
            "the console",
            [sys.executable, "-m", "app.attended", str(home), settings.serve.host, str(settings.serve.port)],
            logs / "console.log",
            is_ready=lambda: answers(f"{_console_url(settings)}/readyz"),
        ),
    ]


def _samples(settings: Settings) -> Child:
    command = [sys.executable, "-m", "app.samples", str(settings.home)]
    return Child("the loading of samples", command, settings.home / "logs" / "samples.log")


def _start(children: Sequence[Child], terminal: Terminal) -> None:
    began = time.monotonic()
    for child in children:
        child.start()
    waiting = list(children)
    while waiting:
        _refuse_dead(children)
        for child in [child for child in waiting if child.is_ready()]:
            waiting.remove(child)
            terminal.tell(f"  {child.name} is ready ({time.monotonic() - began:.1f} s)")
        if time.monotonic() - began > START_S:
            names = ", ".join(child.name for child in waiting)
            raise NightshiftError(f"not ready after {START_S:g} s: {names}; see {children[0].log.parent}")
        time.sleep(LOOK_S)


def _attend(children: Sequence[Child], samples: Child | None, terminal: Terminal) -> None:
    if samples is not None:
        samples.start()
    while True:
        _refuse_dead(children)
        if samples is not None and samples.status is not None:
            terminal.tell("The sample screens are in." if samples.status == 0 else samples.last_words())
            samples = None
        time.sleep(LOOK_S)


def _refuse_dead(children: Sequence[Child]) -> None:
    for child in children:
        if child.status is not None:
            raise NightshiftError(child.last_words())


def _stop(children: Sequence[Child]) -> None:
    """The Prefect server goes last, so that the others can still tell it how they ended."""
    server, *others = children
    stop_all(others)
    stop_all([server])


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    for number in signals:
        signal.signal(number, stop)
    yield


def _place(settings: Settings, children: Sequence[Child]) -> Running:
    names = ("prefect", "flows", "console")
    return Running(
        pid=os.getpid(),
        started=psutil.Process().create_time(),
        home=settings.home,
        console_url=_console_url(settings),
        prefect_url=_api_url(settings).removesuffix("/api"),
        api_url=_api_url(settings),
        ports={"console": settings.serve.port, "prefect": settings.serve.prefect_port},
        pids={name: child.pid for name, child in zip(names, children, strict=True) if child.pid is not None},
        logs=settings.home / "logs",
    )


def _say_what_runs(settings: Settings, place: Running, seconds: float, terminal: Terminal) -> None:
    if terminal.as_json:
        terminal.print_json(place.model_dump(mode="json"))
    prefect = Path(sys.executable).with_name("prefect")
    auth = shlex.quote(str(settings.home / AUTH_FILE))
    for line in (
        f"Nightshift is up ({seconds:.1f} s).",
        f"  Console      {place.console_url}  classify, review, models",
        f"  API          {place.console_url}/v1/screen/predictions, described in {place.console_url}/v1/openapi.json",
        f"  Nights       {place.prefect_url}  nightly/screen at {settings.night.schedule!r} (cron, local time), "
        f"and after {settings.night.after_corrections} corrections",
        f"               its pages ask once for what this file holds: {auth}",
        f"  A night now  export PREFECT_API_URL={place.api_url} {AUTH}=$(cat {auth}); {prefect} deployment run "
        "nightly/screen",
        f"  Data, logs   {settings.home}, {place.logs}",
        "Ctrl-C stops all of it.",
    ):
        terminal.tell(line)


def _api_url(settings: Settings) -> str:
    return f"http://{LOOPBACK}:{settings.serve.prefect_port}/api"


def _console_url(settings: Settings) -> str:
    host = settings.serve.host
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.serve.port}"
