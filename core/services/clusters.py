"""Which pictures are near-duplicates of each other."""

import threading

import numpy as np

from core.schema import Example, Media, Tombstone
from core.store import Store

__all__ = ["VARIANT_SOURCE", "ClusterIndex"]

VARIANT_SOURCE = "variant"
"Source of pictures that were made, not taken in; they belong to their parent's cluster."


class ClusterIndex:
    """The cluster of a picture: that of the first earlier one within `distance` bits, else its own id.

    Follows the store's order, so every process finds the same clusters.
    """

    def __init__(self, store: Store, distance: int) -> None:
        self._store, self._distance = store, distance
        self._lock = threading.Lock()
        self._seen = 0
        self._hashes = np.zeros(0, dtype=np.uint64)
        self._members: list[str] = []
        self._cluster_of: dict[str, str] = {}

    def cluster(self, media: str) -> str:
        """The cluster of a stored picture; the id itself where the picture is unknown."""
        with self._lock:
            if media not in self._cluster_of:
                self._catch_up()
            return self._cluster_of.get(media, media)

    def known(self) -> set[str]:
        """Ids of all pictures taken in so far."""
        with self._lock:
            self._catch_up()
            return set(self._members)

    def begin_again(self) -> None:
        """Forgets what it knows: something was erased."""
        with self._lock:
            self._seen, self._hashes, self._members, self._cluster_of = 0, np.zeros(0, dtype=np.uint64), [], {}

    def _told(self) -> dict[str, str]:
        """Clusters that examples were given. Where the picture that began one was erased, only they say which it is."""
        if not self._store.count(Tombstone):
            return {}
        told: dict[str, str] = {}
        for example in self._store.find(Example, parent=None):
            for media in example.media:
                told.setdefault(media, example.cluster)
        return told

    def _catch_up(self) -> None:
        told = self._told() if self._seen == 0 else {}
        new = self._store.numbered(Media, self._seen)
        self._seen = new[-1][0] if new else self._seen
        taken_in = [media for _, media in new if media.source != VARIANT_SOURCE]
        added = np.array([int(media.phash, 16) for media in taken_in], dtype=np.uint64)
        hashes = np.concatenate([self._hashes, added])
        for position, media in enumerate(taken_in, start=len(self._members)):
            distances = np.bitwise_count(hashes[:position] ^ hashes[position])
            near = np.flatnonzero(distances <= self._distance)
            first = self._members[int(near[0])] if near.size else None
            self._cluster_of[media.id] = told.get(media.id) or (self._cluster_of[first] if first else media.id)
            self._members.append(media.id)
        self._hashes = hashes
