"""The served deployments: when nights run, one at a time, and what is cleared away after a crash."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.schema import NightshiftError
from core.settings import load_settings
from flows.auth import AUTH
from flows.automations import ALIVE, watch_heartbeats
from flows.bootstrap import bootstrap
from flows.schedule import READY, clear_what_died, deployments, time_zone
from flows.server import ask, last_lines, prefect_environment, stop
from flows.tether import start_tethered

ROOT = Path(__file__).parents[2]


@pytest.fixture
def registered(home: Path, api_url: str) -> dict[str, Any]:
    """The deployment of a home as Prefect knows it; nobody serves it."""
    (home / "nightshift.toml").write_text('[night]\nschedule = "30 1 * * 1-5"\n')
    for deployment in deployments(load_settings(home)):
        deployment.apply()
    return known(api_url)


def known(api_url: str) -> dict[str, Any]:
    deployment: dict[str, Any] = ask("GET", f"{api_url}/deployments/name/nightly/screen")
    return deployment


def runs(api_url: str, deployment: str, *states: str) -> list[dict[str, Any]]:
    wanted = {
        "deployments": {"id": {"any_": [deployment]}},
        "flow_runs": {"state": {"type": {"any_": list(states)}}} if states else {},
    }
    found: list[dict[str, Any]] = ask("POST", f"{api_url}/flow_runs/filter", wanted)
    return found


def start_run(api_url: str, deployment: str) -> str:
    run = ask("POST", f"{api_url}/deployments/{deployment}/create_flow_run", {"state": {"type": "SCHEDULED"}})
    return str(run["id"])


def propose(api_url: str, run: str, state: str) -> str:
    answer = ask("POST", f"{api_url}/flow_runs/{run}/set_state", {"state": {"type": state}})
    return str(answer["state"]["type"])


def test_every_environment_that_is_served_has_nights(home: Path) -> None:
    both = load_settings(home, environments=("screen", "group_qc"))
    assert {each.name for each in deployments(both)} == {"screen", "group_qc"}


def test_a_deployment_follows_the_settings_in_local_time_one_run_at_a_time(
    registered: dict[str, Any], home: Path
) -> None:
    (schedule,) = registered["schedules"]

    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("30 1 * * 1-5", time_zone())
    assert schedule["parameters"] == {"trigger": "schedule"}
    assert registered["parameters"] == {"environment": "screen", "home": str(home)}
    assert registered["global_concurrency_limit"]["limit"] == 1
    assert registered["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"


def test_the_file_for_workers_says_the_same_as_what_is_served(registered: dict[str, Any], api_url: str) -> None:
    file = yaml.safe_load((ROOT / "prefect.yaml").read_text())
    deployment, audit, first_model = file["deployments"]
    served_audit = ask("GET", f"{api_url}/deployments/name/audits/screen")

    assert deployment["name"] == registered["name"]
    assert deployment["entrypoint"] == registered["entrypoint"]
    assert audit["entrypoint"] == served_audit["entrypoint"]
    assert first_model["entrypoint"] == f"{bootstrap.__module__}.{bootstrap.fn.__name__}"
    assert "schedules" not in first_model, "somebody asks for it, and says where the pictures are"
    assert audit["schedules"][0]["cron"] == load_settings(Path("/nowhere")).audits.schedule
    assert deployment["concurrency_limit"]["limit"] == registered["global_concurrency_limit"]["limit"]
    assert deployment["concurrency_limit"]["collision_strategy"] == "CANCEL_NEW"
    assert deployment["schedules"][0]["cron"] == load_settings(Path("/nowhere")).night.schedule


def test_a_worker_anywhere_runs_what_the_file_for_workers_deploys(api_url: str, home: Path, tmp_path: Path) -> None:
    def prefect(*arguments: str, directory: Path = tmp_path) -> None:
        environment = {**os.environ, "NIGHTSHIFT_HOME": str(home)}
        ended = subprocess.run(
            [sys.executable, "-m", "prefect", *arguments],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr

    prefect("work-pool", "create", "nightshift", "--type", "process")
    prefect("--no-prompt", "deploy", "--all", directory=ROOT)
    run = start_run(api_url, known(api_url)["id"])
    prefect("worker", "start", "--pool", "nightshift", "--run-once")

    state = ask("GET", f"{api_url}/flow_runs/{run}")["state"]
    assert state["type"] == "FAILED"
    assert "nothing to learn from" in state["message"]


@pytest.mark.parametrize("section", ["night", "audits"])
def test_a_schedule_that_is_not_one_is_refused_with_its_setting(home: Path, section: str) -> None:
    (home / "nightshift.toml").write_text(f'[{section}]\nschedule = "at night"\n')

    with pytest.raises(NightshiftError, match=rf"{section}\.schedule.*'at night'"):
        deployments(load_settings(home))


def test_a_second_night_is_cancelled_while_one_runs_and_not_after_a_crash_was_cleared(
    registered: dict[str, Any], api_url: str
) -> None:
    deployment = registered["id"]
    first, second = start_run(api_url, deployment), start_run(api_url, deployment)
    assert propose(api_url, first, "PENDING") == "PENDING"
    assert propose(api_url, first, "RUNNING") == "RUNNING"
    assert propose(api_url, second, "PENDING") == "CANCELLED"

    clear_what_died(api_url, "screen")

    assert [run["id"] for run in runs(api_url, deployment, "CRASHED")] == [first]
    assert known(api_url)["global_concurrency_limit"]["active_slots"] == 0
    assert propose(api_url, start_run(api_url, deployment), "PENDING") == "PENDING"
    clear_what_died(api_url, "screen")


def test_a_night_that_was_missed_is_not_made_up_for(registered: dict[str, Any], api_url: str) -> None:
    body = {"state": {"type": "SCHEDULED", "state_details": {"scheduled_time": "2026-01-01T02:00:00Z"}}}
    missed = ask("POST", f"{api_url}/deployments/{registered['id']}/create_flow_run", body)["id"]

    clear_what_died(api_url, "screen")

    assert missed in [run["id"] for run in runs(api_url, registered["id"], "CANCELLED")]


def test_runs_that_fall_silent_are_watched_for_once(api_url: str) -> None:
    watch_heartbeats(api_url)
    watch_heartbeats(api_url)

    watching = ask("POST", f"{api_url}/automations/filter", {"automations": {"name": {"any_": [ALIVE]}}})
    assert len(watching) == 1 and watching[0]["enabled"]


@pytest.fixture
def served(home: Path, api_url: str) -> Iterator[Path]:
    """A home whose nights are served on the shared server."""
    (home / "run").mkdir()
    with (home / "flows.log").open("wb") as log:
        env = prefect_environment(home, api_url, os.environ[AUTH])
        process = start_tethered([sys.executable, "-m", "flows.schedule", str(home)], log=log, env=env)
    try:
        eventually(lambda: (home / READY).exists() or process.poll() is not None)
        assert process.poll() is None, last_lines(home / "flows.log", 40)
        yield home
    finally:
        stop(process)


def eventually(holds: Callable[[], object], within_s: float = 120.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"not so after {within_s:g} s"
        time.sleep(0.2)


@pytest.mark.usefixtures("served")
def test_what_is_asked_for_is_run_and_a_night_without_feedback_fails_with_one_clear_message(api_url: str) -> None:
    deployment = known(api_url)["id"]

    run = start_run(api_url, deployment)
    eventually(lambda: ask("GET", f"{api_url}/flow_runs/{run}")["state"]["type"] in ("FAILED", "CRASHED"))

    ended = ask("GET", f"{api_url}/flow_runs/{run}")
    assert ended["name"] == "screen, by request"
    assert ended["state"]["type"] == "FAILED"
    assert "nothing to learn from" in ended["state"]["message"]
