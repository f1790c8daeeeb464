"""Promote: a compare-and-swap of the champion, under the night's lease."""

from pydantic import JsonValue

from core.access import NIGHTSHIFT, told
from core.schema import Decision, Outcome, Release, Run
from core.services.night.record import FROZEN, finished, stage
from core.services.rollout import begin_trial
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["decision_id", "promote"]


def decision_id(ws: Workspace, run: Run) -> str:
    """The decision that a night comes to: that a frozen challenger is promoted, else the one about tonight's."""
    (tonight, since) = (finished(ws, run.id, name)["decision"] for name in ("gate", FROZEN))
    return str(since or tonight)


@stage("promote")
def promote(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
    """Makes tonight's challenger, or a frozen one, champion or begins its trial; again, it changes nothing."""
    (decision,) = ws.store.get_many(Decision, [decision_id(ws, run)])
    if decision.outcome is not Outcome.PROMOTED:
        return {"promoted": False, "champion": ws.store.champion(run.environment)}
    (challenger,) = ws.store.get_many(Release, [decision.challenger])
    barred = [mark for name, mark in ws.registry.marks(challenger).items() if name in ("rejected", "quarantined")]
    if barred:
        why = f"{barred[0].mark} by {barred[0].by}: {barred[0].reason}"
        return {"promoted": False, "champion": ws.store.champion(run.environment), "why": why}
    ws.store.check_token(lease.name, lease.token)
    trial = begin_trial(ws, decision)
    if trial is not None:
        why = f"on trial: {trial.plan[0]}"
        return {"promoted": False, "champion": decision.champion, "trial": trial.id, "why": why}
    promotion = ws.registry.promote(
        challenger,
        expected=str(run.config["champion"]),
        decision=decision,
        lease=lease.name,
        token=lease.token,
        telling=told("release.promoted", by=NIGHTSHIFT),
    )
    return {"promoted": True, "champion": challenger.id, "promotion": promotion.id}
