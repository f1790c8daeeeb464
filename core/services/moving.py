"""An installation as a whole: into a backup, out of one, and from one store to another.

Records come first, as they stood at one moment; then the pictures and checkpoints that those records name. Both are
only ever added before the records that name them, so whatever is written meanwhile, nothing is missing from what was
taken. On the way back the store is made last and at once: until then there is no installation.
"""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

from core.disk import write_through
from core.media import Blobs
from core.registry import Shelf
from core.schema import Checkpoint, Media, NightshiftError, new_id
from core.settings import Settings, load_settings, resolve_home
from core.store import (
    Image,
    Store,
    build_store,
    image_of,
    open_store,
    store_exists,
    store_name,
    values_in,
    verify_image,
    write_image,
)

__all__ = ["Copied", "Manifest", "backup", "copy_store", "restore"]

FORMAT = 1
MANIFEST, RECORDS, BLOBS, REGISTRY, SETTINGS = "manifest.json", "records", "blobs", "registry", "nightshift.toml"
PAGES = ("report.html", "report.md")
Progress: TypeAlias = Callable[[int, int], None]
"""Told how many of how many pictures and checkpoints are done."""


def _untold(done: int, total: int) -> None: ...


class Manifest(BaseModel):
    """What an installation consists of. Its hash is the same wherever the same things are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    store: Image
    pictures: int
    "Files that the records name and that are whole."
    pictures_sha256: str
    checkpoints: tuple[str, ...]
    "Ids of those that are whole; weights that were removed are no loss."
    missing: tuple[str, ...]
    "Pictures that records name and that are damaged or not there, and checkpoints that are damaged."

    @property
    def sha256(self) -> str:
        """Hex digest of what is whole; what is missing follows from it."""
        return hashlib.sha256(self.model_dump_json(exclude={"missing"}).encode()).hexdigest()


class Copied(BaseModel):
    """One installation in two places."""

    source: Manifest
    target: Manifest


class Names(BaseModel):
    """What the records of an image name."""

    pictures: tuple[str, ...]
    checkpoints: tuple[str, ...]

    @classmethod
    def of(cls, records: Path) -> "Names":
        """Out of the files of an image."""
        return cls(pictures=values_in(records, Media, "blob"), checkpoints=values_in(records, Checkpoint, "id"))


class Depot:
    """Where pictures and checkpoints lie, each under the hash of its content."""

    def __init__(self, blobs: str, registry: Path) -> None:
        self.blobs = Blobs(blobs)
        self.shelf = Shelf(registry)

    @classmethod
    def of(cls, settings: Settings) -> "Depot":
        """That of an installation."""
        return cls(settings.blobs_url, settings.registry_dir)

    @classmethod
    def below(cls, folder: Path) -> "Depot":
        """That of a backup."""
        return cls(str(folder / BLOBS), folder / REGISTRY)

    def manifest(
        self, image: Image, names: Names, *, into: "Depot | None" = None, progress: Progress = _untold
    ) -> Manifest:
        """What is here of what the records name, every file of it verified and copied `into` another depot."""
        total = len(names.pictures) + len(names.checkpoints)
        pictures: list[str] = []
        missing: list[str] = []
        checkpoints = []
        for done, key in enumerate(names.pictures):
            progress(done, total)
            (pictures if self._take_picture(key, into) else missing).append(key)
        with self.shelf.still():
            for done, id in enumerate(names.checkpoints, len(names.pictures)):
                progress(done, total)
                if self._take_checkpoint(id, into):
                    checkpoints.append(id)
                elif id in self.shelf.folders_of():
                    missing.append(id)
        return Manifest(
            store=image,
            pictures=len(pictures),
            pictures_sha256=hashlib.sha256("\n".join(pictures).encode()).hexdigest(),
            checkpoints=tuple(checkpoints),
            missing=tuple(missing),
        )

    def _take_picture(self, key: str, into: "Depot | None") -> bool:
        try:
            data = self.blobs.get(key)
        except NightshiftError:
            return False
        if into is not None:
            into.blobs.put(key, data)
        return True

    def _take_checkpoint(self, id: str, into: "Depot | None") -> bool:
        try:
            folder = self.shelf.path(id)
        except NightshiftError:
            return False
        if into is not None:
            into.shelf.add(folder)
        return True


def backup(home: Path | None, target: Path, *, progress: Progress = _untold) -> Manifest:
    """Copies an installation into the new folder `target`, while it is used: everything acknowledged before the call.

    Raises NightshiftError where there is something at `target` already, or no room; then there is no backup.
    """
    if target.exists():
        raise NightshiftError(f"{target} is there already; a backup is never written over another")
    settings = load_settings(home)
    store = _opened(settings.store_url)
    aside = target.absolute().with_name(f".{target.name}.{new_id()}.partial")
    try:
        aside.mkdir(parents=True)
        image = write_image(store.database, aside / RECORDS)
        verify_image(image, aside / RECORDS)
        manifest = Depot.of(settings).manifest(
            image, Names.of(aside / RECORDS), into=Depot.below(aside), progress=progress
        )
        _copy_texts(settings.home, aside)
        written = {"sha256": manifest.sha256, **manifest.model_dump(mode="json")}
        (aside / MANIFEST).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
        for path in aside.rglob("*"):
            write_through(path)
        aside.rename(target)
        write_through(target.absolute().parent)
    except OSError as error:
        raise NightshiftError(f"cannot write the backup {target}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return manifest


def restore(home: Path | None, source: Path, *, progress: Progress = _untold) -> Manifest:
    """Makes an installation at `home`, with the store that its settings name, out of a backup.

    Where the home has no settings it takes those of the backup. Raises NightshiftError for a backup that is not
    whole, and where there is a store already; then there is no installation that was not there before.
    """
    told = _read_manifest(source)
    place = resolve_home(home)
    given = not (place / SETTINGS).exists() and (source / SETTINGS).exists()
    try:
        if given:
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / SETTINGS, place / SETTINGS)
        settings = load_settings(place)
        if store_exists(settings.store_url):
            raise NightshiftError(f"there is a store at {store_name(settings.store_url)} already; it is left as it is")
        verify_image(told.store, source / RECORDS)
        found = Depot.below(source).manifest(
            told.store, Names.of(source / RECORDS), into=Depot.of(settings), progress=progress
        )
        if found.sha256 != told.sha256:
            lost = {*found.missing, *told.checkpoints} - {*told.missing, *found.checkpoints}
            which = ", ".join(sorted(lost)[:3])
            raise NightshiftError(f"the backup {source} is damaged: {which or 'it is not what its manifest says'}")
        _copy_texts(source, place)
        build_store(settings.store_url, told.store, source / RECORDS)
    except BaseException as error:
        if given:
            (place / SETTINGS).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise NightshiftError(f"cannot restore to {place}: {error.strerror or error}") from error
        raise
    return told


def copy_store(
    source: str, target: str, *, home: Path | None, to_home: Path | None = None, progress: Progress = _untold
) -> Copied:
    """Makes the store at URL `target` hold what the one at `source` does, and looks at both afterwards.

    Pictures and checkpoints stay in `home`, or are copied to where `to_home` keeps them. Raises NightshiftError where
    there is no store at `source` or one at `target`, and where the two do not hold the same in the end.
    """
    here = Depot.of(load_settings(home))
    there = here if to_home is None else Depot.of(load_settings(to_home))
    store = _opened(source)
    if store_exists(target):
        raise NightshiftError(f"there is a store at {store_name(target)} already; it is left as it is")
    with tempfile.TemporaryDirectory(prefix="nightshift-") as folder:
        records = Path(folder) / RECORDS
        image = write_image(store.database, records)
        names = Names.of(records)
        before = here.manifest(image, names, into=None if there is here else there, progress=progress)
        build_store(target, image, records)
        after = there.manifest(image_of(open_store(target).database), names)
    if after.sha256 != before.sha256:
        raise NightshiftError(
            f"what is at the target ({after.sha256[:12]}) is not what was copied ({before.sha256[:12]})"
        )
    return Copied(source=before, target=after)


def _opened(url: str) -> Store:
    if not store_exists(url):
        raise NightshiftError(f"there is no store at {store_name(url)}")
    return open_store(url)


def _read_manifest(source: Path) -> Manifest:
    try:
        told = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        sha256 = told.pop("sha256")
        if told.get("format") != FORMAT:
            raise NightshiftError(f"the backup {source} has format {told.get('format')}; this version reads {FORMAT}")
        manifest = Manifest.model_validate(told)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise NightshiftError(f"{source} is not a whole backup: its {MANIFEST} is missing or damaged") from error
    if manifest.sha256 != sha256:
        raise NightshiftError(f"the backup {source} is damaged: its {MANIFEST} was changed")
    return manifest


def _copy_texts(source: Path, target: Path) -> None:
    """Settings and the pages of nights, which are no records; what is there already stays."""
    for path in [source / SETTINGS, *(path for name in PAGES for path in source.glob(f"runs/*/{name}"))]:
        copy = target / path.relative_to(source)
        if path.is_file() and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
