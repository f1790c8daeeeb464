"""Retention: screens that nobody gave feedback on are erased once they are old, as if somebody had asked for it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from core.schema import now
from core.services.erasing import open_erasures, pictures_erased
from core.services.erasing.waiting import remove_screens, screens_waiting
from core.services.erasing.wanted import not_seen_since
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["pictures_due", "retain"]


def pictures_due(ws: Workspace) -> list[str]:
    """Ids of the pictures whose time is over; none where `retention.without_feedback_days` is off."""
    days = ws.settings.retention.without_feedback_days
    return not_seen_since(ws, now() - timedelta(days=days), without_feedback=True) if days else []


def retain(
    ws: Workspace,
    *,
    dry_run: bool = False,
    lease: Lease | None = None,
    told: Callable[[int, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Erases what is due, and goes on with erasures that were interrupted; JSON-ready. A dry run only counts.

    What `nightshift watch` keeps unanswered is due at the same age.

    As a part of the night that holds `lease`, or while none runs: else raises NightshiftError, having changed nothing.
    """
    days = ws.settings.retention.without_feedback_days
    due = pictures_due(ws)
    unanswered = screens_waiting(ws, before=now() - timedelta(days=days)) if days else []
    told_of = {"dry_run": dry_run, "without_feedback_days": days or None, "due": len(due) + len(unanswered)}
    removed = {} if dry_run else remove_screens(unanswered)
    if dry_run or not (due or open_erasures(ws)):
        return {**told_of, "erased": removed, "open": len(open_erasures(ws))}
    reason = f"without feedback for {days:g} days" if days else "an erasure was interrupted"
    done = pictures_erased(ws, lambda: pictures_due(ws), reason=reason, by="nightshift", lease=lease, told=told)
    return {**told_of, **done, "erased": {**done["erased"], **removed}}
