"""Append-only events and the views over them, the lease, and the champion pointer."""

from core.store.claims import Ticket
from core.store.database import store_exists, store_name
from core.store.erasing import Gone
from core.store.errors import LeaseHeld, LeaseLost, Quarantined, StoreBusy, StoreNewer
from core.store.image import Image, build_store, image_of, values_in, verify_image, write_image
from core.store.leases import ERASURE, Lease
from core.store.queue import ANYTHING, Asked, Order, Sought
from core.store.store import Store, open_store
from core.store.summing import Answered, DayIndex, DayOfPredictions, Word
from core.store.tables import KINDS

__all__ = [
    "ANYTHING",
    "ERASURE",
    "KINDS",
    "Answered",
    "Asked",
    "DayIndex",
    "DayOfPredictions",
    "Gone",
    "Image",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "Order",
    "Quarantined",
    "Sought",
    "Store",
    "StoreBusy",
    "StoreNewer",
    "Ticket",
    "Word",
    "build_store",
    "image_of",
    "open_store",
    "store_exists",
    "store_name",
    "values_in",
    "verify_image",
    "write_image",
]
