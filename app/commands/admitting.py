"""What `users`, `tokens` and `audit` do and show."""

import getpass
import sys
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.terminal import Answer, Terminal
from core import access
from core.access import open_house
from core.schema import AuditEntry, Grant, NightshiftError, Role, Scope, User

__all__ = [
    "add_user",
    "audit",
    "create_token",
    "disable",
    "list_tokens",
    "list_users",
    "remove",
    "revoke_token",
    "set_password",
    "set_role",
]

LAST = "Nobody has to sign in any more, and only this machine is served once Nightshift is started again."
FIRST = "From now on everybody has to sign in."


def add_user(terminal: Terminal, home: Path | None, name: str, role: Role, *, from_stdin: bool) -> Answer:
    """Raises NightshiftError for a name that is taken or is none, and a password that will not do."""
    house = open_house(home)
    is_first = not access.users(house)
    user = access.add_user(house, name, role, _password(terminal, from_stdin=from_stdin))
    return _changed(user, f"{user.name} may sign in as {user.role}.{f' {FIRST}' if is_first else ''}")


def list_users(home: Path | None) -> Answer:
    """Everybody, by name."""
    house = open_house(home)
    found = [
        {
            **_told(user),
            "sessions": len(access.open_sessions(house, user.name)),
            "tokens": len(access.tokens(house, user.name)),
        }
        for user in access.users(house)
    ]
    return Answer({"users": found}, partial(_show_users, found))


def set_role(home: Path | None, name: str, role: Role) -> Answer:
    """Raises NightshiftError for nobody's name, and for the last admin."""
    user = access.set_role(open_house(home), name, role)
    return _changed(user, f"{user.name} is {user.role} from the next request on.")


def set_password(terminal: Terminal, home: Path | None, name: str, *, from_stdin: bool) -> Answer:
    """Raises NightshiftError for nobody's name, and a password that will not do."""
    house = open_house(home)
    access.find_user(house, name)
    user = access.set_password(house, name, _password(terminal, from_stdin=from_stdin))
    return _changed(user, f"{user.name} has a new password, and is signed out everywhere.")


def disable(home: Path | None, name: str, *, undo: bool) -> Answer:
    """Raises NightshiftError for nobody's name, and for the last admin."""
    user = (access.enable_user if undo else access.disable_user)(open_house(home), name)
    return _changed(user, f"{user.name} may sign in again." if undo else f"{user.name} is shut out.")


def remove(home: Path | None, name: str) -> Answer:
    """Raises NightshiftError for nobody's name, and for the last admin while others are there."""
    house = open_house(home)
    user = access.remove_user(house, name, also_last=True)
    return _changed(user, f"{user.name} is removed.{'' if access.users(house) else f' {LAST}'}")


def create_token(home: Path | None, owner: str, name: str, scopes: Sequence[Scope], days: int) -> Answer:
    """Raises NightshiftError for nobody's name, and for more days than may be."""
    grant, secret = access.create_token(open_house(home), owner, name, scopes, days)

    def show(console: Console) -> None:
        console.print(secret, markup=False, soft_wrap=True)
        console.print(f"This is shown once. It is {grant.user}'s, until {_when(grant.expires)}.")

    return Answer({**_token(grant), "secret": secret}, show)


def list_tokens(home: Path | None, owner: str | None) -> Answer:
    """Raises NightshiftError for nobody's name."""
    house = open_house(home)
    if owner is not None:
        owner = access.find_user(house, owner).name
    found = access.tokens(house, owner)
    return Answer({"tokens": [_token(each) for each in found]}, partial(_show_tokens, found))


def revoke_token(home: Path | None, token: str) -> Answer:
    """Raises NightshiftError where none or several are meant."""
    grant = access.revoke_token(open_house(home), token)
    return Answer(_token(grant), lambda console: console.print(f"{grant.name}, of {grant.user}, is revoked."))


def audit(home: Path | None, limit: int, who: str | None, action: str | None) -> Answer:
    """The newest lines of the audit log."""
    found = access.audit_log(open_house(home), limit=limit, who=who, action=action)
    return Answer({"audit": [each.model_dump(mode="json") for each in found]}, partial(_show_log, found))


def _password(terminal: Terminal, *, from_stdin: bool) -> str:
    """Typed twice, or a line of standard input; never an argument, which every process on the machine can read."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not terminal.is_interactive:
        raise NightshiftError("nobody is here to type a password; give it on standard input with --password-stdin")
    first = getpass.getpass("Password: ", stream=sys.stderr)
    if getpass.getpass("Again: ", stream=sys.stderr) != first:
        raise NightshiftError("the two passwords differ; nothing was changed")
    return first


def _told(user: User) -> dict[str, Any]:
    return {"name": user.name, "role": user.role.value, "state": user.state, "since": user.at.isoformat()}


def _token(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id[:12],
        "name": grant.name,
        "user": grant.user,
        "scopes": [scope.value for scope in grant.scopes],
        "created": grant.at.isoformat(),
        "expires": grant.expires.isoformat(),
    }


def _changed(user: User, said: str) -> Answer:
    return Answer(_told(user), lambda console: console.print(said))


def _when(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M")


def _show_users(found: Sequence[dict[str, Any]], console: Console) -> None:
    if not found:
        console.print("There are no users: only this machine is served, and whoever is at it may do everything.")
        return
    table = Table("name", "role", "state", "signed in", "tokens")
    for each in found:
        table.add_row(each["name"], each["role"], each["state"], str(each["sessions"]), str(each["tokens"]))
    console.print(table)


def _show_tokens(found: Sequence[Grant], console: Console) -> None:
    if not found:
        console.print("There are no tokens.")
        return
    table = Table("id", "name", "user", "scopes", "until")
    for each in found:
        table.add_row(each.id[:12], Text(each.name), each.user, ", ".join(each.scopes), _when(each.expires))
    console.print(table)


def _show_log(found: Sequence[AuditEntry], console: Console) -> None:
    if not found:
        console.print("Nothing has been done yet.")
        return
    for each in found:
        where = f"{each.door}, {each.address}" if each.address else each.door
        told = " ".join(filter(None, (each.subject, f"({each.detail})" if each.detail else "")))
        line = f"{_when(each.at)}  {each.who} ({where})  {each.action}  {told}"
        console.print(line, markup=False, soft_wrap=True)
