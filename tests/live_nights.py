"""A whole night, here and now, stage by stage."""

from core.schema import Run
from core.services import Workspace, night

__all__ = ["live_night"]

LONG_S = 600.0


def live_night(ws: Workspace, environment: str = "screen", *, seed: int, trigger: str = "request") -> Run:
    """Runs every stage of a night that begins now."""
    run = night.begin(ws, environment, seed=seed, trigger=trigger)
    with ws.store.lease(night.lease_name(environment), "test", LONG_S) as lease:
        for name in night.STAGES:
            stage = night.make_variants if name == "variants" else getattr(night, name)
            stage(ws, run, lease)
    return run
