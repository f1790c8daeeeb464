"""Users: added, given roles and passwords, shut out."""

import re

from core.access.acting import entry
from core.access.directory import changed, standing_users
from core.access.house import House
from core.access.secrets import checked_password, hash_password
from core.schema import (
    Grant,
    LoginFailure,
    NightshiftError,
    Password,
    Record,
    Revocation,
    Role,
    User,
    content_id,
    new_id,
)

__all__ = [
    "add_user",
    "disable_user",
    "enable_user",
    "find_user",
    "remove_user",
    "revocation_of",
    "set_password",
    "set_role",
    "users",
]

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
RESERVED = ("local", "nightshift", "nobody", "import", "api")
"What stands in the log for somebody or something else."


def users(house: House) -> list[User]:
    """Everybody there is, by name."""
    return sorted(standing_users(house.store).values(), key=lambda user: user.name)


def find_user(house: House, name: str) -> User:
    """Raises NightshiftError naming those there are."""
    known = standing_users(house.store)
    if name.lower() not in known:
        raise NightshiftError(f"there is no user {name!r}; there are: {', '.join(sorted(known)) or 'none yet'}")
    return known[name.lower()]


def add_user(house: House, name: str, role: Role, password: str) -> User:
    """A new user. From the first one on, everybody has to sign in.

    Raises NightshiftError for a name that is taken or is none, a password that will not do, and a first user who is
    no admin: nobody could add a second.
    """
    name = name.lower()
    if not NAME.fullmatch(name):
        raise NightshiftError(f"{name!r} is no name for a user; take letters, digits and . _ @ -, at most 64")
    if name in RESERVED:
        raise NightshiftError(f"{name!r} stands for something else in the log; take another name")
    known = standing_users(house.store)
    if name in known:
        raise NightshiftError(f"there is a user {name!r} already; `nightshift users role` changes what they may do")
    if not known and role is not Role.ADMIN:
        raise NightshiftError("the first user must be an admin, or nobody could add another; use --role admin")
    uid = new_id()
    user = User(id=new_id(), name=name, uid=uid, role=role)
    kept = Password(id=new_id(), uid=uid, hash=hash_password(checked_password(password, name)))
    house.store.add(user, kept, entry("user.added", name, f"role {role}"))
    changed(house)
    return user


def set_role(house: House, name: str, role: Role) -> User:
    """Changes what somebody may do, from their next request on. Raises NightshiftError for the last admin."""
    user = find_user(house, name)
    if not role.reaches(Role.ADMIN):
        _another_admin(house, user, "given a smaller role")
    return _written(house, user.model_copy(update={"role": role}), "user.role", f"{user.role} -> {role}")


def set_password(house: House, name: str, password: str, *, keep: str | None = None) -> User:
    """Gives somebody a new password, and signs out their browsers but the session `keep`. The old hash is erased."""
    user = find_user(house, name)
    kept = Password(id=new_id(), uid=user.uid, hash=hash_password(checked_password(password, user.name)))
    sessions = [each for each in house.store.find(Grant, uid=user.uid, form="session") if each.id != keep]
    house.store.erase(
        {Password: {"uid": [user.uid]}, LoginFailure: {"name": [content_id(user.name)]}},
        added=[kept, *_ended(house, sessions), entry("user.password", user.name)],
    )
    changed(house)
    return user


def disable_user(house: House, name: str) -> User:
    """Shuts somebody out at once, browsers and tokens. Raises NightshiftError for the last admin."""
    user = find_user(house, name)
    _another_admin(house, user, "disabled")
    sessions = house.store.find(Grant, uid=user.uid, form="session")
    return _written(house, user.model_copy(update={"state": "disabled"}), "user.disabled", more=_ended(house, sessions))


def enable_user(house: House, name: str) -> User:
    """Lets somebody in again; they sign in anew, and their tokens count again."""
    return _written(house, find_user(house, name).model_copy(update={"state": "active"}), "user.enabled")


def remove_user(house: House, name: str, *, also_last: bool = False) -> User:
    """Shuts somebody out for good and erases their password. What they did keeps their name.

    Raises NightshiftError for the last admin; with `also_last`, not where they are the last user, after whom nobody
    has to sign in.
    """
    user = find_user(house, name)
    if not (also_last and len(standing_users(house.store)) == 1):
        _another_admin(house, user, "removed")
    gone = user.model_copy(update={"id": new_id(), "state": "removed"})
    grants = house.store.find(Grant, uid=user.uid)
    house.store.erase(
        {Password: {"uid": [user.uid]}},
        added=[
            User.model_validate(gone.model_dump(exclude={"at"})),
            *_ended(house, grants),
            entry("user.removed", user.name),
        ],
    )
    changed(house)
    return gone


def revocation_of(grant: Grant) -> Revocation:
    """The end of a grant, the same however often it is made."""
    return Revocation(id=content_id("revocation", grant.id), revoked=grant.id)


def _ended(house: House, grants: list[Grant]) -> list[Record]:
    over = (
        {each.revoked for each in house.store.find(Revocation, revoked={grant.id for grant in grants})}
        if grants
        else set()
    )
    return [revocation_of(grant) for grant in grants if grant.id not in over]


def _written(house: House, user: User, action: str, detail: str = "", more: list[Record] | None = None) -> User:
    fresh = User.model_validate(user.model_dump(exclude={"at"}) | {"id": new_id()})
    house.store.add(fresh, *(more or ()), entry(action, user.name, detail))
    changed(house)
    return fresh


def _another_admin(house: House, user: User, would_be: str) -> None:
    """Two processes at the same moment could each leave the other's admin; `nightshift users add` mends that."""
    others = [
        each
        for each in standing_users(house.store).values()
        if each.name != user.name and each.state == "active" and each.role is Role.ADMIN
    ]
    if user.role is Role.ADMIN and user.state == "active" and not others:
        raise NightshiftError(f"{user.name} is the last admin, and cannot be {would_be}; make somebody else one first")
