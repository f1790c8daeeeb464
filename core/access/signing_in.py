"""Signing in: the password compared; guessing slowed down, then stopped. A restart forgives nothing."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

from core.access.acting import STRANGER, Actor, entry
from core.access.directory import standing_users
from core.access.grants import begin_session
from core.access.house import House
from core.access.secrets import hash_password, is_password, wants_new_hash
from core.access.users import find_user, set_password
from core.schema import LoginFailure, NightshiftError, Password, User, content_id, new_id, now

__all__ = ["SignInRefused", "TooManyTries", "change_own_password", "sign_in"]

WRONG = "the name or the password is not right"
_turn = threading.Lock()
"Tries are counted one after the other: many at once would otherwise all be the first."


class SignInRefused(NightshiftError):
    """Not with this name and password."""


class TooManyTries(SignInRefused):
    """Nothing was compared: it is too early for another try."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, round(wait_s))
        wait = f"{self.wait_s} seconds" if self.wait_s < 120 else f"{round(self.wait_s / 60)} minutes"
        super().__init__(f"too many tries; please wait {wait}")


def sign_in(house: House, name: str, password: str, address: str) -> str:
    """The secret for the cookie of a browser whose person is who they say.

    Raises SignInRefused, which does not say whether the name is known, and TooManyTries.
    """
    name = name.strip().lower()
    # Whoever tries without end from one place does not wait here in the way of others.
    wait = _wait_of_address_s(house, address)
    if wait > 0:
        raise TooManyTries(wait)
    with _turn:
        wait = _wait_s(house, content_id(name), address)
        if wait > 0:
            raise TooManyTries(wait)
        user = standing_users(house.store).get(name)
        kept = _password(house, user)
        if not is_password(kept, password) or user is None or user.state != "active":
            _note_failure(house, name, address, user)
            raise SignInRefused(WRONG)
        house.store.erase({LoginFailure: {"name": [content_id(name)]}})
    if kept is not None and wants_new_hash(kept):
        again = Password(id=new_id(), uid=user.uid, hash=hash_password(password))
        house.store.erase({Password: {"uid": [user.uid]}}, added=[again])
    return begin_session(house, user, address)


def change_own_password(house: House, who: Actor, old: str, new: str) -> None:
    """Another password for whoever is signed in; their other browsers are signed out.

    Raises NightshiftError where the old one is not right, which counts as a failed sign-in, or the new one will not do.
    """
    if who.grant is None:
        raise NightshiftError("nobody is signed in here, so there is no password to change")
    user = find_user(house, who.name)
    with _turn:
        wait = _wait_s(house, content_id(user.name), who.address or "")
        if wait > 0:
            raise TooManyTries(wait)
        if not is_password(_password(house, user), old):
            _note_failure(house, user.name, who.address or "", user)
            raise SignInRefused("the present password is not right")
    set_password(house, user.name, new, keep=who.grant)


def _password(house: House, user: User | None) -> str | None:
    found = house.store.find(Password, uid=user.uid) if user is not None else []
    return found[-1].hash if found else None


def _note_failure(house: House, name: str, address: str, user: User | None) -> None:
    """What was typed as a name is kept only where it is one."""
    who = (
        Actor(user.name, user.role, "console", address)
        if user
        else Actor(STRANGER.name, STRANGER.role, "console", address)
    )
    failure = LoginFailure(id=new_id(), name=content_id(name), address=address)
    old = [each.id for each in house.store.find(LoginFailure, address=address) if each.at < _since(house)]
    lines = [entry("login.failed", user.name if user else "", by=who)]
    told = house.settings.access
    if len(_recent(house, house.store.find(LoginFailure, name=failure.name))) + 1 == told.lock_after:
        lines.append(entry("login.locked", user.name if user else "", f"for {told.lock_minutes:g} minutes", by=who))
    house.store.erase({LoginFailure: {"id": old}}, added=[failure, *lines])


def _wait_s(house: House, name: str, address: str) -> float:
    """Seconds until another try is taken: none, then 1, 2, 4 ... after each failure, then all of the lock."""
    told = house.settings.access
    of_user = _recent(house, house.store.find(LoginFailure, name=name))
    of_user_s = _wait_after(house, of_user, slow_after=told.slow_after, lock_after=told.lock_after)
    return max(of_user_s, _wait_of_address_s(house, address))


def _wait_of_address_s(house: House, address: str) -> float:
    told = house.settings.access
    return _wait_after(
        house,
        _recent(house, house.store.find(LoginFailure, address=address)),
        slow_after=told.slow_after * told.lock_address_after // told.lock_after,
        lock_after=told.lock_address_after,
    )


def _wait_after(house: House, failures: Sequence[datetime], *, slow_after: int, lock_after: int) -> float:
    if len(failures) < slow_after:
        return 0.0
    lock_s = house.settings.access.lock_minutes * 60
    pause_s = lock_s if len(failures) >= lock_after else min(lock_s, 2.0 ** (len(failures) - slow_after))
    return pause_s - (now() - failures[-1]).total_seconds()


def _recent(house: House, failures: Sequence[LoginFailure]) -> list[datetime]:
    return [each.at for each in failures if each.at >= _since(house)]


def _since(house: House) -> datetime:
    return now() - timedelta(minutes=house.settings.access.lock_minutes)
