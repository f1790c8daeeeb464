"""Files by the hash of their content, on anything fsspec can reach."""

import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from core.disk import write_through
from core.media.errors import BlobDamaged
from core.media.versions import Version, earlier_versions, faults_of, is_bucket, remove_version
from core.schema import NightshiftError, Unavailable, new_id

__all__ = ["Blobs", "blob_key"]

KEY = re.compile(r"([0-9a-f]{2})/(\1[0-9a-f]{62})\.[a-z0-9]{1,8}")


def blob_key(data: bytes, suffix: str) -> str:
    """Where `data` is kept: "ab/abcd....suffix", after the SHA-256 of its bytes."""
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest[:2]}/{digest}.{suffix}"


LEFT_S = 600.0
"A file that is still being written after so long is not: whoever wrote it was killed."


class Blobs:
    """Content-addressed files under a local path or an fsspec URL (`memory://`, `s3://bucket/folder`, ...).

    A key is made by `blob_key`, so that no key can lead anywhere else and every file can be checked against its own.
    Every method raises NightshiftError for what is not such a key, and Unavailable where the storage cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._fs: Any
        try:
            self._fs, root = fsspec.core.url_to_fs(url)
        except (ValueError, ImportError, OSError) as error:
            raise NightshiftError(f"blob store {url!r} cannot be used: {error}") from error
        self._root = str(root).rstrip("/")
        self._faults = faults_of(self._fs)

    def put(self, key: str, data: bytes) -> None:
        """Stores `data` under the key made from it; all of it or nothing. Mends what is there but damaged."""
        path = self._path(key)
        if not _fits(key, data):
            raise ValueError(f"the content does not belong under {key}")
        with self._explained(f"cannot write to the blob store {self.url}"):
            if self._fs.exists(path) and _fits(key, self._fs.cat_file(path)):
                return
            if isinstance(self._fs, LocalFileSystem):
                _write_atomically(Path(path), data)
            else:
                # Object stores show an object only once it is whole.
                if not is_bucket(self._fs):
                    self._fs.makedirs(self._fs._parent(path), exist_ok=True)
                self._fs.pipe_file(path, data)

    def get(self, key: str) -> bytes:
        """The content. Raises BlobDamaged where it is not what was put, Unavailable where there is none."""
        path = self._path(key)
        try:
            data: bytes = self._fs.cat_file(path)
        except FileNotFoundError as error:
            raise Unavailable(f"there is no blob {key} in {self.url}") from error
        except self._faults as error:
            raise Unavailable(f"blob {key} in {self.url} cannot be read: {_gist(error)}") from error
        if not _fits(key, data):
            raise BlobDamaged(f"blob {key} in {self.url} is damaged: its content does not match its name")
        return data

    def exists(self, key: str) -> bool:
        """Whether there is something under the key."""
        path = self._path(key)
        with self._explained(f"cannot look into the blob store {self.url}"):
            return bool(self._fs.exists(path))

    def delete(self, key: str) -> None:
        """Removes what is under the key, what killed writes of it left, and the versions of it that a bucket keeps.

        Does nothing where there is nothing.

        Raises Unavailable where that fails.
        """
        path = self._path(key)
        with self._explained(f"cannot remove blob {key} of {self.url}"):
            with suppress(FileNotFoundError):
                self._fs.rm_file(path)
            # Marks come last: without its mark an earlier version would be there again.
            for version in self._versions(path):
                remove_version(self._fs, version)
            if isinstance(self._fs, LocalFileSystem):
                _remove_left(Path(path))

    def versions_kept(self, key: str) -> int:
        """How many versions a bucket keeps of what was under the key. Raises Unavailable where that cannot be known."""
        path = self._path(key)
        with self._explained(f"cannot look for versions in the blob store {self.url}"):
            return len(self._versions(path))

    def size(self, key: str) -> int:
        """Bytes under the key. Raises Unavailable where there is nothing."""
        try:
            return int(self._fs.size(self._path(key)))
        except FileNotFoundError as error:
            raise Unavailable(f"there is no blob {key} in {self.url}") from error
        except self._faults as error:
            raise Unavailable(f"cannot look into the blob store {self.url}: {_gist(error)}") from error

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except self._faults as error:
            raise Unavailable(f"{what}: {_gist(error)}") from error

    def _versions(self, path: str) -> list[Version]:
        return [each for each in earlier_versions(self._fs, path) if f"{each.bucket}/{each.key}" == path]

    def _path(self, key: str) -> str:
        if not KEY.fullmatch(key):
            raise NightshiftError(f"{key!r} is not the key of a blob")
        return f"{self._root}/{key}"


def _gist(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _remove_left(path: Path) -> None:
    for aside in path.parent.glob(f".{path.name}.*"):
        with suppress(FileNotFoundError):
            if time.time() - aside.stat().st_mtime > LEFT_S:
                aside.unlink()
    if path.parent.is_dir():
        write_through(path.parent)


def _fits(key: str, data: bytes) -> bool:
    match = KEY.fullmatch(key)
    return match is not None and match[2] == hashlib.sha256(data).hexdigest()


def _write_atomically(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{new_id()}")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    write_through(path.parent)
