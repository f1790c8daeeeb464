"""One opened installation: its settings, store, pictures, registry, and what can be read off a picture."""

import json
import tempfile
from copy import copy
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from pydantic import TypeAdapter

from core.environments import Environment, environment
from core.environments.screen.privacy import ui_text
from core.media import Blobs
from core.reading import DerivedCache
from core.registry import Registry
from core.schema import NightshiftError, Run, Tombstone
from core.services.clusters import ClusterIndex
from core.services.library import LocalLibrary
from core.settings import (
    GateSettings,
    GroupQcSettings,
    JudgingSettings,
    LearningSettings,
    NamedJudgeSettings,
    ReaderSettings,
    ReplaySettings,
    RewardSettings,
    Settings,
    VariantSettings,
    VlmSettings,
    load_settings,
)
from core.store import Store, open_store

__all__ = ["Workspace", "derived_cache"]


UI_TEXT = "ui_text"


def derived_cache(settings: Settings) -> DerivedCache:
    """What is kept of readings under these settings; what privacy leaves out never lies beside what it kept."""
    if settings.reading.privacy == "ui_text":
        return DerivedCache(settings.cache_dir / UI_TEXT, ui_text)
    return DerivedCache(settings.cache_dir)


NAMED_JUDGES = TypeAdapter(dict[str, NamedJudgeSettings])


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
        for name in workspace.environments:
            if workspace.store.champion(name) is None:
                workspace._install_untrained(name)
        return workspace

    @property
    def environments(self) -> tuple[str, ...]:
        """Names of the problems that are served and learnt here."""
        return tuple(environment(name).name for name in self.settings.environments)

    def of(self, name: str) -> "Workspace":
        """This workspace with the settings as the environment called `name` takes them."""
        own = copy(self)
        own.settings = environment(name).settings(self.settings)
        return own

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

    def served(self, name: str) -> Environment:
        """The same, for one that is served here. Raises NightshiftError that says how to have it served."""
        found = environment(name)
        if name not in self.settings.environments:
            here, wanted = ", ".join(self.settings.environments), json.dumps([*self.settings.environments, name])
            raise NightshiftError(
                f"{name} is not served here, only {here}; to have it, set environments = {wanted} in nightshift.toml"
            )
        return found

    def as_when_begun(self, run: Run) -> "Workspace":
        """This workspace with the settings a night began with, so that a night resumed after a change is the same."""
        begun = copy(self)
        # A night that an older version began may lack a section: it goes on with that section's defaults.
        pinned = {
            "learning": LearningSettings.model_validate(run.config["learning"]),
            "replay": ReplaySettings.model_validate(run.config.get("replay", {})),
            "variants": VariantSettings.model_validate(run.config.get("variants", {})),
            "gate": GateSettings.model_validate(run.config["gate"]),
            "reward": RewardSettings.model_validate(run.config["reward"]),
            "judge": run.config["judge"],
            "judging": JudgingSettings.model_validate(run.config.get("judging", {})),
            "judges": NAMED_JUDGES.validate_python(run.config.get("judges", {})),
            "policy": run.config["policy"],
            "reader": ReaderSettings.model_validate(run.config.get("reader", {})),
            "vlm": VlmSettings.model_validate(run.config["vlm"]),
            "group_qc": GroupQcSettings.model_validate(run.config.get("group_qc", {})),
        }
        begun.settings = self.settings.model_copy(update=pinned)
        return begun

    def run_dir(self, run: str) -> Path:
        """Scratch and report of a night."""
        return self.home / "runs" / run

    def _install_untrained(self, name: str) -> None:
        checkpoints = {}
        for stage, policy in self.environment(name).untrained_stages(self.of(name).settings).items():
            with tempfile.TemporaryDirectory(dir=self.home, prefix=".installing-") as folder:
                policy.save(Path(folder))
                put = self.registry.put(Path(folder), environment=name, policy=policy.name, parent=None, run=None)
            checkpoints[stage] = put.id
        release = self.registry.release(name, checkpoints)
        self.registry.install(release, reason="the untrained model")
