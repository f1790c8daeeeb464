"""Releases without a night: for tests of what comes after one."""

import json

from core.schema import Decision, Outcome, Release, new_id
from core.services import Workspace

__all__ = ["make_release", "promote"]


def make_release(ws: Workspace, temperature: float) -> Release:
    """A release like the untrained one, but with another calibration, so that it is another one."""
    environment = ws.environment("screen")
    policy = environment.untrained_policy(ws.settings)
    folder = ws.home / f"made-{new_id()}"
    policy.save(folder)
    (folder / "calibration.json").write_text(json.dumps({"temperature": temperature}))
    checkpoint = ws.registry.put(folder, environment="screen", policy=policy.name, run=new_id())
    return ws.registry.release("screen", {"policy": checkpoint.id})


def promote(ws: Workspace, release: Release, reason: str = "better on 40 examples") -> None:
    """Makes a release champion on the strength of a decision without gates."""
    champion = ws.store.champion("screen")
    decision = Decision(
        id=new_id(),
        environment="screen",
        run=new_id(),
        champion=champion,
        challenger=release.id,
        gates=(),
        outcome=Outcome.PROMOTED,
        reason=reason,
    )
    ws.registry.promote(release, expected=champion, decision=decision, lease=None, token=None)
