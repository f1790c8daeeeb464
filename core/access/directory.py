"""Who is who, as a server needs it for every request: kept in memory, and looked up again when it changed."""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from core.access.house import House
from core.schema import Grant, NightshiftError, Revocation, Unavailable, User, new_id, now
from core.settings import Settings
from core.store import Store, open_store, store_exists

__all__ = ["Directory", "changed", "has_users", "standing_users"]

LOOK_S = 2.0
"Changes made on other machines count after so long; those of this one at once."
STALE_S = 60.0
"For so long a store that is busy is no reason to lock everybody out."


def changed(house: House) -> None:
    """Tells every process of this machine that users, sessions or tokens changed; to be called after the commit."""
    stamp = _stamp(house)
    aside = stamp.with_suffix(f".{new_id()}")
    try:
        aside.touch()
        aside.replace(stamp)
    except OSError as error:
        raise NightshiftError(f"{stamp} cannot be written: {error.strerror or error}") from error


def standing_users(store: Store) -> dict[str, User]:
    """Every user that was not removed, by name."""
    return {user.name: user for user in _last_written(store.find(User)).values() if user.state != "removed"}


def has_users(settings: Settings) -> bool:
    """Whether anybody has to sign in at this home, which need not be there yet."""
    return store_exists(settings.store_url) and bool(standing_users(open_store(settings.store_url)))


class Directory:
    """The users, sessions and tokens that count at this moment. Any number of threads may ask."""

    def __init__(self, house: House, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.house = house
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._stamp: tuple[int, int] | None = None
        self._seen: dict[type, int] = {User: 0, Grant: 0, Revocation: 0}
        self._users: dict[str, User] = {}
        self._grants: dict[str, Grant] = {}
        self._revoked: set[str] = set()

    def is_fresh(self) -> bool:
        """Whether the next question needs no look at the store."""
        return self._clock() - self._looked_at < LOOK_S and _written(_stamp(self.house)) == self._stamp

    def has_users(self) -> bool:
        """Whether anybody has to sign in. Raises Unavailable where that cannot be known."""
        self._look()
        return any(user.state != "removed" for user in self._users.values())

    def owner(self, grant_id: str, form: str, at: datetime | None = None) -> tuple[Grant, User] | None:
        """The grant with this id and whose it is; None where it is none, or is over, or its owner may not come in."""
        self._look()
        grant = self._grants.get(grant_id)
        if grant is None or grant.form != form or grant.id in self._revoked or grant.expires <= (at or now()):
            return None
        user = self._users.get(grant.user)
        if user is None or user.uid != grant.uid or user.state != "active":
            return None
        return grant, user

    def _look(self) -> None:
        with self._lock:
            if self.is_fresh():
                return
            # Read before the store: a change in between is looked up once more, and none is missed.
            stamp, age = _written(_stamp(self.house)), self._clock() - self._looked_at
            try:
                self._read()
            except Unavailable:
                if age > STALE_S:
                    raise
                return
            self._stamp, self._looked_at = stamp, self._clock()

    def _read(self) -> None:
        store = self.house.store
        users = store.numbered(User, self._seen[User])
        grants = store.numbered(Grant, self._seen[Grant])
        ended = store.numbered(Revocation, self._seen[Revocation])
        self._users |= _last_written([user for _, user in users])
        self._grants |= {grant.id: grant for _, grant in grants}
        self._revoked |= {each.revoked for _, each in ended}
        for kind, found in ((User, users), (Grant, grants), (Revocation, ended)):
            if found:
                self._seen[kind] = found[-1][0]
        self._let_go()

    def _let_go(self) -> None:
        over = {id for id, grant in self._grants.items() if grant.expires <= now() or id in self._revoked}
        for id in over:
            del self._grants[id]


def _last_written(users: list[User]) -> dict[str, User]:
    return {user.name: user for user in users}


def _stamp(house: House) -> Path:
    return house.settings.home / "access.stamp"


def _written(path: Path) -> tuple[int, int] | None:
    """Which file it is, and since when: two of the same moment are two files."""
    try:
        found = path.stat()
        return found.st_ino, found.st_mtime_ns
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NightshiftError(f"{path} cannot be looked at: {error.strerror}") from error
