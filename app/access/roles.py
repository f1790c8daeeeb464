"""What each door needs: declared at the handler, looked up where a request comes in; what declares nothing is shut.

    @allow(Role.OPERATOR, Scope.FEEDBACK)
    def agree(self, shown): ...

A route, or a handler of the console, without it is refused to everybody.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from core.access import Actor
from core.schema import NightshiftError, Role, Scope

__all__ = ["Forbidden", "Needs", "Unknown", "allow", "allow_people", "anybody", "declared", "refusal"]

F = TypeVar("F", bound=Callable[..., Any])
MARK = "_nightshift_needs"


@dataclass(frozen=True)
class Needs:
    """A role, and of a token a scope. No role means that anybody may come; no scope, that no token opens it."""

    role: Role | None
    scope: Scope | None = None


class Forbidden(NightshiftError):
    """Somebody is known, and may not do this."""


class Unknown(NightshiftError):
    """Somebody has to sign in first."""


def allow(role: Role, scope: Scope | None = None) -> Callable[[F], F]:
    """Opens a route or a handler to `role`, and to tokens with `scope`: of what only looks READ, else MANAGE."""
    needs = Needs(role, scope or (Scope.READ if role is Role.VIEWER else Scope.MANAGE))

    def marked(function: F) -> F:
        setattr(function, MARK, needs)
        return function

    return marked


def allow_people(role: Role) -> Callable[[F], F]:
    """Opens something to whoever signed in with a password, and has `role`; to no token."""

    def marked(function: F) -> F:
        setattr(function, MARK, Needs(role))
        return function

    return marked


def anybody(function: F) -> F:
    """Opens a route to everybody, signed in or not."""
    setattr(function, MARK, Needs(None))
    return function


def declared(function: Any) -> Needs | None:
    """What was declared at a function, or at what a partial was made of; None where nothing was."""
    while isinstance(function, partial):
        function = function.func
    found = getattr(function, MARK, None)
    return found if isinstance(found, Needs) else None


def refusal(actor: Actor | None, needs: Needs | None) -> NightshiftError | None:
    """Why `actor` (None: nobody knows who) may not come in here, or None where they may."""
    if needs is None:
        return Forbidden("nobody may do this: it does not say which role it needs")
    if needs.role is None:
        return None
    if actor is None:
        return Unknown("please sign in")
    if actor.may(needs.role, needs.scope):
        return None
    if not actor.role.reaches(needs.role):
        return Forbidden(f"this needs the role {needs.role}; {actor.name} is {actor.role}")
    if needs.scope is None:
        return Forbidden("no token opens this; sign in with a password")
    return Forbidden(f"this needs a token with the scope {needs.scope}")
