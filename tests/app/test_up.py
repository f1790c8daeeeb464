"""`nightshift up`: everything starts together, says where it is, and ends together."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from forked import nightshift

from core.store import open_store
from flows.auth import AUTH, AUTH_FILE, auth_of
from flows.client import night_flow_states
from flows.server import ask, running

READY_S = 240.0


class Up:
    """`nightshift up` as a process; `place` is the JSON it printed."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home, self.ports = home, (free_port(), free_port())
        options = ["--home", str(home), "--port", str(self.ports[0]), "--prefect-port", str(self.ports[1]), "--json"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up", *options, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said: list[str] = []
        assert self.process.stdout and self.process.stderr
        self._listening = threading.Thread(target=self.said.extend, args=(self.process.stderr,), daemon=True)
        self._listening.start()
        ready = self.process.stdout.readline()
        assert ready, "".join(self.words())
        self.place: dict[str, Any] = json.loads(ready)
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def words(self) -> str:
        """What it said, once it has ended."""
        self.process.wait(60)
        self._listening.join(60)
        return "".join(self.said)

    def rest_of_output(self) -> str:
        assert self.process.stdout
        return self.process.stdout.read()

    def is_gone(self, within_s: float = 30.0) -> bool:
        """Whether nothing that belongs to it is left."""
        return holds(lambda: not any(is_alive(each) for each in [*self.family, *of_home(self.home)]), within_s)

    def end(self) -> None:
        """Whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.is_gone()


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def of_home(home: Path) -> list[psutil.Process]:
    """Processes that were told of a home, this one's own aside."""
    found = []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), *process.environ().values()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(home) in each for each in told):
            found.append(process)
    return found


