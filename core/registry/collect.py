"""Garbage: checkpoint folders that nothing will ask for again, and those that something may.

Removing is the one thing that takes from a registry, so it fails toward keeping: what is young, what serves, what
served not long ago, what a night is at work on and what still waits for an answer all stay.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.registry.registry import Registry
from core.schema import Checkpoint, Decision, Mark, Outcome, Promotion, Release, Trial, TrialStep, new_id, now

__all__ = ["Folder", "collect", "survey"]

YOUNG_S = 24 * 3600.0
"A folder kept or kept again this lately may belong to something that has not yet said so."


@dataclass(frozen=True)
class Folder:
    """A checkpoint folder, and why it stays."""

    id: str
    size_bytes: int
    kept_for: str
    "Empty where nothing keeps it."


def survey(registry: Registry, *, retention_days: float, at_work: Mapping[str, str] | None = None) -> list[Folder]:
    """Every checkpoint folder. `at_work` says what else is in use: checkpoint or release id to the reason."""
    kept = _kept(registry, retention_days, at_work or {})
    oldest = time.time() - YOUNG_S
    found = []
    for id, path in registry.shelf.folders_of().items():
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        young = "came less than a day ago" if path.stat().st_mtime > oldest else ""
        found.append(Folder(id, size, kept.get(id, young)))
    return found


def collect(registry: Registry, *, retention_days: float, at_work: Mapping[str, str] | None = None) -> list[Folder]:
    """Removes what nothing keeps, and marks the releases that lost their weights; returns what was removed.

    Nobody can promote, roll back or register a release meanwhile, so that none is left pointing at nothing.
    """
    with registry.shelf.alone():
        gone = [f for f in survey(registry, retention_days=retention_days, at_work=at_work) if not f.kept_for]
        lost = {folder.id for folder in gone}
        releases = [r for r in registry.store.find(Release) if lost & set(r.checkpoints.values())]
        # The mark first: a release without weights that says why is better than one that looks damaged.
        registry.store.add(*(_removed(release) for release in releases))
        for folder in gone:
            registry.shelf.take_away(folder.id)
    return gone


def _removed(release: Release) -> Mark:
    return Mark(
        id=new_id(),
        environment=release.environment,
        release=release.id,
        mark="removed",
        reason="its weights were collected; pull it from the hub to have it back",
    )


def _kept(registry: Registry, retention_days: float, at_work: Mapping[str, str]) -> dict[str, str]:
    """Checkpoint id to why it stays; the first reason found is told."""
    releases = {release.id: release for release in registry.store.find(Release)}
    reasons: dict[str, str] = {}
    for environment in sorted({release.environment for release in releases.values()}):
        for id, why in (*_champions(registry, environment, retention_days), *_waiting(registry, environment)):
            for checkpoint in releases[id].checkpoints.values() if id in releases else ():
                reasons.setdefault(checkpoint, why)
    for id, why in at_work.items():
        for checkpoint in releases[id].checkpoints.values() if id in releases else (id,):
            reasons.setdefault(checkpoint, why)
    runs_at_work = {id for id in at_work if id not in releases}
    for made in registry.store.find(Checkpoint, run=runs_at_work) if runs_at_work else ():
        reasons.setdefault(made.id, at_work[str(made.run)])
    return reasons


def _champions(registry: Registry, environment: str, retention_days: float) -> list[tuple[str, str]]:
    history = registry.history(environment)
    champion = registry.store.champion(environment)
    since = now() - timedelta(days=retention_days)
    ended = [*(change.at for change in history[1:]), now()]
    kept = [(champion, "is the champion")] if champion is not None else []
    return [*kept, *_former(history, ended, since)]


def _former(history: list[Promotion], ended: list[datetime], since: datetime) -> list[tuple[str, str]]:
    return [
        (change.release, f"was champion until {end:%Y-%m-%d}")
        for change, end in zip(history, ended, strict=True)
        if end >= since
    ]


def _waiting(registry: Registry, environment: str) -> list[tuple[str, str]]:
    """Challengers whose last decision is open, and those on trial."""
    rejected = {
        mark.release for mark in registry.store.find(Mark, environment=environment, mark=("rejected", "quarantined"))
    }
    last = {decision.challenger: decision for decision in registry.store.find(Decision, environment=environment)}
    undecided = [
        (release, "is a challenger that is not decided yet")
        for release, decision in last.items()
        if decision.outcome is Outcome.UNDECIDED and release not in rejected
    ]
    steps = registry.store.find(TrialStep, environment=environment)
    over = {step.trial for step in steps if step.stage == "promotion" or not step.passed}
    trials = registry.store.find(Trial, environment=environment)
    return [*undecided, *((trial.release, "is on trial") for trial in trials if trial.id not in over)]
