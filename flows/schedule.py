"""Serves the flows of a home: `python -m flows.schedule HOME`, with PREFECT_API_URL saying which server.

Each environment has a deployment `nightly/<environment>`: on its schedule, on request, and after enough new
corrections, one run at a time; and a deployment `audits/<environment>`, on a schedule of its own and on request. Runs
are processes of their own, started from here.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import psutil

from core.schema import NightshiftError, now
from core.settings import Settings, load_settings
from flows.automations import set_up
from flows.courier import start_courier
from flows.server import answers, ask

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

__all__ = ["READY", "deployments", "serve", "time_zone"]

READY = Path("run") / "flows.ready"
"""In the home: made when the deployments are served."""

FLOWS = ("nightly", "audits")
POLL_S = 2.0
SERVER_S = 120.0
STOP_S = 3.0
LATE = timedelta(minutes=1)


def serve(home: Path) -> None:
    """Serves until it is told to stop. Raises NightshiftError where the schedule or the server is not right."""
    settings = load_settings(home)
    api_url = os.environ["PREFECT_API_URL"]
    offered = deployments(settings)
    _await_server(api_url)
    from prefect.runner import Runner

    class Nights(Runner):
        def handle_sigterm(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
            end_nights(api_url, settings.environments)
            os._exit(0)

    runner = Nights(name="nightshift", query_seconds=POLL_S, pause_on_shutdown=False)
    for each in offered:
        runner.add_deployment(each)
    for flow in FLOWS:
        for environment in settings.environments:
            clear_what_died(api_url, environment, flow)
    set_up(api_url, settings.notices)
    start_courier(settings, settings.environments)
    (settings.home / READY).touch()
    asyncio.run(runner.start())


def deployments(settings: Settings) -> "list[RunnerDeployment]":
    """The deployments of each environment. Raises NightshiftError for a schedule that is not one."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.types.entrypoint import EntrypointType

    from flows.audits import audits
    from flows.nightly import nightly

    schedules = {
        "nightly": _schedule("night.schedule", settings.night.schedule, "every-night"),
        "audits": _schedule("audits.schedule", settings.audits.schedule, "every-audit"),
    }

    def offer(flow: Any, environment: str) -> "RunnerDeployment":
        deployment = flow.to_deployment(
            name=environment,
            schedule=schedules[flow.name],
            parameters={"environment": environment, "home": str(settings.home)},
            concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW),
            description=flow.description,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        return cast("RunnerDeployment", deployment)

    scheduled = [offer(flow, environment) for environment in settings.environments for flow in (nightly, audits)]
    return [*scheduled, *(_approval(settings.home, environment) for environment in settings.environments)]


def _schedule(setting: str, line: str, slug: str) -> Any:
    from prefect.schedules import Cron

    try:
        return Cron(line, timezone=time_zone(), slug=slug, parameters={"trigger": "schedule"})
    except ValueError as error:
        raise NightshiftError(f"setting {setting!r}: {line!r} is not a cron line: {error}") from error


def _approval(home: Path, environment: str) -> "RunnerDeployment":
    """The flow with which a person approves or rejects a challenger on Prefect's page."""
    from prefect.types.entrypoint import EntrypointType

    from flows.approval import approval

    deployment = approval.to_deployment(
        name=environment,
        parameters={"environment": environment, "home": str(home)},
        description=approval.description,
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    return cast("RunnerDeployment", deployment)


def end_nights(api_url: str, environments: Sequence[str]) -> None:
    """Lets a running night end by itself. Prefect's own way is to kill it, which leaves its lease behind."""
    runs = psutil.Process().children()
    for run in runs:
        run.terminate()
    psutil.wait_procs(runs, timeout=STOP_S)
    with contextlib.suppress(NightshiftError):
        for flow in FLOWS:
            for environment in environments:
                clear_what_died(api_url, environment, flow)


def time_zone() -> str:
    """The IANA name of this machine's time zone, UTC where it has none."""
    zone_info = "/zoneinfo/"
    link = str(Path("/etc/localtime").resolve())
    return os.environ.get("TZ", "").lstrip(":") or (link.split(zone_info, 1)[1] if zone_info in link else "UTC")


def clear_what_died(api_url: str, environment: str, flow: str = "nightly") -> None:
    """Ends what Prefect still thinks is running of a Nightshift that was killed, and nights that were missed.

    Called before anything is served, when no run of this deployment can be alive.
    """
    deployment = ask("GET", f"{api_url}/deployments/name/{flow}/{environment}")
    of_it = {"deployments": {"id": {"any_": [deployment["id"]]}}}
    died = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
    for run in ask("POST", f"{api_url}/flow_runs/filter", {**of_it, "flow_runs": died}):
        _end(api_url, run, "CRASHED", "Nightshift ended while this night ran; the next one goes on from there")
    missed = {
        "state": {"type": {"any_": ["SCHEDULED"]}},
        "expected_start_time": {"before_": (now() - LATE).isoformat()},
    }
    for run in ask("POST", f"{api_url}/flow_runs/filter", {**of_it, "flow_runs": missed}):
        _end(api_url, run, "CANCELLED", "Nightshift was not up at that time")
    limit = deployment.get("global_concurrency_limit")
    if limit and limit["active_slots"]:
        ask("PATCH", f"{api_url}/v2/concurrency_limits/{limit['id']}", {"active_slots": 0})


def _end(api_url: str, run: dict[str, Any], state: str, why: str) -> None:
    wanted = {"state": {"type": state, "message": why}, "force": True}
    ask("POST", f"{api_url}/flow_runs/{run['id']}/set_state", wanted)


def _await_server(api_url: str) -> None:
    deadline = time.monotonic() + SERVER_S
    while not answers(f"{api_url}/health"):
        if time.monotonic() > deadline:
            raise NightshiftError(f"the Prefect server at {api_url} did not answer within {SERVER_S:g} s")
        time.sleep(0.2)


def main(arguments: list[str]) -> int:
    """Serves the home `arguments[0]`."""
    try:
        serve(Path(arguments[0]))
    except NightshiftError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
