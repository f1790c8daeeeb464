"""One night at a time: the lease, kept for as long as a night lasts. Nights of all environments begin in turn."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import psutil

from core.schema import NightshiftError, now
from core.store import ERASURE, Lease, LeaseHeld, LeaseLost, Store, StoreBusy
from flows.tether import lives

__all__ = ["in_turn", "only_night"]

LOOK_S = 0.5
LONGEST_WAIT_S = 3600.0
"For an erasure, or for other nights to begin."
BEGINNING = "beginning"
"Name of the lease of a night that begins."


@contextlib.contextmanager
def in_turn(store: Store, ttl_s: float, *, tell: Callable[[str], None]) -> Iterator[None]:
    """Until the block ends no night of any environment begins.

    A night takes its turn before its own lease: so the first of those that are due at the same hour finds all leases
    free that an erasure needs, and no two of them hold what the other waits for. Raises NightshiftError where its turn
    does not come.
    """
    with _kept(_after("another night that begins", lambda _: True, store, BEGINNING, ttl_s, tell), tell):
        yield


@contextlib.contextmanager
def only_night(store: Store, name: str, ttl_s: float, *, tell: Callable[[str], None]) -> Iterator[Lease]:
    """The lease `name`, renewed in the background until the block ends.

    Waits for an erasure to end, and for the lease of a night that died to run out, and says so through `tell`. Raises
    NightshiftError where another night is alive.
    """
    lease = _take(store, name, ttl_s, tell)
    with _kept(lease, tell):
        yield lease


@contextlib.contextmanager
def _kept(lease: Lease, tell: Callable[[str], None]) -> Iterator[None]:
    """Renewed until the block ends, then released."""
    over = threading.Event()
    heartbeat = threading.Thread(target=_renew, args=(lease, over, tell), name=f"lease {lease.name}", daemon=True)
    heartbeat.start()
    try:
        yield
    finally:
        over.set()
        heartbeat.join()
        with contextlib.suppress(StoreBusy):
            lease.release()


def _take(store: Store, name: str, ttl_s: float, tell: Callable[[str], None]) -> Lease:
    first_until = None
    while True:
        try:
            return _after(ERASURE, lambda owner: owner == ERASURE, store, name, ttl_s, tell)
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


def _after(
    what: str, is_it: Callable[[str], bool], store: Store, name: str, ttl_s: float, tell: Callable[[str], None]
) -> Lease:
    """The lease, once those owners have let it go; LeaseHeld is raised where it is another's."""
    late, told = time.monotonic() + LONGEST_WAIT_S, False
    while True:
        try:
            return store.lease(name, _me(), ttl_s)
        except LeaseHeld as held:
            if not is_it(held.owner):
                raise
            if time.monotonic() > late:
                raise NightshiftError(
                    f"{what} ({held.owner}) goes on for more than {LONGEST_WAIT_S:g} s; ask again when it is over"
                ) from None
        if not told:
            tell(f"{what} is at work; this night goes on after it")
            told = True
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
