"""Asking for nights, and looking at them: for the command line and the console."""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.schema import NightshiftError, new_id
from core.settings import Settings
from flows.auth import auth_of
from flows.server import ask, prefect_server, running

if TYPE_CHECKING:
    from core.services import Workspace

__all__ = [
    "cancel_night",
    "flow_page",
    "night_flow_states",
    "night_log",
    "one_server_for_nights",
    "reschedule",
    "run_now",
    "start_audit",
    "start_night",
]

PREFIX = "NIGHTSHIFT_"
AT_WORK = ("RUNNING", "PENDING", "CANCELLING", "PAUSED")
LOG_LINES = 200
"Prefect gives out no more at a time."


def run_now(home: Path, environment: str, *, seed: int | None = None, trigger: str = "command line") -> dict[str, Any]:
    """Runs the flow in this process, on the server that is up or else on a temporary one; returns the night's object.

    Raises NightshiftError where the night cannot start or a stage fails; asking again goes on from there.
    """
    with prefect_server(home):
        from flows.nightly import nightly

        night: dict[str, Any] = nightly(environment=environment, seed=seed, home=str(home), trigger=trigger)
        return night


@contextlib.contextmanager
def one_server_for_nights() -> "Iterator[Callable[[Workspace, str, int], dict[str, Any]]]":
    """What runs nights in workspaces opened under settings of their own, all on one temporary server.

    The server starts with the first night.
    """
    with tempfile.TemporaryDirectory(prefix="nightshift-prefect-") as folder, contextlib.ExitStack() as until_the_end:
        api_urls: list[str] = []

        def run_night(ws: "Workspace", environment: str, seed: int) -> dict[str, Any]:
            if not api_urls:
                api_urls.append(until_the_end.enter_context(prefect_server(Path(folder))))
            from flows.nightly import nightly

            with _found_by_others(ws.settings):
                home = str(ws.home)
                night: dict[str, Any] = nightly(environment=environment, seed=seed, home=home, trigger="simulation")
                return night

        yield run_night


@contextlib.contextmanager
def _found_by_others(settings: Settings) -> Iterator[None]:
    """Stages open the workspace anew, and find in the environment what its opener was told."""
    told = settings.model_dump(mode="json", exclude={"home"}, exclude_none=True)
    before = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    wanted = {
        f"{PREFIX}{name.upper()}": value if isinstance(value, str) else json.dumps(value)
        for name, value in told.items()
    }
    for name in before:
        del os.environ[name]
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name in wanted:
            del os.environ[name]
        os.environ.update(before)


def start_night(home: Path, environment: str, trigger: str = "console") -> str:
    """Asks the Nightshift that is up to run a night as soon as it can; returns the id of the flow run.

    Raises NightshiftError where none is up. A night that is asked for while one runs is cancelled.
    """
    return _start(home, f"nightly/{environment}", trigger)


def start_audit(home: Path, environment: str, trigger: str = "console") -> str:
    """The same for an audit of the judges."""
    return _start(home, f"audits/{environment}", trigger)


def _start(home: Path, deployment_name: str, trigger: str) -> str:
    deployment = _ask(home, "GET", f"/deployments/name/{deployment_name}")
    # With the key a request that is repeated because the server was busy asks for one flow run, not for two.
    wanted = {"state": {"type": "SCHEDULED"}, "parameters": {"trigger": trigger}, "idempotency_key": new_id()}
    flow_run: dict[str, Any] = _ask(home, "POST", f"/deployments/{deployment['id']}/create_flow_run", wanted)
    return str(flow_run["id"])


def reschedule(home: Path, environment: str, flow: str, cron: str) -> None:
    """Has the Nightshift that is up run a flow (`nightly`, `audits`) by another cron line from now on.

    Raises NightshiftError where none is up; the next one that is goes by its settings.
    """
    deployment = _ask(home, "GET", f"/deployments/name/{flow}/{environment}")
    for schedule in deployment["schedules"]:
        wanted = {"schedule": {**schedule["schedule"], "cron": cron}}
        _ask(home, "PATCH", f"/deployments/{deployment['id']}/schedules/{schedule['id']}", wanted)


def cancel_night(home: Path, environment: str) -> str:
    """Asks Prefect to end the night that runs or is about to; the flow run. What is done stays, and the next goes on.

    Raises NightshiftError where no Nightshift is up, or no night runs.
    """
    deployment = _ask(home, "GET", f"/deployments/name/nightly/{environment}")
    alive = {
        "deployments": {"id": {"any_": [deployment["id"]]}},
        "flow_runs": {"state": {"type": {"any_": [*AT_WORK, "SCHEDULED"]}}},
        "sort": "EXPECTED_START_TIME_ASC",
    }
    found = _ask(home, "POST", "/flow_runs/filter", alive)
    runs = [each for each in found if each["state"]["type"] in AT_WORK] or [each for each in found if _is_due(each)]
    if not runs:
        raise NightshiftError("no night runs now, so there is none to cancel")
    started = runs[0]["state"]["type"] != "SCHEDULED"
    wanted = {"state": {"type": "CANCELLING" if started else "CANCELLED", "message": "cancelled from the console"}}
    _ask(home, "POST", f"/flow_runs/{runs[0]['id']}/set_state", wanted)
    return str(runs[0]["id"])


def _is_due(flow_run: dict[str, Any]) -> bool:
    """Asked for by a person and not started yet; those of the schedule lie ahead."""
    return not flow_run["auto_scheduled"]


def night_log(home: Path, flow_runs: list[str]) -> list[dict[str, Any]]:
    """The last lines that these flow runs logged, oldest first: when, level, words.

    Raises NightshiftError where no Nightshift is up from this home.
    """
    if not flow_runs:
        return []
    asked = {"logs": {"flow_run_id": {"any_": flow_runs}}, "sort": "TIMESTAMP_DESC", "limit": LOG_LINES}
    found: list[dict[str, Any]] = _ask(home, "POST", "/logs/filter", asked)
    return [{"at": each["timestamp"], "level": each["level"], "message": each["message"]} for each in found[::-1]]


def flow_page(home: Path, flow_run: str) -> str | None:
    """Where Prefect's own page shows a flow run; None where no Nightshift is up."""
    up = running(home)
    return None if up is None else f"{up.prefect_url.rstrip('/')}/runs/flow-run/{flow_run}"


def night_flow_states(home: Path, environment: str, limit: int = 20) -> list[dict[str, Any]]:
    """Nights as Prefect sees them, newest first: flow run, state, when and why. Scheduled ones are left out.

    Raises NightshiftError where no Nightshift is up from this home.
    """
    asked = {
        "flow_runs": {"state": {"type": {"not_any_": ["SCHEDULED"]}}},
        "flows": {"name": {"any_": ["nightly"]}},
        "sort": "EXPECTED_START_TIME_DESC",
        "limit": limit,
    }
    found: list[dict[str, Any]] = _ask(home, "POST", "/flow_runs/filter", asked)
    return [
        {
            "flow_run": each["id"],
            "name": each["name"],
            "state": each["state"]["name"].lower(),
            "message": each["state"].get("message") or "",
            "trigger": each["parameters"].get("trigger", ""),
            "at": each["start_time"] or each["expected_start_time"],
            "seconds": each["total_run_time"],
        }
        for each in found
        if each["parameters"].get("environment", environment) == environment
    ]


def _ask(home: Path, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the server of the Nightshift that is up answers."""
    up = running(home)
    if up is None:
        raise NightshiftError(f"Nightshift is not up from {home}; start it with `nightshift up --home {home}`")
    return ask(method, f"{up.api_url}{path}", body, auth=auth_of(home))
