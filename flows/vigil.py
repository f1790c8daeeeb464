"""One night at a time: the lease, kept for as long as a night lasts."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import psutil

from core.schema import NightshiftError, now
from core.store import Lease, LeaseHeld, LeaseLost, Store, StoreBusy
from flows.tether import lives

__all__ = ["only_night"]

LOOK_S = 0.5


@contextlib.contextmanager
def only_night(store: Store, name: str, ttl_s: float, *, tell: Callable[[str], None]) -> Iterator[Lease]:
    """The lease `name`, renewed in the background until the block ends.

    Waits for the lease of a night that died to run out, and says so through `tell`. Raises NightshiftError where
    another night is alive.
    """
    lease = _take(store, name, ttl_s, tell)
    over = threading.Event()
    heartbeat = threading.Thread(target=_renew, args=(lease, over, tell), name=f"lease {name}", daemon=True)
    heartbeat.start()
    try:
        yield lease
    finally:
        over.set()
        heartbeat.join()
        with contextlib.suppress(StoreBusy):
            lease.release()


def _take(store: Store, name: str, ttl_s: float, tell: Callable[[str], None]) -> Lease:
    first_until = None
    while True:
        try:
            return store.lease(name, _me(), ttl_s)
        except LeaseHeld as held:
            renewed = first_until is not None and held.until > first_until
            if renewed or _lives(held.owner):
                raise NightshiftError(
                    f"a night is already running ({held.owner}); wait until it is over, then ask again"
                ) from None
            if first_until is None:
                first_until = held.until
                seconds = max(0.0, (held.until - now()) / timedelta(seconds=1))
                tell(
                    f"the night before ({held.owner}) died; its lease runs out in {seconds:.0f} s, then this one starts"
                )
        time.sleep(LOOK_S)


def _renew(lease: Lease, over: threading.Event, tell: Callable[[str], None]) -> None:
    """A stage shows the lease's token before its result counts, so a lost lease needs no more than a word here."""
    while not over.wait(lease.ttl_s / 4):
        try:
            lease.renew()
        except LeaseLost as error:
            tell(f"this night has lost its lease and stops: {error}")
            return
        except StoreBusy as error:
            tell(f"the lease could not be renewed yet: {error}")


def _me() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}, started {psutil.Process().create_time():.2f}"


def _lives(owner: str) -> bool:
    """Whether the owner is certainly alive: a process of this machine."""
    words = owner.split()
    if len(words) != 6 or words[3].rstrip(",") != socket.gethostname():
        return False
    return lives(int(words[1]), float(words[5]))
