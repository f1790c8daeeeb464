"""The night: `nightly`, and how a night in progress is shown."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.commands import opened
from app.terminal import Answer, Progress, Terminal
from core.access import entry
from core.schema import NightshiftError
from core.services import Workspace, nights
from flows.client import run_now

__all__ = ["nightly", "show_night", "watched", "without_prefect_logs"]

USUAL_S = {
    "retention": 1.0,
    "ingest": 1.0,
    "variants": 20.0,
    "judge": 5.0,
    "train": 60.0,
    "evaluate": 5.0,
    "gate": 1.0,
    "frozen": 2.0,
    "promote": 1.0,
    "report": 1.0,
}
"""What each stage takes of a night, in the order of the stages, until a night of this home has shown it."""

LOOK_S = 1.0


def nightly(terminal: Terminal, home: Path | None, environment: str, seed: int | None) -> Answer:
    """Runs the flow now. Raises NightshiftError where it cannot start or fails; asking again goes on from there."""
    ws = opened(home, environment)
    without_prefect_logs()
    ws.store.add(entry("night.asked", environment))
    with terminal.progress("the night") as progress, watched(ws, progress, terminal, environment):
        night = run_now(ws.home, environment, seed=seed)
    return Answer(night, partial(show_night, night))


def without_prefect_logs() -> None:
    """Prefect keeps its logs for its own pages; the terminal shows the progress. To be called before it is imported."""
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")


@contextlib.contextmanager
def watched(ws: Workspace, progress: Progress, terminal: Terminal, environment: str) -> Iterator[None]:
    """Tells how far the night of this home is, in seconds of those it is likely to take."""
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(ws, progress, terminal, environment, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(ws: Workspace, progress: Progress, terminal: Terminal, environment: str, over: threading.Event) -> None:
    usual: Mapping[str, float] = USUAL_S
    stage, since = "", time.monotonic()
    while not over.wait(LOOK_S):
        with contextlib.suppress(NightshiftError):
            known = nights(ws, environment, 5)
            usual = next((night["seconds"] for night in known if night["state"] == "finished"), usual)
            if not known or known[0]["state"] != "running":
                continue
            if known[0]["stage"] != stage:
                stage, since = known[0]["stage"], time.monotonic()
                if not terminal.error.is_terminal:
                    terminal.error.print(f"the night is in {stage!r}")
            in_stage = min(time.monotonic() - since, usual.get(stage, 1.0))
            done = sum(usual.get(name, 1.0) for name in known[0]["seconds"]) + in_stage
            progress(round(done), round(sum(usual.values())))


def show_night(night: dict[str, Any], console: Console) -> None:
    """What a night came to, for a person."""
    console.print(f"[bold]{night['outcome']}[/bold]: {night.get('reason', '')}")
    console.print(
        f"{night['ingested']} new words, {night['variants']} variants, {night['judged']} judged, "
        f"{night['steps']} steps, challenger {night['challenger'][:12]}"
    )
    if meanwhile := night.get("entered_while_training"):
        console.print(f"{meanwhile} more entered while it trained")
    for remark in night["remarks"]:
        console.print(remark)
    table = Table("gate", "value", "bound", "passed", "note")
    for gate in night["gates"]:
        passed = {True: "yes", False: "NO", None: "-"}[gate["passed"]]
        table.add_row(gate["name"], _figure(gate["value"]), _figure(gate["bound"]), passed, gate["note"])
    console.print(table)
    console.print(", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in night["seconds"].items()))


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
