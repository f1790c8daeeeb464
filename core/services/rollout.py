"""What stands between a decision that promotes and the promotion: shadow, approval, canary, each where it is set.

A trial is a row, and each of its steps ends with another, so that no process waits and a second one sees the same.
`advance` looks at what there is and ends a step that is over; whoever calls it, and however often, comes to the same.
"""

import hashlib
import statistics
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import JsonValue

from core.access import NIGHTSHIFT, acting, entry, told
from core.evaluation.canary import evidence_of_harm
from core.schema import (
    CANNOT_TELL,
    Decision,
    NightshiftError,
    Prediction,
    Release,
    ShadowAnswer,
    Trial,
    TrialStage,
    TrialStep,
    content_id,
    now,
)
from core.services.workspace import Workspace
from core.settings import RolloutSettings

__all__ = ["Stand", "advance", "approve", "begin_trial", "lot", "open_trial", "rollout_state"]


class Stand(NamedTuple):
    """A trial that is not over, and the step it is in."""

    trial: Trial
    stage: TrialStage
    since: datetime
    settings: RolloutSettings


def begin_trial(ws: Workspace, decision: Decision) -> Trial | None:
    """The trial of a challenger that its decision promotes; None where the settings ask its environment for no step.

    The same decision has one trial. A trial that still ran for another challenger is over.
    """
    told = ws.of(decision.environment).settings.rollout
    asked: tuple[tuple[TrialStage, bool], ...] = (
        ("shadow", told.shadow_share > 0),
        ("approval", told.approval),
        ("canary", told.canary_share > 0),
    )
    plan = tuple(stage for stage, wanted in asked if wanted)
    if not plan:
        return None
    trial = Trial(
        id=content_id("trial", decision.id),
        environment=decision.environment,
        release=decision.challenger,
        champion=decision.champion,
        decision=decision.id,
        plan=(*plan, "promotion"),
        settings=told.model_dump(mode="json"),
    )
    before = open_trial(ws, decision.environment)
    if before is not None and before.trial.id != trial.id:
        _end(ws, before, passed=False, reason="a newer challenger took its place", figures={})
    ws.store.add(trial)
    return ws.store.get_many(Trial, [trial.id])[0]


def open_trial(ws: Workspace, environment: str) -> Stand | None:
    """The trial that is not over, or None. Newest first, should two have begun at the same moment."""
    for trial in ws.store.find(Trial, environment=environment, newest_first=True, limit=5):
        steps = {step.stage: step for step in ws.store.find(TrialStep, environment=environment, trial=trial.id)}
        if any(not step.passed for step in steps.values()) or "promotion" in steps:
            continue
        stage = next(stage for stage in trial.plan if stage not in steps)
        since = max((step.at for step in steps.values()), default=trial.at)
        return Stand(trial, stage, since, RolloutSettings.model_validate(trial.settings))
    return None


def advance(ws: Workspace, environment: str) -> dict[str, Any] | None:
    """Ends the step that is over, and promotes after the last; what there is to say of the trial then, or None."""
    for _ in range(len(LOOKS)):
        stand = open_trial(ws, environment)
        if stand is None or not _advanced(ws, stand):
            break
    return rollout_state(ws, environment)


def approve(
    ws: Workspace, environment: str, *, approved: bool, reason: str, by: str | None = None, release: str | None = None
) -> TrialStep:
    """A person's word on the challenger that waits for one; the first word counts. `release` is what they looked at.

    Raises NightshiftError without a reason, where nothing waits, and after the deadline, when it is rejected.
    """
    if not reason.strip():
        raise NightshiftError("please give a reason; it stays in the history")
    state = advance(ws, environment)
    stand = open_trial(ws, environment)
    if stand is None or stand.stage != "approval":
        last = state["steps"][-1]["reason"] if state and state["steps"] else "there is no challenger on trial"
        raise NightshiftError(f"nothing of {environment!r} waits for approval: {last}")
    if release is not None and not stand.trial.release.startswith(release):
        raise NightshiftError(f"{stand.trial.release[:12]} waits for approval, not {release[:12]}; look again")
    by = by or acting().name
    step = _end(ws, stand, passed=approved, reason=reason, by=by, figures={})
    if step.passed != approved or step.by != by:
        raise NightshiftError(f"{step.by} was first: {'approved' if step.passed else 'rejected'}, {step.reason}")
    ws.store.add(
        entry(
            f"challenger.{'approved' if approved else 'rejected'}",
            stand.trial.release,
            reason,
            by=replace(acting(), name=by),
        )
    )
    advance(ws, environment)
    return step


