"""Checkpoint folders by the hash of what is in them.

A folder appears under its id whole or not at all: it is copied aside on the same file system, written through to
disk, and renamed. Whoever copies holds a lock on a file beside the copy, which the kernel releases when the process
dies; so what a killed process left can be told from what a living one is writing, whatever the clocks say.
"""

import fcntl
import hashlib
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from safetensors import SafetensorError, safe_open

from core.disk import sha256_of, write_through
from core.schema import NightshiftError, Unavailable, content_id

__all__ = ["ALLOWED", "Shelf"]

ALLOWED = (".safetensors", ".json", ".txt", ".md")
"What a checkpoint may consist of: nothing that runs when it is loaded."

CHUNK = 1 << 20
LOCK_S = 30.0
Signature: TypeAlias = tuple[tuple[str, int, int], ...]


class Shelf:
    """Content-addressed folders under `root`; several processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folders = root / "checkpoints"
        self.incoming = root / "incoming"
        self._verified: dict[str, Signature] = {}

    def add(self, directory: Path) -> str:
        """Copies a folder in and returns its id; nothing changes where it is there already.

        Raises NightshiftError for a folder with anything else than regular .safetensors, .json, .txt and .md files,
        for a .safetensors file that is none, and where there is no room.
        """
        files = _files(directory)
        try:
            self.folders.mkdir(parents=True, exist_ok=True)
            self.sweep()
            with self._aside() as aside:
                id = content_id(*sorted(_copy(files, aside / "content").items()))
                self._settle(id, aside)
        except OSError as error:
            raise NightshiftError(f"cannot keep {directory} in {self.root}: {error.strerror or error}") from error
        return id

    def path(self, id: str) -> Path:
        """The folder of an id, whose content was compared with the id at least once since it last changed.

        Raises Unavailable for one that is missing or damaged.
        """
        folder = self.folders / id
        if not re.fullmatch("[0-9a-f]{64}", id) or not folder.is_dir():
            raise Unavailable(f"there is no checkpoint {id!r} in {self.root}")
        signature = _signature(folder)
        if signature is None or self._verified.get(id) != signature:
            if signature is None or not _holds(folder, id):
                raise Unavailable(f"checkpoint {id} in {folder} is damaged: its files are not what was saved")
            self._verified[id] = signature
        return folder

    def id_of(self, directory: Path) -> str:
        """The id that a folder's content has. Raises NightshiftError for what has no place in a checkpoint."""
        try:
            return content_id(*sorted((name, sha256_of(path)) for name, path in _files(directory).items()))
        except OSError as error:
            raise NightshiftError(f"{directory} cannot be read: {error.strerror or error}") from error

    def sweep(self) -> int:
        """Removes what killed processes left half copied; returns how many copies."""
        removed = 0
        for folder in {path.with_suffix("") for path in self.incoming.glob("*")}:
            descriptor = _take(folder.with_suffix(".lock"))
            if descriptor is None:
                continue
            removed += folder.is_dir()
            _discard(folder, descriptor)
        return removed

    def _settle(self, id: str, aside: Path) -> None:
        """Puts a complete copy where it belongs, unless a sound one is there."""
        folder = self.folders / id
        if folder.is_dir() and not _holds(folder, id):
            with suppress(FileNotFoundError):
                folder.rename(aside / "damaged")
        try:
            (aside / "content").rename(folder)
        except OSError:
            if not (folder.is_dir() and _holds(folder, id)):
                raise
            # Whoever keeps it again is about to use it: it is as young as if it had just been copied.
            os.utime(folder)
        write_through(self.folders)

    @contextmanager
    def still(self) -> Iterator[None]:
        """A block in which no folder is taken away. Raises NightshiftError where folders are for too long."""
        with self._held(fcntl.LOCK_SH):
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A block in which folders may be taken away: nobody relies on one meanwhile. Raises NightshiftError."""
        with self._held(fcntl.LOCK_EX):
            yield

    def folders_of(self) -> dict[str, Path]:
        """Every folder there is, by its id; nothing is verified."""
        return {path.name: path for path in sorted(self.folders.glob("*")) if re.fullmatch("[0-9a-f]{64}", path.name)}

    def take_away(self, id: str) -> None:
        """Removes a folder: gone at once for readers, then deleted. To be called inside `alone`."""
        with self._aside() as aside, suppress(FileNotFoundError):
            (self.folders / id).rename(aside / "removed")
        self._verified.pop(id, None)

    @contextmanager
    def _held(self, how: int) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / "collecting.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            until = time.monotonic() + LOCK_S
            while True:
                try:
                    fcntl.flock(descriptor, how | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise Unavailable(f"another process was at work in {self.root} for {LOCK_S:g} s") from None
                    time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _aside(self) -> Iterator[Path]:
        """A new folder that nobody sweeps while this process lives."""
        self.incoming.mkdir(parents=True, exist_ok=True)
        descriptor = None
        while descriptor is None:
            folder = self.incoming / uuid.uuid4().hex
            descriptor = _take(folder.with_suffix(".lock"))
        try:
            folder.mkdir()
            yield folder
        finally:
            _discard(folder, descriptor)


def _take(lock: Path) -> int | None:
    """Locks a file, made where needed; its descriptor, or None where another process has it or just removed it."""
    descriptor = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    # A sweeper may have locked and removed the file between our opening and our locking it.
    if os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return None
    return descriptor


def _discard(folder: Path, descriptor: int) -> None:
    """Removes a folder, then its lock."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix(".lock").unlink(missing_ok=True)
    os.close(descriptor)


