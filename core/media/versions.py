"""What a bucket that keeps versions still holds of objects that were removed from it or written over."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import fsspec

from core.schema import Unavailable

__all__ = [
    "Version",
    "count_versions_below",
    "earlier_versions",
    "faults_of",
    "is_bucket",
    "remove_version",
    "remove_versions_below",
]


class Version(NamedTuple):
    """An earlier version of an object, or the mark that says that it was removed."""

    bucket: str
    key: str
    id: str


def is_bucket(storage: Any) -> bool:
    """Whether it has no folders; asked for one, s3fs would make a bucket that somebody misspelt."""
    return "s3" in storage.protocol


def earlier_versions(storage: Any, path: str) -> list[Version]:
    """All there are of objects whose path, bucket included, begins so; marks last.

    None where the storage is no bucket, or one that knows no versions. Raises OSError where they may not be listed.
    """
    if not is_bucket(storage):
        return []
    bucket, _, prefix = path.partition("/")
    asked = {"Bucket": bucket, "Prefix": prefix}
    versions, marks = [], []
    while True:
        try:
            page = storage.call_s3("list_object_versions", **asked)
        except OSError as error:
            if error.errno == errno.ENOSYS:
                return []
            raise
        versions += [each for each in page.get("Versions", ()) if not each["IsLatest"]]
        marks += page.get("DeleteMarkers", ())
        if not page["IsTruncated"]:
            return [Version(bucket, each["Key"], each["VersionId"]) for each in (*versions, *marks)]
        asked |= {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def remove_version(storage: Any, version: Version) -> None:
    """Removes it for good. Raises OSError where that may not be."""
    storage.call_s3("delete_object", Bucket=version.bucket, Key=version.key, VersionId=version.id)


def remove_versions_below(url: str) -> None:
    """Removes all earlier versions below a folder of a bucket. Raises Unavailable where that fails."""
    with _below(url) as (storage, path):
        for version in earlier_versions(storage, path):
            remove_version(storage, version)


def count_versions_below(url: str) -> int:
    """How many there are. Raises Unavailable where that cannot be known."""
    with _below(url) as (storage, path):
        return len(earlier_versions(storage, path))


def faults_of(storage: Any) -> tuple[type[Exception], ...]:
    """What a storage raises that cannot be used; a bucket that cannot be reached is no OSError."""
    if not is_bucket(storage):
        return (OSError,)
    from botocore.exceptions import BotoCoreError

    return (OSError, BotoCoreError)


@contextmanager
def _below(url: str) -> Iterator[tuple[Any, str]]:
    storage, path = fsspec.core.url_to_fs(url)
    try:
        yield storage, f"{path.rstrip('/')}/"
    except faults_of(storage) as error:
        raise Unavailable(f"cannot look for versions below {url}: {error}") from error