def lot(trial: Trial, example: str) -> float:
    """Where in 0..1 a screen falls in a trial: the same one always at the same place."""
    digest = hashlib.sha256(f"{trial.id}/{example}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def rollout_state(ws: Workspace, environment: str) -> dict[str, Any] | None:
    """The newest trial, step by step, with figures; JSON-ready. None where there never was one."""
    found = ws.store.find(Trial, environment=environment, newest_first=True, limit=1)
    if not found:
        return None
    (trial,) = found
    stand = open_trial(ws, environment)
    is_open = stand is not None and stand.trial.id == trial.id
    steps = {step.stage: step for step in ws.store.find(TrialStep, environment=environment, trial=trial.id)}
    told: dict[str, Any] = {
        "trial": trial.id,
        "release": trial.release,
        "champion": trial.champion,
        "plan": list(trial.plan),
        "stage": stand.stage if stand is not None and is_open else None,
        "since": stand.since.isoformat() if stand is not None and is_open else None,
        "steps": [steps[stage].model_dump(mode="json") for stage in trial.plan if stage in steps],
        "figures": _figures(ws, stand) if stand is not None and is_open else {},
    }
    if stand is not None and is_open and stand.stage == "approval":
        told["deadline"] = _deadline(stand).isoformat()
    return told


def _advanced(ws: Workspace, stand: Stand) -> bool:
    """Whether the step that a trial is in was over and has been ended."""
    over = _stopped(ws, stand) or LOOKS[stand.stage](ws, stand)
    if over is None:
        return False
    passed, reason, figures = over
    _end(ws, stand, passed=passed, reason=reason, figures=figures)
    return True


Over = tuple[bool, str, dict[str, JsonValue]] | None


def _stopped(ws: Workspace, stand: Stand) -> Over:
    """A trial is over early where its release was barred, or the champion is another than it was compared with."""
    (release,) = ws.store.get_many(Release, [stand.trial.release])
    barred = [mark for name, mark in ws.registry.marks(release).items() if name in ("rejected", "quarantined")]
    if barred:
        return False, f"{barred[0].mark} by {barred[0].by}: {barred[0].reason}", {}
    champion = ws.store.champion(stand.trial.environment)
    if champion not in (stand.trial.champion, stand.trial.release):
        return False, f"the champion is {(champion or 'none')[:12]} by now, which it was not compared with", {}
    return None


def _shadow(ws: Workspace, stand: Stand) -> Over:
    figures = _figures(ws, stand)
    n, agreement = int(str(figures["answers"])), float(str(figures["agreement"] or 0.0))
    if n < stand.settings.shadow_answers:
        return None
    told = f"agreed on {agreement:.1%} of {n} screens"
    bound = stand.settings.shadow_agreement
    return (True, told, figures) if agreement >= bound else (False, f"{told}; at least {bound:.0%} is asked", figures)


def _approval(ws: Workspace, stand: Stand) -> Over:  # noqa: ARG001
    if now() < _deadline(stand):
        return None
    return False, f"nobody approved it within {stand.settings.approval_hours:g} hours", {}


def _canary(ws: Workspace, stand: Stand) -> Over:
    figures = _figures(ws, stand)
    evidence = float(str(figures["evidence"]))
    if evidence >= 1 / stand.settings.canary_alpha:
        told = f"people contradicted it {figures['against_canary']} times of {figures['contradicted']}"
        return False, f"{told} at {stand.settings.canary_share:.0%} of the screens", figures
    if int(str(figures["answers"])) < stand.settings.canary_answers:
        return None
    return True, f"answered {figures['answers']} screens without evidence of harm", figures


def _promotion(ws: Workspace, stand: Stand) -> Over:
    (decision,) = ws.store.get_many(Decision, [stand.trial.decision])
    (release,) = ws.store.get_many(Release, [stand.trial.release])
    try:
        ws.registry.promote(
            release,
            expected=stand.trial.champion,
            decision=decision,
            lease=None,
            token=None,
            telling=told("release.promoted", by=NIGHTSHIFT),
        )
    except NightshiftError as error:
        return False, str(error), {}
    return True, decision.reason, {}


LOOKS: dict[TrialStage, Callable[[Workspace, Stand], Over]] = {
    "shadow": _shadow,
    "approval": _approval,
    "canary": _canary,
    "promotion": _promotion,
}


def _deadline(stand: Stand) -> datetime:
    return stand.since + timedelta(hours=stand.settings.approval_hours)


def _end(
    ws: Workspace, stand: Stand, *, passed: bool, reason: str, figures: dict[str, JsonValue], by: str = "nightshift"
) -> TrialStep:
    step = TrialStep.make(stand.trial, stand.stage, passed=passed, reason=reason, by=by, figures=figures)
    ws.store.add(step)
    stands = ws.store.get_many(TrialStep, [step.id])[0]
    if not stands.passed and stand.stage != "promotion":
        (release,) = ws.store.get_many(Release, [stand.trial.release])
        with suppress(NightshiftError):  # it is champion by a person's hand meanwhile
            ws.registry.mark(release, "rejected", reason=f"{stand.stage}: {stands.reason}", by=stands.by)
    return stands


def _figures(ws: Workspace, stand: Stand) -> dict[str, JsonValue]:
    if stand.stage == "shadow":
        return _shadow_figures(ws, stand)
    return _canary_figures(ws, stand) if stand.stage == "canary" else {}


def _shadow_figures(ws: Workspace, stand: Stand) -> dict[str, JsonValue]:
    found = ws.store.find(ShadowAnswer, environment=stand.trial.environment, trial=stand.trial.id)
    return {
        "answers": len(found),
        "agreement": sum(each.agrees for each in found) / len(found) if found else None,
        "latency_ms": round(statistics.median(each.latency_ms for each in found), 2) if found else None,
        "champion_latency_ms": (
            round(statistics.median(each.champion_latency_ms for each in found), 2) if found else None
        ),
    }


def _canary_figures(ws: Workspace, stand: Stand) -> dict[str, JsonValue]:
    trial = stand.trial
    served = ws.store.find(
        Prediction, environment=trial.environment, release=(trial.release, trial.champion), from_person=False
    )
    during = [each for each in served if each.at >= stand.since]
    # A screen that is asked again is contradicted once.
    first = {each.example: each for each in reversed(during)}
    words = ws.store.labels(trial.environment)
    contradicted = [
        first[word.example]
        for word in words
        if word.example in first
        and word.at >= first[word.example].at
        and word.answer not in (CANNOT_TELL, first[word.example].answer)
    ]
    against = [each.release == trial.release for each in contradicted]
    return {
        "answers": sum(each.release == trial.release for each in first.values()),
        "answers_of_champion": sum(each.release == trial.champion for each in first.values()),
        "contradicted": len(against),
        "against_canary": sum(against),
        "evidence": round(evidence_of_harm(against, stand.settings.canary_share), 4),
    }
