"""One opened installation: its settings, store, pictures, registry, and what can be read off a picture."""

import tempfile
import threading
from collections.abc import Callable, Collection
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from PIL.Image import Image
from pydantic import TypeAdapter

from core.environments import Environment, environment, environments
from core.environments.screen.privacy import ui_text
from core.media import Blobs, open_image
from core.reading import DerivedCache, Reading, Sessions
from core.registry import Registry
from core.schema import Media, NightshiftError, Run, Tombstone
from core.services.clusters import ClusterIndex
from core.settings import (
    GateSettings,
    JudgingSettings,
    LearningSettings,
    NamedJudgeSettings,
    ReaderSettings,
    RewardSettings,
    Settings,
    VlmSettings,
    load_settings,
)
from core.store import Store, open_store

if TYPE_CHECKING:
    from core.policy.base import Arrays

__all__ = ["LocalLibrary", "Workspace", "derived_cache"]


UI_TEXT = "ui_text"


def derived_cache(settings: Settings) -> DerivedCache:
    """What is kept of readings under these settings; what privacy leaves out never lies beside what it kept."""
    if settings.reading.privacy == "ui_text":
        return DerivedCache(settings.cache_dir / UI_TEXT, ui_text)
    return DerivedCache(settings.cache_dir)


NAMED_JUDGES = TypeAdapter(dict[str, NamedJudgeSettings])


class LocalLibrary:
    """Pictures from the blob store, readings from the cache. Meets `core.policy.Library`."""

    def __init__(self, store: Store, blobs: Blobs, cache: DerivedCache) -> None:
        self._store, self._blobs, self._cache = store, blobs, cache
        self._keys: dict[str, str] = {}
        self._session_of: dict[str, str | None] = {}
        self._sessions = Sessions()
        self._readings: dict[str, Reading] = {}
        self._reading_lock = threading.Lock()

    def remember(self, media: Media) -> None:
        """Saves a look-up: the caller has the record at hand."""
        self._keys[media.id] = media.blob
        self._session_of[media.id] = media.session

    def forget(self, media: Collection[str]) -> None:
        """Lets go of what is remembered of these pictures, and of the last screen of every session."""
        with self._reading_lock:
            for id in media:
                for remembered in (self._keys, self._session_of, self._readings):
                    remembered.pop(id, None)
            self._sessions = Sessions()

    def data(self, media: str) -> bytes:
        """The stored file. Raises NightshiftError for an unknown id or a missing file."""
        if media not in self._keys:
            record = self._store.get(Media, media)
            if record is None:
                raise NightshiftError(f"there is no picture {media!r} here")
            self.remember(record)
        return self._blobs.get(self._keys[media])

    def image(self, media: str) -> Image:
        return open_image(self.data(media))

    def reading(self, media: str) -> Reading:
        if media not in self._readings:
            with self._reading_lock:
                self._readings[media] = self._cache.reading(
                    media, lambda: self.image(media), lambda image: self._read(media, image)
                )
        return self._readings[media]

    def keep_reading(self, media: str, reading: Reading) -> None:
        """Keeps a reading that was made already, unless there is one."""
        self._cache.reading(media, lambda: self.image(media), lambda _: reading)

    def _read(self, media: str, image: Image) -> Reading:
        return self._sessions.read(image, self._session_of[media])

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":
        return self._cache.arrays(media, name, make)


class Workspace:
    """Everything a service needs. Cheap to open; holds no database connection."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self.settings = settings
        self.store = store
        self.blobs = Blobs(settings.blobs_url)
        self.registry = Registry(settings.registry_dir, store)
        self.cache = derived_cache(settings)
        self.library = LocalLibrary(store, self.blobs, self.cache)
        self._stones_seen = 0

    @classmethod
    def open(cls, home: Path | None = None, **overrides: Any) -> Self:
        """Opens the installation at `home`, and makes it first where there is none.

        Raises NightshiftError for settings that are wrong, a home that cannot be written, or one from a newer version.
        """
        settings = load_settings(home, **overrides)
        try:
            settings.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise NightshiftError(f"cannot make the home {settings.home}: {error.strerror or error}") from error
        workspace = cls(settings, open_store(settings.store_url))
        for name in environments():
            if workspace.store.champion(name) is None:
                workspace._install_untrained(name)
        return workspace

    @property
    def home(self) -> Path:
        return self.settings.home

    @cached_property
    def clusters(self) -> ClusterIndex:
        """Near-duplicates among the pictures taken in."""
        return ClusterIndex(self.store, self.settings.review.duplicate_distance)

    def let_go_of_erased(self) -> None:
        """Forgets what this process remembers of pictures that any process has erased since it last looked."""
        if self.store.count(Tombstone) == 0:
            return
        new = self.store.numbered(Tombstone, self._stones_seen)
        if new:
            self.library.forget({stone.content for _, stone in new if stone.what == "media"})
            self.clusters.begin_again()
            self._stones_seen = new[-1][0]

    @property
    def caches(self) -> tuple[DerivedCache, ...]:
        """Every folder of readings that these settings, or others under which this home was run, fill."""
        root = self.settings.cache_dir
        return DerivedCache(root), DerivedCache(root / UI_TEXT)

    def environment(self, name: str) -> Environment:
        """The environment called `name`. Raises NightshiftError naming those there are."""
        return environment(name)

    def as_when_begun(self, run: Run) -> "Workspace":
        """This workspace with the settings a night began with, so that a night resumed after a change is the same."""
        begun = copy(self)
        pinned = {
            "learning": LearningSettings.model_validate(run.config["learning"]),
            "gate": GateSettings.model_validate(run.config["gate"]),
            "reward": RewardSettings.model_validate(run.config["reward"]),
            "judge": run.config["judge"],
            # A night that an older version began may lack a section: it goes on with that section's defaults.
            "judging": JudgingSettings.model_validate(run.config.get("judging", {})),
            "judges": NAMED_JUDGES.validate_python(run.config.get("judges", {})),
            "policy": run.config["policy"],
            "reader": ReaderSettings.model_validate(run.config.get("reader", {})),
            "vlm": VlmSettings.model_validate(run.config["vlm"]),
        }
        begun.settings = self.settings.model_copy(update=pinned)
        return begun

    def run_dir(self, run: str) -> Path:
        """Scratch and report of a night."""
        return self.home / "runs" / run

    def _install_untrained(self, name: str) -> None:
        policy = self.environment(name).untrained_policy(self.settings)
        with tempfile.TemporaryDirectory(dir=self.home, prefix=".installing-") as folder:
            policy.save(Path(folder))
            checkpoint = self.registry.put(Path(folder), environment=name, policy=policy.name, parent=None, run=None)
        release = self.registry.release(name, {"policy": checkpoint.id})
        self.registry.install(release, reason="the untrained model")