def _files(directory: Path) -> dict[str, Path]:
    """Relative name to file, in order of names. Raises NightshiftError for anything that has no place there."""
    if directory.is_symlink() or not directory.is_dir():
        raise NightshiftError(f"{directory} is not a folder")
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_symlink():
            raise NightshiftError(f"{path} is a link; a checkpoint consists of plain files")
        if path.is_dir():
            continue
        if not path.is_file() or path.suffix not in ALLOWED:
            raise NightshiftError(f"{path} has no place in a checkpoint; only {', '.join(ALLOWED)} files do")
        found[path.relative_to(directory).as_posix()] = path
    if not found:
        raise NightshiftError(f"{directory} is empty; a checkpoint needs at least one file")
    return found


def _copy(files: Mapping[str, Path], target: Path) -> dict[str, str]:
    """Copies through to disk; returns relative name to SHA-256 of what was written."""
    hashes = {}
    for name, source in files.items():
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with source.open("rb") as reader, copy.open("xb") as writer:
            while chunk := reader.read(CHUNK):
                digest.update(chunk)
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
        _refuse_false_weights(copy, source)
        hashes[name] = digest.hexdigest()
    for folder in {copy.parent for copy in map(target.joinpath, files)} | {target}:
        write_through(folder)
    return hashes


def _refuse_false_weights(copy: Path, source: Path) -> None:
    if copy.suffix != ".safetensors":
        return
    try:
        with safe_open(copy, framework="np"):
            pass
    except SafetensorError as error:
        raise NightshiftError(f"{source} is not a safetensors file: {error}") from error


def _holds(folder: Path, id: str) -> bool:
    """Whether the folder's content is what the id says."""
    try:
        files = _files(folder)
        hashes = {name: sha256_of(path) for name, path in files.items()}
    except (NightshiftError, OSError):
        return False
    return content_id(*sorted(hashes.items())) == id


def _signature(folder: Path) -> Signature | None:
    """Changes whenever a file of the folder is written, added or removed; None where one goes away meanwhile."""
    try:
        stats = [(path, path.lstat()) for path in sorted(folder.rglob("*"))]
    except FileNotFoundError:
        return None
    return tuple((path.relative_to(folder).as_posix(), stat.st_size, stat.st_mtime_ns) for path, stat in stats)
