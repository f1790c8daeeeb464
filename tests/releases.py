"""Releases without a night: for tests of what comes after one."""

import json
import shutil
from collections.abc import Callable

import torch

from core.policy import Policy
from core.schema import Checkpoint, Decision, Outcome, Release, new_id
from core.services import Workspace
from core.services.classify import load_policy

__all__ = ["make_release", "not_finite", "promote"]


def make_release(
    ws: Workspace,
    temperature: float,
    environment: str = "screen",
    *,
    parent: str | None = None,
    change: Callable[[Policy], None] | None = None,
) -> Release:
    """A release like the first one that was installed, but with another calibration, so that it is another one."""
    (first,) = ws.store.get_many(Release, [ws.registry.history(environment)[0].release])
    (saved,) = ws.store.get_many(Checkpoint, [first.checkpoints["policy"]])
    folder = ws.home / f"made-{new_id()}"
    shutil.copytree(ws.registry.path(first.checkpoints["policy"]), folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    if change is not None:
        policy, _ = load_policy(ws, first)
        change(policy)
        policy.save(folder)
    (folder / "calibration.json").write_text(json.dumps({"temperature": temperature}))
    checkpoint = ws.registry.put(folder, environment=environment, policy=saved.policy, parent=parent, run=new_id())
    return ws.registry.release(environment, {**first.checkpoints, "policy": checkpoint.id})


def not_finite(policy: Policy) -> None:
    """Puts a number that is none into the first of the weights that train."""
    with torch.no_grad():
        next(weight for weight in policy.model.parameters() if weight.requires_grad).fill_(float("nan"))


def promote(ws: Workspace, release: Release, reason: str = "better on 40 examples") -> None:
    """Makes a release champion on the strength of a decision without gates."""
    champion = ws.store.champion(release.environment)
    decision = Decision(
        id=new_id(),
        environment=release.environment,
        run=new_id(),
        champion=champion,
        challenger=release.id,
        gates=(),
        outcome=Outcome.PROMOTED,
        reason=reason,
    )
    ws.registry.promote(release, expected=champion, decision=decision, lease=None, token=None)
