"""Asking for nights, and looking at them: for the command line and the console."""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.schema import NightshiftError
from core.settings import Settings
from flows.server import ask, prefect_server, running

if TYPE_CHECKING:
    from core.services import Workspace

__all__ = ["night_flow_states", "one_server_for_nights", "run_now", "start_audit", "start_night"]

PREFIX = "NIGHTSHIFT_"


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
    api_url = _api_url(home)
    deployment = ask("GET", f"{api_url}/deployments/name/{deployment_name}")
    wanted = {"state": {"type": "SCHEDULED"}, "parameters": {"trigger": trigger}}
    flow_run: dict[str, Any] = ask("POST", f"{api_url}/deployments/{deployment['id']}/create_flow_run", wanted)
    return str(flow_run["id"])


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
    found: list[dict[str, Any]] = ask("POST", f"{_api_url(home)}/flow_runs/filter", asked)
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


def _api_url(home: Path) -> str:
    up = running(home)
    if up is None:
        raise NightshiftError(f"Nightshift is not up from {home}; start it with `nightshift up --home {home}`")
    return up.api_url
