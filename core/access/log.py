"""The audit log, read."""

from typing import Any

from core.access.house import House
from core.schema import AuditEntry

__all__ = ["audit_log"]


def audit_log(house: House, *, limit: int = 100, who: str | None = None, action: str | None = None) -> list[AuditEntry]:
    """The newest lines first; of one person, or of one action (`user.added`) or kind of action (`user`)."""
    of: dict[str, Any] = {} if who is None else {"who": who}
    if action is None or "." in action:
        exact = of if action is None else of | {"action": action}
        return house.store.find(AuditEntry, newest_first=True, limit=limit, **exact)
    found = house.store.find(AuditEntry, newest_first=True, **of)
    return [each for each in found if each.action.split(".")[0] == action][:limit]
