"""`nightshift models rollout` and `approve`: a challenger on its way to becoming champion."""

from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from app.commands import opened
from app.terminal import Answer
from core import services

__all__ = ["approve", "shown"]


def shown(home: Path | None, environment: str) -> Answer:
    """The newest trial, moved on first where one of its steps is over."""
    found = services.advance(opened(home, environment), environment)
    return Answer({"rollout": found}, partial(_show, found))


def approve(home: Path | None, environment: str, reason: str) -> Answer:
    """Approves the challenger that waits. Raises NightshiftError where none does, or its deadline is over."""
    ws = opened(home, environment)
    step = services.approve(ws, environment, approved=True, reason=reason)
    state = services.rollout_state(ws, environment)
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
