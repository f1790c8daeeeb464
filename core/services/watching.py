"""One night as a person watches it: where it is, what each stage left, what it spent, what came of it."""

from typing import Any, NamedTuple

from core.schema import Decision, NightshiftError, Run, StageResult
from core.services.metrics.taught import Taught, taught_by
from core.services.night import STAGES, training_steps
from core.services.night.record import ABANDONED, TRAINING, night_summary
from core.services.workspace import Workspace

__all__ = ["NightFacts", "night_facts"]


class NightFacts(NamedTuple):
    """What there is to see of a night so far."""

    run: Run
    summary: dict[str, Any]
    "State, stage at work, outcome, seconds by stage: as in the list of nights."
    results: dict[str, dict[str, Any]]
    "Of each finished stage, what it left."
    steps: list[dict[str, Any]]
    "Figures of every optimiser step so far."
    decision: Decision | None
    taught: Taught | None


def night_facts(ws: Workspace, environment: str, run_id: str | None = None) -> NightFacts | None:
    """A night, by default the newest; None before the first. Raises NightshiftError for an id that is no night's."""
    run = _newest(ws, environment) if run_id is None else ws.store.get(Run, run_id)
    if run is None and run_id is None:
        return None
    if run is None or run.environment != environment or run.trigger == TRAINING:
        raise NightshiftError(f"there was no night {run_id!r} here; choose one from the list of nights")
    done = {each.stage: each for each in ws.store.find(StageResult, run=run.id, stage=[*STAGES, ABANDONED])}
    decisions = ws.store.find(Decision, run=run.id)
    decision = decisions[-1] if decisions else None
    return NightFacts(
        run=run,
        summary=night_summary(run, done),
        results={name: dict(each.result) for name, each in done.items()},
        steps=training_steps(ws, run.id),
        decision=decision,
        taught=taught_by(ws, decision) if decision is not None else None,
    )


def _newest(ws: Workspace, environment: str) -> Run | None:
    found = ws.store.find(Run, environment=environment, newest_first=True, limit=20)
    return next((run for run in found if run.trigger != TRAINING), None)
