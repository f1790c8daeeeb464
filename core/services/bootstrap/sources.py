"""Where pictures come from that nobody labelled: shards, here or on the Hub; a folder; the store."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from core.media import read_file
from core.schema import Example, Media, NightshiftError
from core.services.clusters import VARIANT_SOURCE
from core.services.workspace import Workspace
from core.settings import MediaSettings

__all__ = ["STORE", "FoundPicture", "Source", "named_source"]

SCREEN = "screen"
STORE, HUB = "store", "hub:"
SHARDS = "**/*.tar"
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


class FoundPicture(NamedTuple):
    """A picture as it was found: its bytes, or its id where it is in the store."""

    place: int
    "Where in its source it stands, from 1 on; the one after it stands further on."
    name: str
    data: bytes | None = None
    media: str | None = None


class Source(Protocol):
    """A row of pictures, each of which always stands at the same place."""

    def pictures(self, after: int) -> Iterator[FoundPicture]:
        """All that stand behind place `after`. Raises NightshiftError where they cannot be read."""
        ...


def named_source(ws: Workspace, name: str) -> Source:
    """`store`; a folder of images; a folder of .tar shards, or one shard; or `hub:OWNER/NAME[#PATTERN]`.

    Raises NightshiftError for what is none of these.
    """
    if name == STORE:
        return Unlabelled(ws)
    if name.startswith(HUB):
        repository, _, pattern = name.removeprefix(HUB).partition("#")
        if repository.count("/") != 1:
            raise NightshiftError(f"{name!r} names no repository; write hub:OWNER/NAME, or hub:OWNER/NAME#flickr/*.tar")
        return Shards(repository, [pattern or SHARDS])
    path = Path(name).expanduser()
    if path.suffix == ".tar" and path.is_file():
        return Shards("webdataset", [str(path)])
    if path.is_dir():
        if shards := sorted(str(each) for each in path.rglob("*.tar")):
            return Shards("webdataset", shards)
        if files := sorted(each for each in path.rglob("*") if each.suffix.lower() in SUFFIXES):
            return ImageFolder(path, files, ws.settings.media)
    raise NightshiftError(
        f"{name!r} is no source of pictures: give a folder with {', '.join(SUFFIXES)} files or .tar shards, `store`, "
        "or hub:OWNER/NAME"
    )


class Shards:
    """WebDataset shards, such as those of `weizhiwang/Open-Qwen2VL-Data`, streamed by `datasets`."""

    def __init__(self, path: str, files: list[str]) -> None:
        self._path, self._files = path, files

    def pictures(self, after: int) -> Iterator[FoundPicture]:
        from datasets import load_dataset

        try:
            rows = load_dataset(self._path, data_files={"train": self._files}, split="train", streaming=True)
            # The picture is decoded where its size has been looked at, and nowhere before.
            for place, row in enumerate(rows.decode(False).skip(after), start=after + 1):
                yield self._picture(place, row)
        except NightshiftError:
            raise
        except Exception as error:  # whatever the network, a tar file or its JSON comes to
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise NightshiftError(f"the shards of {self._path} ({self._files[0]}) cannot be read: {reason}") from error

    def _picture(self, place: int, row: dict[str, Any]) -> FoundPicture:
        key = str(row.get("__key__", ""))
        for column, value in row.items():
            suffix = f".{column.rsplit('.', 1)[-1].lower()}"
            if suffix in SUFFIXES and isinstance(value, dict) and isinstance(value.get("bytes"), bytes):
                return FoundPicture(place, f"{key}{suffix}", data=value["bytes"])
        columns = ", ".join(name for name in row if not name.startswith("__"))
        raise NightshiftError(f"sample {key!r} holds no picture ({', '.join(SUFFIXES)}) but {columns or 'nothing'}")


class ImageFolder:
    """Image files below a folder, by name."""

    def __init__(self, folder: Path, files: list[Path], settings: MediaSettings) -> None:
        self._folder, self._files, self._settings = folder, files, settings

    def pictures(self, after: int) -> Iterator[FoundPicture]:
        for place, path in enumerate(self._files[after:], start=after + 1):
            name = path.relative_to(self._folder).as_posix()
            try:
                yield FoundPicture(place, name, data=read_file(path, self._settings))
            except NightshiftError:
                yield FoundPicture(place, name)


class Unlabelled:
    """Screens of the store that nobody has said anything of, by their numbers, which stay when others are erased."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws

    def pictures(self, after: int) -> Iterator[FoundPicture]:
        store = self._ws.store
        ids = [label.example for label in store.labels(SCREEN)]
        labelled = {media for example in store.get_many(Example, ids) for media in example.media}
        for place, media in store.numbered(Media, after):
            if media.source == VARIANT_SOURCE or media.id in labelled:
                yield FoundPicture(place, media.id)
            else:
                yield FoundPicture(place, media.id, media=media.id)
