"""WebDataset: tar shards in which the files of one example share a key."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from core.schema import NightshiftError
from core.services.exchange.base import Incoming, Rows, single

__all__ = ["WebDataset"]

SHARD = 1000
"Examples a shard."
WHAT = "a sample of a shard"
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


class WebDataset:
    """Shards `train-000000.tar`, `golden-000000.tar`: for each example a picture and a JSON object."""

    name = "webdataset"

    def write(self, folder: Path, rows: Rows, tell: Callable[[int], None]) -> None:
        done = 0
        for split in sorted({row.split for row, _ in rows}):
            of_split = [each for each in rows if each[0].split == split]
            for shard, start in enumerate(range(0, len(of_split), SHARD)):
                with tarfile.open(folder / f"{split}-{shard:06}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
                    for row, pictures in of_split[start : start + SHARD]:
                        picture = single(row, pictures, WHAT)
                        _add(tar, f"{row.example}{PurePosixPath(picture.name).suffix}", picture.read())
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


def _incoming(shard: Path, key: str, files: dict[str, bytes]) -> Incoming:
    picture = next(((suffix, files[suffix]) for suffix in PICTURES if suffix in files), None)
    try:
        said = json.loads(files[".json"])
        ask, label, reason = said["ask"], said["label"], said.get("reason")
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise NightshiftError(f"sample {key} of {shard} needs a .json with `ask` and `label`") from error
    if picture is None:
        raise NightshiftError(f"sample {key} of {shard} has no picture ({', '.join(PICTURES)})")
    suffix, data = picture
    return Incoming(f"{key}{suffix}", lambda _: data, str(ask), str(label), reason or None)
