"""Append-only events and the views over them, the lease, and the champion pointer."""

from core.store.erasing import Gone
from core.store.errors import LeaseHeld, LeaseLost, Quarantined, StoreBusy, StoreNewer
from core.store.leases import Lease
from core.store.store import Store, open_store
from core.store.tables import KINDS

__all__ = [
    "KINDS",
    "Gone",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "Quarantined",
    "Store",
    "StoreBusy",
    "StoreNewer",
    "open_store",
]
