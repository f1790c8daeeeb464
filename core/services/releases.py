"""Every release there is: how it stands, whether it is whole, and what a person decides about it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch

from core.access import acting, told
from core.registry import Folder, collect, former_champions, survey
from core.schema import (
    Checkpoint,
    Decision,
    Evaluation,
    HubStep,
    Mark,
    NightshiftError,
    Promotion,
    Record,
    Release,
    Run,
    StageResult,
)
from core.services.classify import load_policy
from core.services.night.record import ABANDONED, TRAINING
from core.services.rollout import advance
from core.services.workspace import Workspace

__all__ = [
    "collect_garbage",
    "promote_release",
    "quarantine_release",
    "reject_release",
    "release_facts",
    "releases",
    "verify_releases",
    "why_not_loaded",
]

Progress = Callable[[int, int], None]
T = TypeVar("T", bound=Record)


def releases(ws: Workspace, environment: str) -> list[dict[str, Any]]:
    """Every release, newest first, with how it stands; JSON-ready."""
    standing = _Standing(ws, environment)
    return [standing.of(release) for release in reversed(ws.store.find(Release, environment=environment))]


def release_facts(ws: Workspace, environment: str, name: str) -> dict[str, Any]:
    """All that is known of one release: how it stands, where it comes from, what was decided, said and done."""
    release = ws.registry.named(environment, name)
    standing = _Standing(ws, environment)
    made = _made(ws, release)
    decisions = ws.store.find(Decision, environment=environment, challenger=release.id)
    run = next((ws.store.get(Run, each.run) for each in made if each.run is not None), None)
    return {
        **standing.of(release),
        "checkpoints": [
            {"role": role, "folder": str(ws.registry.shelf.folders / each.id), **each.model_dump(mode="json")}
            for role, each in zip(release.checkpoints, made, strict=True)
        ],
        "lineage": lineage(ws, release),
        "trained_by": None if run is None else run.model_dump(mode="json", include={"id", "at", "seed", "trigger"}),
        "dataset_version": None if run is None else dataset_version(ws, run.id),
        "decisions": [each.model_dump(mode="json") for each in decisions],
        "changes": [each.model_dump(mode="json") for each in standing.history if release.id == each.release],
        "marks": [each.model_dump(mode="json") for each in _about(ws, Mark, release)],
        "hub": [each.model_dump(mode="json") for each in _about(ws, HubStep, release)],
        "evaluations": [
            {"suite": each.suite, "n": len(each.scores), "run": each.run} for each in _about(ws, Evaluation, release)
        ],
    }


def lineage(ws: Workspace, release: Release) -> list[str]:
    """Checkpoint ids from this release's own back to the untrained model's."""
    chain: list[str] = []
    at: str | None = release.checkpoints["policy"]
    while at is not None and at not in chain:
        chain.append(at)
        found = ws.store.get(Checkpoint, at)
        at = found.parent if found else None
    return chain


def dataset_version(ws: Workspace, run: str) -> str | None:
    """What the run learnt from; None where it did not come so far."""
    ingested = next((each for each in ws.store.find(StageResult, run=run, stage="ingest")), None)
    found = ingested.result.get("dataset_version") if ingested else None
    return None if found is None else str(found)


def promote_release(
    ws: Workspace, environment: str, name: str, *, reason: str, by: str | None = None, expected: str | None = None
) -> Promotion:
    """Makes a release champion on a person's word. `expected` is the champion that this person looked at.

    Raises NightshiftError without a reason, for one that does not load or is quarantined, and where the champion is
    another than expected.
    """
    _require_reason(reason)
    release = ws.registry.named(environment, name)
    champion = ws.store.champion(environment)
    fault = why_not_loaded(ws, release)
    if fault is not None:
        raise NightshiftError(f"{release.id[:12]} is not promoted: {fault}")
    who = by or acting().name
    return ws.registry.promote_by_hand(
        release, expected=expected or champion, reason=reason, by=who, telling=told("release.promoted")
    )


def reject_release(ws: Workspace, environment: str, name: str, *, reason: str, by: str | None = None) -> Mark:
    """Says no to a challenger: no night and no trial makes it champion; a person still may."""
    _require_reason(reason)
    mark = _marked(ws, environment, name, "rejected", reason, by)
    advance(ws, environment)
    return mark


def quarantine_release(ws: Workspace, environment: str, name: str, *, reason: str, by: str | None = None) -> Mark:
    """Bars a release for good. Where it serves, the champion before it serves again from the same moment."""
    _require_reason(reason)
    mark = _marked(ws, environment, name, "quarantined", reason, by)
    advance(ws, environment)
    return mark


def _marked(
    ws: Workspace, environment: str, name: str, mark: Literal["rejected", "quarantined"], reason: str, by: str | None
) -> Mark:
    release, who = ws.registry.named(environment, name), by or acting().name
    return ws.registry.mark(release, mark, reason=reason, by=who, telling=told(f"release.{mark}"))


def verify_releases(
    ws: Workspace, environment: str, names: Iterable[str] = (), progress: Progress | None = None
) -> dict[str, Any]:
    """Whether releases (all, unless some are named) are what was saved: hash, loading, finite weights; JSON-ready."""
    chosen = [ws.registry.named(environment, name) for name in names]
    chosen = chosen or ws.store.find(Release, environment=environment)
    standing = _Standing(ws, environment)
    found = []
    for done, release in enumerate(chosen, start=1):
        removed = not standing.has_weights(release) and "removed" in standing.marks.get(release.id, {})
        fault = None if removed else why_not_loaded(ws, release)
        state = "removed" if removed else "whole" if fault is None else "damaged"
        found.append({"release": release.id, "state": state, "problem": fault})
        if progress is not None:
            progress(done, len(chosen))
    return {"ok": all(each["state"] != "damaged" for each in found), "releases": found}


def why_not_loaded(ws: Workspace, release: Release) -> str | None:
    """What is wrong with a release's files; None where they hash, load, and hold finite numbers."""
    try:
        for checkpoint in release.checkpoints.values():
            ws.registry.path(checkpoint)
        loaded = [load_policy(ws, release, stage)[0] for stage in release.checkpoints]
    except NightshiftError as error:
        return str(error)
    except Exception as error:  # whatever a library makes of a folder that holds what it did not expect
        return f"it does not load: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    for policy in loaded:
        for name, weight in policy.model.named_parameters():
            if not bool(torch.isfinite(weight).all()):
                return f"{name} holds numbers that are not finite"
    return None


