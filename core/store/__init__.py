"""Append-only events and the views over them, the lease, and the champion pointer."""

from core.store.database import store_exists, store_name
from core.store.erasing import Gone
from core.store.errors import LeaseHeld, LeaseLost, Quarantined, StoreBusy, StoreNewer
from core.store.image import Image, build_store, image_of, values_in, verify_image, write_image
from core.store.leases import Lease
from core.store.store import Store, open_store
from core.store.tables import KINDS

__all__ = [
    "KINDS",
    "Gone",
    "Image",
    "Lease",
    "LeaseHeld",
    "LeaseLost",
    "Quarantined",
    "Store",
    "StoreBusy",
    "StoreNewer",
    "build_store",
    "image_of",
    "open_store",
    "store_exists",
    "store_name",
    "values_in",
    "verify_image",
    "write_image",
]
