"""`nightshift models rollout` and `approve`: a challenger on its way to becoming champion."""

from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from app.commands import ENVIRONMENT
from app.terminal import Answer
from core import services
from core.services import Workspace

__all__ = ["approve", "shown"]


def shown(home: Path | None) -> Answer:
    """The newest trial, moved on first where one of its steps is over."""
    found = services.advance(Workspace.open(home), ENVIRONMENT)
    return Answer({"rollout": found}, partial(_show, found))


def approve(home: Path | None, reason: str) -> Answer:
    """Approves the challenger that waits. Raises NightshiftError where none does, or its deadline is over."""
    ws = Workspace.open(home)
    step = services.approve(ws, ENVIRONMENT, approved=True, reason=reason)
    state = services.rollout_state(ws, ENVIRONMENT)
    return Answer({"approved": step.model_dump(mode="json"), "rollout": state}, partial(_show, state))


def _show(found: dict[str, Any] | None, console: Console) -> None:
    if found is None:
        console.print("No challenger was ever on trial; its steps are set under [rollout].", markup=False)
        return
    console.print(
        f"{found['release'][:12]} against {found['champion'][:12]}: {' -> '.join(found['plan'])}", markup=False
    )
    for step in found["steps"]:
        said = "passed" if step["passed"] else "FAILED"
        console.print(f"  {step['stage']}: {said}, {step['reason']} (by {step['by']})", markup=False)
    if found["stage"] is not None:
        figures = ", ".join(f"{name} {value}" for name, value in found["figures"].items())
        until = f"until {found['deadline'][:16]}" if "deadline" in found else ""
        console.print(f"  {found['stage']}: now {until or figures}", markup=False)
