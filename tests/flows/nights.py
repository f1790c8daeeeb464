"""Nights run as a person runs them, some of which die; and what is compared of two that should be the same."""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from core.learning.steps import read_steps
from core.schema import Checkpoint, DatasetVersion, Decision, Judgment, Promotion, Record, Release, StageResult, Variant
from core.store import Store, open_store


def run_night(home: str, environment: str, seed: int) -> None:
    """The command `nightshift nightly`."""
    from app.cli import main

    sys.argv = ["nightshift", "nightly", "--environment", environment, "--seed", str(seed), "--home", home, "--json"]
    main()


def run_night_that_dies(home: str, environment: str, seed: int, stage: str) -> None:
    """The same, but SIGKILLed inside `stage`: in the midst of training, else with all but the last write done."""
    if stage == "train":
        threading.Thread(target=_die_in_training, args=(Path(home),), daemon=True).start()
    add = Store.add

    def add_or_die(store: Store, *records: Record) -> int:
        if any(isinstance(record, StageResult) and record.stage == stage for record in records):
            _die()
        return add(store, *records)

    Store.add = add_or_die  # type: ignore[method-assign]
    run_night(home, environment, seed)


def _die_in_training(home: Path) -> None:
    while not any(read_steps(job.with_name("training")) for job in home.glob("runs/*/training.job.json")):
        time.sleep(0.005)
    _die()


def _die() -> None:
    os.killpg(os.getpid(), signal.SIGKILL)


def store_of(home: Path) -> Store:
    return open_store(f"duckdb:///{home / 'nightshift.duckdb'}")


def stages_done(home: Path) -> list[str]:
    """In the order in which they were done."""
    return [done.stage for done in store_of(home).find(StageResult)]


def outcome(home: Path, environment: str) -> dict[str, Any]:
    """All of a night that follows from its data, its seed and its settings."""
    store = store_of(home)
    champions = {kind.kind: sorted(each.id for each in store.find(kind)) for kind in CONTENT_HASHED}
    decisions = [
        {
            "champion": decision.champion,
            "challenger": decision.challenger,
            "outcome": decision.outcome,
            "reason": decision.reason,
            "gates": [gate.model_dump() for gate in decision.gates if "latency" not in gate.name],
        }
        for decision in store.find(Decision)
    ]
    promoted = [(change.action, change.release, change.previous) for change in store.find(Promotion)]
    return {**champions, "decisions": decisions, "promoted": promoted, "champion": store.champion(environment)}


CONTENT_HASHED = (Checkpoint, DatasetVersion, Judgment, Release, Variant)
