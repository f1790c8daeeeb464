"""WebDataset: tar shards in which the files of one example share a key."""

import io
import json
import re
import tarfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

from core.schema import NightshiftError
from core.services.exchange.base import Incoming, IncomingPicture, Rows, has_several
from core.settings import MediaSettings

__all__ = ["WebDataset"]

SHARD = 1000
"Examples a shard."
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
NUMBERED = re.compile(rf"\.(\d+)({'|'.join(map(re.escape, PICTURES))})")


class WebDataset:
    """Shards `train-000000.tar`, `golden-000000.tar`: for each example a picture and a JSON object.

    Where examples have several pictures, they are `KEY.1.png`, `KEY.2.png`, ...
    """

    name = "webdataset"

    def write(self, folder: Path, rows: Rows, tell: Callable[[int], None]) -> None:
        done, several = 0, has_several(rows)
        for split in sorted({row.split for row, _ in rows}):
            of_split = [each for each in rows if each[0].split == split]
            for shard, start in enumerate(range(0, len(of_split), SHARD)):
                with tarfile.open(folder / f"{split}-{shard:06}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
                    for row, pictures in of_split[start : start + SHARD]:
                        for number, picture in enumerate(pictures, start=1):
                            which = f".{number}" if several else ""
                            _add(tar, f"{row.example}{which}{PurePosixPath(picture.name).suffix}", picture.read())
                        _add(tar, f"{row.example}.json", row.model_dump_json().encode())
                        done += 1
                        tell(done)

    def recognises(self, path: Path) -> bool:
        return path.suffix == ".tar" or (path.is_dir() and any(path.glob("*.tar")))

    def read(self, path: Path) -> Iterator[Incoming]:
        for shard in [path] if path.is_file() else sorted(path.glob("*.tar")):
            yield from _samples(shard)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    # Nothing of this machine or this hour: the same version gives the same bytes.
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def _samples(shard: Path) -> Iterator[Incoming]:
    """Samples in their order; the files of one stand next to each other, as the format demands."""
    key = ""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(shard) as tar:
            for entry in tar:
                if not entry.isfile():
                    continue
                name = PurePosixPath(entry.name)
                stem, _, suffix = name.name.partition(".")
                this = str(name.with_name(stem))
                if this != key and files:
                    yield _incoming(shard, key, files)
                    files = {}
                key = this
                taken = tar.extractfile(entry)
                assert taken is not None
                files[f".{suffix.lower()}"] = taken.read()
    except (tarfile.TarError, OSError) as error:
        raise NightshiftError(f"{shard} cannot be read as a tar file: {error}") from error
    if files:
        yield _incoming(shard, key, files)


def _incoming(shard: Path, key: str, files: Mapping[str, bytes]) -> Incoming:
    """A sample. Keys need not be told apart across shards, so the shard is a part of its name."""
    try:
        said = json.loads(files[".json"])
        ask, label, reason, cluster = said["ask"], said["label"], said.get("reason"), said.get("cluster")
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise NightshiftError(f"sample {key} of {shard} needs a .json with `ask` and `label`") from error
    name = f"{shard.stem}/{key}"
    pictures = tuple(IncomingPicture(f"{name}{end}", partial(_bytes, files[end])) for end in _pictures(files))
    if not pictures:
        raise NightshiftError(f"sample {key} of {shard} has no picture ({', '.join(PICTURES)})")
    return Incoming(name, pictures, str(ask), str(label), reason or None, str(cluster or ""))


def _pictures(files: Mapping[str, bytes]) -> list[str]:
    """How the names of a sample's pictures end, in their order: the numbered ones, else the only one."""
    numbered = {int(found[1]): end for end in files if (found := NUMBERED.fullmatch(end))}
    return [numbered[number] for number in sorted(numbered)] or [end for end in PICTURES if end in files][:1]


def _bytes(data: bytes, _: MediaSettings) -> bytes:
    return data
