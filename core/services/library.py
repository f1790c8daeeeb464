"""Pictures of a home, and what can be read off them, as policies and judges ask for them."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, TypeVar

from PIL.Image import Image

from core.media import Blobs, open_image
from core.reading import DerivedCache, Reading, Sessions, read_image
from core.reading.incremental import Sight, read_again
from core.schema import Media, NightshiftError
from core.store import Store

if TYPE_CHECKING:
    from core.policy.base import Arrays

__all__ = ["LocalLibrary"]

KNOWN = 10_000
"Pictures whose record is remembered, and files that are known to be one of them."
READ = 1_000
"Readings that are kept in memory; the others are in files."
TURNS = 16
"Pictures that can be read at once; two threads that want the same one read it once."

K = TypeVar("K")
V = TypeVar("V")


class LocalLibrary:
    """Pictures from the blob store, readings from the cache. Meets `core.policy.Library`. Any thread may ask."""

    def __init__(self, store: Store, blobs: Blobs, cache: DerivedCache) -> None:
        self._store, self._blobs, self._cache = store, blobs, cache
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Media] = OrderedDict()
        self._files: OrderedDict[bytes, str] = OrderedDict()
        self._readings: OrderedDict[str, Reading] = OrderedDict()
        self._sessions = Sessions()
        self._turns = tuple(threading.Lock() for _ in range(TURNS))
        self.hits = {"picture": 0, "reading": 0}
        "How often a file was known already, and a reading in memory."
        self.misses = {"picture": 0, "reading": 0}

    def remember(self, media: Media, data: bytes | None = None, name: str | None = None) -> None:
        """Saves look-ups: the caller has the record at hand, and maybe the file and name under which it came in."""
        with self._lock:
            _keep(self._known, media.id, media, KNOWN)
            if data is not None:
                _keep(self._files, _digest(data, name), media.id, KNOWN)

    def taken_in(self, data: bytes, name: str | None) -> Media | None:
        """The picture that this file was, where it came in under that name lately and is still here."""
        digest = _digest(data, name)
        with self._lock:
            media = self._known.get(self._files.get(digest, ""))
            if media is not None:
                self._files.move_to_end(digest)
                self._known.move_to_end(media.id)
        here = media is not None and self._blobs.exists(media.blob)
        self._count("picture", here)
        return media if here else None

    def forget(self, media: Collection[str]) -> None:
        """Lets go of what is remembered of these pictures, and of the last screen of every session."""
        gone = set(media)
        with self._lock:
            for id in gone:
                self._known.pop(id, None)
                self._readings.pop(id, None)
            # What a file is known by holds its name.
            for digest in [digest for digest, id in self._files.items() if id in gone]:
                del self._files[digest]
            self._sessions = Sessions()

    def data(self, media: str) -> bytes:
        """The stored file. Raises NightshiftError for an unknown id or a missing file."""
        return self._blobs.get(self._record(media).blob)

    def image(self, media: str) -> Image:
        return open_image(self.data(media))

    def reading(self, media: str) -> Reading:
        kept = self._read_lately(media)
        self._count("reading", kept is not None)
        if kept is not None:
            return kept
        return self._read_once(media, lambda image: self._sessions.read(image, self._record(media).session))

    def read_by(self, media: str, image: Image, known: Sight) -> None:
        """Reads a picture, unless it has been: only what differs from `known`, if that is little. `image` is the
        picture of `media` as it was before it was kept, which may have made it smaller."""

        def read(kept: Image) -> Reading:
            sight = read_again(known, image) if image.size == kept.size else None
            return read_image(kept) if sight is None else sight.reading

        self._read_once(media, read)

    def keep_reading(self, media: str, reading: Reading) -> None:
        """Keeps a reading that was made already, unless there is one."""
        self._cache.reading(media, lambda: self.image(media), lambda _: reading)

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":
        return self._cache.arrays(media, name, make)

    def _record(self, media: str) -> Media:
        with self._lock:
            known = self._known.get(media)
        if known is None:
            known = self._store.get(Media, media)
            if known is None:
                raise NightshiftError(f"there is no picture {media!r} here")
            self.remember(known)
        return known

    def _read_once(self, media: str, read: Callable[[Image], Reading]) -> Reading:
        with self._turns[hash(media) % TURNS]:
            # Whoever had the turn before may have read the same picture.
            reading = self._read_lately(media) or self._cache.reading(media, lambda: self.image(media), read)
            with self._lock:
                _keep(self._readings, media, reading, READ)
        return reading

    def _read_lately(self, media: str) -> Reading | None:
        with self._lock:
            if media in self._readings:
                self._readings.move_to_end(media)
            return self._readings.get(media)

    def _count(self, what: str, hit: bool) -> None:
        with self._lock:
            counted = self.hits if hit else self.misses
            counted[what] += 1


def _digest(data: bytes, name: str | None) -> bytes:
    return hashlib.sha256(data).digest() + (name or "").encode()


def _keep(kept: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)
