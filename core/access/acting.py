"""Who is acting, through which door: set where somebody comes in, read where something is done in their name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from core.schema import AuditEntry, Door, Mark, Promotion, Role, Scope, content_id, new_id

__all__ = ["LOCAL", "NIGHTSHIFT", "STRANGER", "Actor", "acting", "as_actor", "entry", "told"]

SHOWN_OF_ID = 16
MOST_DETAIL = 300


@dataclass(frozen=True)
class Actor:
    """A person or a program, and what they may do."""

    name: str
    role: Role
    door: Door
    address: str | None = None
    scopes: frozenset[Scope] | None = None
    "Of a token; None for a person, who may do all that the role may."
    grant: str | None = None
    "Id of the session or token they came with."

    def may(self, role: Role, scope: Scope | None) -> bool:
        """Whether something that needs this role, and of a token this scope, is open to them; None is of no token."""
        return self.role.reaches(role) and (self.scopes is None or scope in self.scopes)


LOCAL = Actor("local", Role.ADMIN, "program")
"Whoever is at this machine, while there are no users."
NIGHTSHIFT = Actor("nightshift", Role.ADMIN, "nightshift")
"What runs by itself."
STRANGER = Actor("nobody", Role.VIEWER, "api")
"Who comes in where anybody may; nothing they can reach asks who they are."

_acting: ContextVar[Actor] = ContextVar("acting", default=LOCAL)


def acting() -> Actor:
    """Who is acting now."""
    return _acting.get()


@contextmanager
def as_actor(actor: Actor) -> Iterator[None]:
    """Everything within is done by `actor`."""
    before = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(before)


def entry(action: str, subject: str = "", detail: str = "", *, by: Actor | None = None, once: str = "") -> AuditEntry:
    """A line of the audit log, to be stored in the transaction of what it tells of.

    `subject` may be an id, and is cut to how it begins; `detail` is for a person, and is cut where it is long.
    `once` names what happened where it may be told again: the line is then the same, and kept once.
    """
    who = by or acting()
    return AuditEntry(
        id=content_id("audit", action, once) if once else new_id(),
        who=who.name,
        role=who.role,
        door=who.door,
        address=who.address,
        action=action,
        subject=subject[:SHOWN_OF_ID] if _is_id(subject) else subject,
        detail=" ".join(detail.split())[:MOST_DETAIL],
    )


def told(action: str, *, by: Actor | None = None) -> Callable[[Promotion | Mark], AuditEntry]:
    """What makes the line about a change of what serves; whoever makes the change stores it with that."""
    return lambda change: entry(action, change.release, change.reason, by=by, once=change.id)


def _is_id(text: str) -> bool:
    return len(text) >= 2 * SHOWN_OF_ID and all(sign in "0123456789abcdef" for sign in text)
