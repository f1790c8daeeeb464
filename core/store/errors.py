"""What can go wrong with a store, each with one clear line."""

from datetime import datetime

from core.schema import NightshiftError, Unavailable

__all__ = ["LeaseHeld", "LeaseLost", "Quarantined", "StoreBusy", "StoreNewer"]


class StoreNewer(Unavailable):
    """The store was written by a newer version of Nightshift. Nothing was changed."""


class StoreBusy(Unavailable):
    """Other processes held the store until the deadline. Nothing was written; trying again is safe."""


class LeaseHeld(NightshiftError):
    """Somebody else holds the lease."""

    def __init__(self, name: str, owner: str, until: datetime) -> None:
        super().__init__(f"lease {name!r} is held by {owner!r} until {until.isoformat(timespec='seconds')}")
        self.name = name
        self.owner = owner
        self.until = until


class LeaseLost(NightshiftError):
    """The lease this token stands for has expired, was released, or has gone to someone else."""


class Quarantined(NightshiftError):
    """The release was quarantined; it never serves again."""
