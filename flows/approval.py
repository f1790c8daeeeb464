"""Approval: a person's yes or no to a challenger, given on Prefect's page instead of the console.

No process waits for it: the challenger waits as a row in the store, and this flow writes the answer beside it.
"""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.logging import get_run_logger

__all__ = ["approval"]


@flow(name="approval", flow_run_name="{environment}", retries=0, persist_result=False)
def approval(
    approve: bool, reason: str, by: str = "prefect", environment: str = "screen", home: str | None = None
) -> dict[str, Any]:
    """Approves or rejects the challenger that waits for a person. Raises NightshiftError where none does."""
    from core.services import Workspace, rollout_state
    from core.services import approve as decide

    ws = Workspace.open(Path(home) if home else None)
    step = decide(ws, environment, approved=approve, reason=reason, by=by)
    get_run_logger().info(f"{'approved' if step.passed else 'rejected'} by {step.by}: {step.reason}")
    return rollout_state(ws, environment) or {}
