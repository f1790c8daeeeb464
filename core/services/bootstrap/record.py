"""What a bootstrap leaves in the store and in its folder: how far it is, so that one that was killed goes on."""

import json
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import JsonValue, ValidationError

from core.disk import whole_lines, write_through
from core.schema import NightshiftError, Run, StageResult, new_id
from core.services.night.record import BOOTSTRAP, LIBRARIES, stage_id, stage_result
from core.services.workspace import Workspace
from core.settings import BootstrapSettings
from core.store import Lease

__all__ = ["STAGES", "Ledger", "Told", "begin_bootstrap", "bootstrap_progress", "once", "stage_of"]

STAGES = ("pictures", "captions", "questions", "judge", "select", "card")
PROGRESS = "progress.json"
Told = Callable[[int, int], None]


def begin_bootstrap(
    ws: Workspace, environment: str, source: str, seed: int, wanted: Mapping[str, Any] | None = None
) -> Run:
    """The bootstrap that was begun with the same source, seed and settings and is not over; else a new one.

    `wanted` is what the settings `bootstrap.*` are to be otherwise. Raises NightshiftError where that is wrong, where
    pictures may not be looked at, and for an environment that is not one of screens.
    """
    if environment != "screen":
        raise NightshiftError(f"bootstrap makes descriptions of work for screens; environment {environment!r} has none")
    if ws.settings.reading.privacy == "ui_text":
        raise NightshiftError(
            "bootstrap describes whole pictures, and reading.privacy 'ui_text' keeps all but titles and the text of "
            "the user interface to itself; set it to 'full' in a home of its own"
        )
    told = ws.settings
    try:
        settings = BootstrapSettings.model_validate({**told.bootstrap.model_dump(mode="json"), **(wanted or {})})
    except ValidationError as error:
        first = error.errors()[0]
        raise NightshiftError(f"bootstrap.{first['loc'][0]} {first['input']!r}: {first['msg']}") from error
    config: dict[str, JsonValue] = {
        "source": source,
        "bootstrap": settings.model_dump(mode="json"),
        "judge": told.judge,
        "judging": told.judging.model_dump(mode="json"),
        "judges": {name: own.model_dump(mode="json") for name, own in told.judges.items()},
        "golden_share": told.gate.golden_share,
    }
    for run in ws.store.find(Run, environment=environment, newest_first=True):
        same = run.trigger == BOOTSTRAP and run.seed == seed and run.config == config
        if same and stage_result(ws, run.id, STAGES[-1]) is None:
            return run
    run = Run(
        id=new_id(),
        environment=environment,
        seed=seed,
        config=config,
        versions={library: version(library) for library in LIBRARIES},
        trigger=BOOTSTRAP,
    )
    ws.store.add(run)
    return run


def once(
    ws: Workspace, run: Run, lease: Lease, name: str, work: Callable[[Told], dict[str, JsonValue]]
) -> dict[str, Any]:
    """Does a stage that is not done, under the lease, and keeps what it comes to; `work` tells how far it is."""
    done = stage_result(ws, run.id, name)
    if done is not None:
        return done.result
    ws.store.check_token(lease.name, lease.token)
    began = time.perf_counter()
    ws.run_dir(run.id).mkdir(parents=True, exist_ok=True)
    result = work(_teller(ws.run_dir(run.id) / PROGRESS, name))
    ws.store.check_token(lease.name, lease.token)
    seconds = round(time.perf_counter() - began, 2)
    ws.store.add(StageResult(id=stage_id(run.id, name), run=run.id, stage=name, result=result, seconds=seconds))
    return result


def stage_of(ws: Workspace, run: Run, name: str) -> dict[str, Any]:
    """What a stage that must be done by now came to."""
    done = stage_result(ws, run.id, name)
    if done is None:
        raise NightshiftError(f"stage {name!r} of bootstrap {run.id[:12]} has not run; they run in their order")
    return done.result


def bootstrap_progress(ws: Workspace) -> tuple[str, int, int] | None:
    """Stage of the newest bootstrap, and how much of how much of it is done; None before there is one."""
    runs = ws.store.find(Run, environment="screen", newest_first=True, limit=5)
    newest = next((run for run in runs if run.trigger == BOOTSTRAP), None)
    if newest is None:
        return None
    try:
        told = json.loads((ws.run_dir(newest.id) / PROGRESS).read_text())
        return str(told["stage"]), int(told["done"]), int(told["total"])
    except (OSError, ValueError, KeyError):
        return None


def _teller(path: Path, stage: str) -> Told:
    def told(done: int, total: int) -> None:
        aside = path.with_suffix(".partial")
        aside.write_text(json.dumps({"stage": stage, "done": done, "total": total}))
        aside.replace(path)

    told(0, 0)
    return told


class Ledger:
    """A file of one JSON object a line, added to as work gets done; a line that was cut off does not count.

    Where what a line was about has been erased, it is empty.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: list[dict[str, Any]] = list(whole_lines(path))
        text = "".join(f"{json.dumps(entry)}\n" for entry in self.entries)
        aside = path.with_suffix(".partial")
        aside.write_text(text)
        write_through(aside)
        aside.replace(path)

    @property
    def whole(self) -> list[dict[str, Any]]:
        """The lines that nothing was erased of."""
        return [entry for entry in self.entries if entry]

    @property
    def place(self) -> int:
        """Up to where a source was looked at, as the lines say. One that was erased counts as the next place: between
        it and the line before it there was nothing that is still there."""
        place = 0
        for entry in self.entries:
            place = entry.get("place", place + 1)
        return place

    def add(self, entry: dict[str, Any]) -> None:
        """Adds a line; it is there for whoever opens the ledger after this."""
        with self._path.open("a") as file:
            file.write(f"{json.dumps(entry)}\n")
        self.entries.append(entry)
