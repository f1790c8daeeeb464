"""Retention: before a night takes anything in, what is over goes."""

from pydantic import JsonValue

from core.schema import NightshiftError, Run
from core.services.night.record import stage, stage_result
from core.services.retention import retain
from core.services.workspace import Workspace
from core.store import Lease, LeaseLost, StoreBusy

__all__ = ["retention"]


@stage("retention")
def retention(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
    """Erases screens whose time is over. Where that fails the night goes on, and says so in the morning."""
    if stage_result(ws, run.id, "ingest") is not None:
        return {"erased": 0}  # begun by an older version: what it has taken in stays until it is over
    try:
        done = retain(ws, lease=lease)
    except (LeaseLost, StoreBusy):
        raise
    except NightshiftError as error:
        return {"erased": 0, "failed": str(error)}
    proof = done.get("proof")
    result: dict[str, JsonValue] = {"erased": sum(done["erased"].get(what, 0) for what in ("media", "waiting_screens"))}
    if proof and not proof["ok"]:
        result["failed"] = f"found again: {'; '.join(proof['found'][:3])}"
    return result