def collect_garbage(ws: Workspace, *, really: bool) -> list[Folder]:
    """Every checkpoint folder with what keeps it; those that nothing keeps are removed where `really`."""
    days, at_work = ws.settings.registry.retention_days, _at_work(ws)
    gone = collect(ws.registry, retention_days=days, at_work=at_work) if really else []
    return [*gone, *survey(ws.registry, retention_days=days, at_work=at_work)]


def _at_work(ws: Workspace) -> dict[str, str]:
    """Runs that have not ended, and the releases that they began from."""
    used: dict[str, str] = {}
    results = ws.store.find(StageResult, stage=("report", "train", ABANDONED))
    ended = {(each.run, each.stage) for each in results}
    for run in ws.store.find(Run):
        last = "train" if run.trigger == TRAINING else "report"
        if (run.id, last) not in ended and (run.id, ABANDONED) not in ended:
            used |= {run.id: "a night is at work on it", str(run.config.get("champion")): "a night began from it"}
    return used


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise NightshiftError("please give a reason; it stays in the history")


def _about(ws: Workspace, kind: type[T], release: Release) -> list[T]:
    return ws.store.find(kind, environment=release.environment, release=release.id)


def _made(ws: Workspace, release: Release) -> list[Checkpoint]:
    return ws.store.get_many(Checkpoint, release.checkpoints.values())


class _Standing:
    """What is said of all releases at once, read once."""

    def __init__(self, ws: Workspace, environment: str) -> None:
        self.ws = ws
        self.history = ws.registry.history(environment)
        self.champion = ws.store.champion(environment)
        self.former = {change.release for change in self.history}
        self.stack = former_champions(self.history)
        self.decisions = {each.challenger: each for each in ws.store.find(Decision, environment=environment)}
        self.made = {each.id: each for each in ws.store.find(Checkpoint, environment=environment)}
        self.folders = ws.registry.shelf.folders_of()
        self.marks: dict[str, dict[str, Mark]] = {}
        for mark in ws.store.find(Mark, environment=environment):
            self.marks.setdefault(mark.release, {})[mark.mark] = mark

    def has_weights(self, release: Release) -> bool:
        return all(checkpoint in self.folders for checkpoint in release.checkpoints.values())

    def of(self, release: Release) -> dict[str, Any]:
        policy = self.made.get(release.checkpoints["policy"])
        decision = self.decisions.get(release.id)
        folders = [self.folders[each] for each in release.checkpoints.values() if each in self.folders]
        return {
            "release": release.id,
            "at": release.at.isoformat(),
            "state": self.state(release),
            "policy": policy.policy if policy else None,
            "run": policy.run if policy else None,
            "outcome": decision.outcome.value if decision else None,
            "reason": decision.reason if decision else None,
            "size_bytes": sum(map(_size, folders)) if self.has_weights(release) else None,
        }

    def state(self, release: Release) -> str:
        """In one word, the strongest that can be said of it."""
        marks = self.marks.get(release.id, {})
        if release.id == self.champion:
            return "champion"
        for mark in ("quarantined", "rejected"):
            if mark in marks:
                return mark
        if not self.has_weights(release):
            return "removed" if "removed" in marks else "missing"
        if release.id in self.former:
            return "former champion"
        decision = self.decisions.get(release.id)
        return decision.outcome.value if decision else "not compared"


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
