"""Gate: every check on the challenger, and what follows."""

import torch
from pydantic import JsonValue

from core.evaluation import decide
from core.schema import Checkpoint, Evaluation, GateResult, NightshiftError, Release, Run
from core.services.classify import load_policy
from core.services.night.evaluate import evaluation_ids, last_look
from core.services.night.record import finished, stage
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["gate", "integrity"]


@stage("gate")
def gate(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:  # noqa: ARG001
    """Promoted, refused or undecided, with every figure. Missing evidence never promotes."""
    champion, challenger = ws.store.get_many(Evaluation, evaluation_ids(ws, run))
    decision = decide(
        champion,
        challenger,
        settings=ws.settings.gate,
        run=run.id,
        integrity=integrity(ws, str(finished(ws, run.id, "train")["challenger"])),
        earlier=last_look(ws, run),
    )
    ws.store.add(decision)
    return {
        "decision": decision.id,
        "outcome": decision.outcome.value,
        "reason": decision.reason,
        "more_examples_needed": decision.more_examples_needed,
        "gates": [gate.model_dump(mode="json") for gate in decision.gates],
    }


def integrity(ws: Workspace, release_id: str) -> list[GateResult]:
    """Whether a release can be read back from disk whole; what cannot is refused."""
    (release,) = ws.store.get_many(Release, [release_id])
    try:
        policies = [load_policy(ws, release, stage)[0] for stage in sorted(release.checkpoints)]
        ws.store.get_many(Checkpoint, list(release.checkpoints.values()))
    except NightshiftError as error:
        return [GateResult(name="reloads", value=0.0, bound=1.0, passed=False, note=str(error))]
    weights = [weight for policy in policies for weight in policy.model.parameters()]
    finite = all(bool(torch.isfinite(weight).all()) for weight in weights)
    return [
        GateResult(name="reloads", value=1.0, bound=1.0, passed=True, note="read back from disk, hash verified"),
        GateResult(
            name="finite weights", value=float(finite), bound=1.0, passed=finite, note=f"{len(weights)} tensors"
        ),
    ]