def holds(claim: Callable[[], object], within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One that is up, over an empty home."""
    started = Up(tmp_path_factory.mktemp("up"), "--no-samples")
    yield started
    started.end()


def test_console_api_and_prefect_answer_when_it_says_so(up: Up) -> None:
    console, prefect = up.place["console_url"], up.place["prefect_url"]

    assert httpx.get(f"{console}/healthz").is_success
    assert httpx.get(f"{console}/readyz").is_success
    assert "html" in httpx.get(console).headers["content-type"]
    assert httpx.get(f"{prefect}/api/health").is_success
    assert (console, prefect) == tuple(f"http://127.0.0.1:{port}" for port in up.ports)


def test_others_find_it_through_its_home(up: Up) -> None:
    found = running(up.home)

    assert found is not None
    assert json.loads(found.model_dump_json()) == up.place
    assert found.pid == up.process.pid
    assert all(psutil.pid_exists(pid) for pid in found.pids.values())


def test_a_second_one_over_the_same_home_is_refused_and_shown_the_first(up: Up, tmp_path: Path) -> None:
    ended = nightshift(tmp_path, "up", "--home", str(up.home), "--port", str(free_port()), "--json")

    assert ended.status == 1
    assert up.place["console_url"] in ended.answer["error"]


def test_a_night_asked_for_through_prefect_runs(up: Up) -> None:
    prefect = [sys.executable, "-m", "prefect", "deployment", "run", "nightly/screen"]
    environment = {**os.environ, "PREFECT_API_URL": up.place["api_url"], AUTH: auth_of(up.home) or ""}

    asked = subprocess.run(prefect, env=environment, capture_output=True, text=True, check=False)

    assert asked.returncode == 0, asked.stdout + asked.stderr
    assert holds(lambda: [each for each in night_flow_states(up.home, "screen") if each["state"] == "failed"], 120)
    (night,) = night_flow_states(up.home, "screen")
    assert "nothing to learn from" in night["message"]


def test_prefect_tells_nobody_anything_who_does_not_send_what_this_start_made(up: Up) -> None:
    url = f"{up.place['api_url']}/flow_runs/filter"

    assert httpx.post(url, json={}).status_code == 401
    assert httpx.post(url, json={}, auth=("nightshift", "guessed")).status_code == 401
    assert httpx.post(url, json={}, auth=tuple((auth_of(up.home) or "").split(":"))).is_success
    assert (up.home / AUTH_FILE).stat().st_mode & 0o777 == 0o600
    assert (auth_of(up.home) or "").partition(":")[2] not in json.dumps(up.place)


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "http://127.0.0.1:1", "null"])
def test_a_page_from_elsewhere_may_not_ask_prefect(up: Up, origin: str) -> None:
    def allowed(origin: str) -> str | None:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        return httpx.options(f"{up.place['api_url']}/deployments/", headers=asked).headers.get(
            "access-control-allow-origin"
        )

    assert allowed(origin) is None
    assert allowed(up.place["prefect_url"]) == up.place["prefect_url"]


def test_the_nights_to_come_are_on_prefects_calendar(up: Up) -> None:
    def planned() -> list[dict[str, Any]]:
        wanted = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
        found = ask("POST", f"{up.place['api_url']}/flow_runs/filter", wanted, auth=auth_of(up.home))
        return [run for run in found if run["auto_scheduled"]]

    assert holds(planned, 120)
    assert {run["parameters"]["trigger"] for run in planned()} == {"schedule"}


def test_sigterm_ends_all_of_it_within_seconds(up: Up) -> None:
    up.process.send_signal(signal.SIGTERM)

    assert up.process.wait(30) == 0
    assert up.rest_of_output() == ""
    assert "Everything is stopped." in up.words()
    assert up.is_gone(within_s=1.0)
    assert running(up.home) is None
    assert not (up.home / "run" / "server.json").exists()
    assert not (up.home / AUTH_FILE).exists()


def test_an_empty_home_gets_samples_and_nothing_is_left_when_it_is_killed(home: Path) -> None:
    up = Up(home)
    try:
        store = open_store(f"duckdb:///{home / 'nightshift.duckdb'}")
        assert holds(lambda: store.tables()["correction"] and store.tables()["prediction"], READY_S)

        up.process.kill()

        assert up.is_gone()
        assert running(home) is None
    finally:
        up.end()


def test_when_one_of_them_dies_it_says_which_and_ends_the_rest(home: Path) -> None:
    up = Up(home, "--no-samples")
    try:
        (console,) = (each for each in up.family if each.cmdline()[1:3] == ["-m", "app.attended"])
        console.kill()

        assert up.process.wait(60) == 1
        assert "the console ended with status 137" in up.words()
        assert str(home / "logs" / "console.log") in up.words()
        assert up.rest_of_output() == ""
        assert up.is_gone(within_s=1.0)
    finally:
        up.end()


@pytest.mark.parametrize(("option", "setting"), [("--port", "serve.port"), ("--prefect-port", "serve.prefect_port")])
def test_a_port_in_use_is_one_line_that_names_it_and_what_to_do(
    home: Path, tmp_path: Path, option: str, setting: str
) -> None:
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        free.bind(("127.0.0.1", 0))
        ports = {"--port": str(free.getsockname()[1]), option: str(port)}
        free.close()

        ended = nightshift(tmp_path, "up", "--home", str(home), *itertools.chain(*ports.items()), "--json")

    assert ended.status == 1
    assert ended.err.count("\n") == 1
    assert all(word in ended.answer["error"] for word in (f"port {port}", "in use", option, setting))


def test_an_address_that_others_can_reach_is_refused(home: Path, tmp_path: Path) -> None:
    ended = nightshift(tmp_path, "up", "--home", str(home), "--host", "0.0.0.0", "--json")

    assert ended.status == 1
    assert "0.0.0.0" in ended.answer["error"]
    assert list(home.iterdir()) == []


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    ended = nightshift(tmp_path, "up", "--home", str(tmp_path / "file" / "home"), "--json")

    assert ended.status == 1
    assert "cannot write to the home" in ended.answer["error"]
