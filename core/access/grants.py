"""Sessions of browsers and tokens of programs: begun, listed, ended."""

from collections.abc import Sequence
from datetime import timedelta

from core.access.acting import Actor, acting, entry
from core.access.directory import changed, standing_users
from core.access.house import House
from core.access.secrets import new_secret, secret_id
from core.access.users import find_user, revocation_of
from core.schema import Grant, NightshiftError, Revocation, Scope, User, now

__all__ = ["begin_session", "create_token", "end_session", "open_sessions", "revoke_token", "tokens"]

LONGEST_NAME = 80


def begin_session(house: House, user: User, address: str) -> str:
    """Signs a browser in; the secret for its cookie, which is kept nowhere. What is long over is erased on the way."""
    secret = new_secret("session")
    until = now() + timedelta(hours=house.settings.access.session_hours)
    grant = Grant(id=secret_id(secret), form="session", uid=user.uid, user=user.name, name=address, expires=until)
    who = Actor(user.name, user.role, "console", address)
    over = [each.id for each in house.store.find(Grant, uid=user.uid, form="session") if each.expires < now()]
    signed_in = entry("login", user.name, by=who)
    house.store.erase({Grant: {"id": over}, Revocation: {"revoked": over}}, added=[grant, signed_in])
    changed(house)
    return secret


def end_session(house: House, grant_id: str) -> None:
    """Signs a browser out; nothing where it is out already."""
    _end(house, [each for each in house.store.find(Grant, id=grant_id) if each.form == "session"], "logout")


def open_sessions(house: House, name: str) -> list[Grant]:
    """The browsers of a user that are signed in, newest first. Raises NightshiftError for nobody's name."""
    return _open(house, house.store.find(Grant, uid=find_user(house, name).uid, form="session", newest_first=True))


def create_token(house: House, owner: str, name: str, scopes: Sequence[Scope], days: int) -> tuple[Grant, str]:
    """A token of a user, and its secret, which is shown this once.

    Raises NightshiftError for no name, no scope, or more days than `access.token_days`.
    """
    user = find_user(house, owner)
    most, title = house.settings.access.token_days, " ".join(name.split())
    if not title or len(title) > LONGEST_NAME:
        raise NightshiftError(f"a token needs a name of at most {LONGEST_NAME} characters, to be told from others by")
    if not scopes:
        raise NightshiftError(f"a token needs a scope: {', '.join(Scope)}")
    if not 1 <= days <= most:
        raise NightshiftError(f"a token lasts 1 to {most} days (access.token_days), not {days}")
    secret = new_secret("token")
    grant = Grant(
        id=secret_id(secret),
        form="token",
        uid=user.uid,
        user=user.name,
        name=title,
        scopes=tuple(sorted(set(scopes), key=list(Scope).index)),
        expires=now() + timedelta(days=days),
    )
    detail = f"{title}, of {user.name}: {', '.join(grant.scopes)}, {days} days"
    house.store.add(grant, entry("token.created", grant.id, detail))
    changed(house)
    return grant, secret


def tokens(house: House, owner: str | None = None) -> list[Grant]:
    """Tokens that count, of everybody or of one user, newest first."""
    here = {user.uid: user for user in standing_users(house.store).values()}
    found = _open(house, house.store.find(Grant, form="token", newest_first=True))
    return [each for each in found if each.uid in here and owner in (None, each.user)]


def revoke_token(house: House, token: str, *, owner: str | None = None) -> Grant:
    """Ends a token, by how its id begins or by its name, at once; with `owner`, only one of theirs.

    Raises NightshiftError where none or several are meant.
    """
    meant = [
        each for each in tokens(house, owner) if each.name == token or (len(token) >= 6 and each.id.startswith(token))
    ]
    if len(meant) != 1:
        what = "there is no token" if not meant else f"{len(meant)} tokens are called"
        raise NightshiftError(f"{what} {token!r}; `nightshift tokens list` shows them with their ids")
    _end(house, meant, "token.revoked", meant[0].id, f"{meant[0].name}, of {meant[0].user}")
    return meant[0]


def _open(house: House, grants: Sequence[Grant]) -> list[Grant]:
    ids = {each.id for each in grants}
    over = {each.revoked for each in house.store.find(Revocation, revoked=ids)} if ids else set()
    return [each for each in grants if each.id not in over and each.expires > now()]


def _end(house: House, grants: Sequence[Grant], action: str, subject: str = "", detail: str = "") -> None:
    if grants:
        house.store.add(*map(revocation_of, grants), entry(action, subject or acting().name, detail))
        changed(house)
