"""No night and no bootstrap goes on while something is erased, and nothing is erased while one runs."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from core.schema import NightshiftError
from core.services.night.record import BOOTSTRAP, bootstrap_lease, lease_name
from core.services.workspace import Workspace
from core.store import ERASURE, Lease, LeaseHeld, LeaseLost, StoreBusy

__all__ = ["while_no_night_runs"]

LEASE_S = 10.0
"An erasure that was killed keeps nights, and the next erasure, waiting for no longer than this."
LOOK_S = 0.2


@contextmanager
def while_no_night_runs(ws: Workspace, lease: Lease | None = None) -> Iterator[Lease]:
    """The lease of a night, or the one that the night which asks holds; no other night runs, and no bootstrap.

    Waits for an erasure that was killed. Raises NightshiftError where one of these runs, or another erasure is at work.
    """
    with ExitStack() as held:
        # Always in the same order, so that of two erasures one waits for the other.
        names = sorted(of(environment) for environment in ws.environments for of in (lease_name, bootstrap_lease))
        taken = [held.enter_context(_kept(_taken(ws, name))) for name in names if lease is None or name != lease.name]
        yield taken[-1] if lease is None else lease


@contextmanager
def _kept(lease: Lease) -> Iterator[Lease]:
    """The lease, renewed until the block is left."""
    with lease:
        over = threading.Event()
        heartbeat = threading.Thread(target=_renew, args=(lease, over), name="lease of an erasure", daemon=True)
        heartbeat.start()
        try:
            yield lease
        finally:
            over.set()
            heartbeat.join()


def _taken(ws: Workspace, name: str) -> Lease:
    until = time.monotonic() + 1.5 * LEASE_S
    while True:
        try:
            return ws.store.lease(name, ERASURE, LEASE_S)
        except LeaseHeld as held:
            if held.owner != ERASURE:
                what = BOOTSTRAP if name.startswith(BOOTSTRAP) else "night"
                raise NightshiftError(
                    f"a {what} is running ({held.owner}; its lease lasts until {held.until:%H:%M:%S} UTC unless it "
                    "goes on); nothing was erased. Ask again when it is over"
                ) from None
            if time.monotonic() > until:
                raise NightshiftError("another erasure is at work; nothing was erased. Ask again later") from None
        time.sleep(LOOK_S)


def _renew(lease: Lease, over: threading.Event) -> None:
    """Each transaction shows the lease's token, so a lost one needs no word here."""
    while not over.wait(lease.ttl_s / 4):
        with suppress(StoreBusy):
            try:
                lease.renew()
            except LeaseLost:
                return
