"""Gate: every check on the challenger, and what follows."""

import torch
from pydantic import JsonValue

from core.evaluation import decide
from core.schema import Checkpoint, Evaluation, GateResult, NightshiftError, Release, Run
from core.services.classify import load_policy
from core.services.night.evaluate import evaluation_ids
from core.services.night.record import finished, stage
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["gate"]


@stage("gate")
def gate(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:  # noqa: ARG001
    """Promoted, refused or undecided, with every figure. Missing evidence never promotes."""
    champion, challenger = ws.store.get_many(Evaluation, evaluation_ids(ws, run))
    decision = decide(
        champion,
        challenger,
        settings=ws.settings.gate,
        run=run.id,
        integrity=_integrity(ws, run),
    )
    ws.store.add(decision)
    return {
        "decision": decision.id,
        "outcome": decision.outcome.value,
        "reason": decision.reason,
        "more_examples_needed": decision.more_examples_needed,
        "gates": [gate.model_dump(mode="json") for gate in decision.gates],
    }


def _integrity(ws: Workspace, run: Run) -> list[GateResult]:
    trained = finished(ws, run.id, "train")
    (release,) = ws.store.get_many(Release, [str(trained["challenger"])])
    try:
        policy, _ = load_policy(ws, release)
        (checkpoint,) = ws.store.get_many(Checkpoint, [str(trained["checkpoint"])])
        matches = release.checkpoints["policy"] == checkpoint.id
    except NightshiftError as error:
        return [GateResult(name="reloads", value=0.0, bound=1.0, passed=False, note=str(error))]
    weights = list(policy.model.parameters())
    finite = all(bool(torch.isfinite(weight).all()) for weight in weights)
    return [
        GateResult(name="reloads", value=1.0, bound=1.0, passed=True, note="read back from disk, hash verified"),
        GateResult(name="hash matches", value=float(matches), bound=1.0, passed=matches),
        GateResult(
            name="finite weights", value=float(finite), bound=1.0, passed=finite, note=f"{len(weights)} tensors"
        ),
    ]
