"""Things that follow from a picture and can be made again: readings and arrays, by the picture's hash."""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core.reading.lines import Reading
from core.reading.ocr import ENGINE, read_image

__all__ = ["DerivedCache"]

Arrays = dict[str, NDArray[np.float32]]
MAKING = ".making-"
LEFT_S = 600.0
"A file that is still being made after so long is not: whoever made it was killed."


class DerivedCache:
    """A folder that several processes may fill at once; an entry appears whole or not at all.

    `keep` says what of a reading may be kept; nobody is handed more. What is kept by another rule needs another folder.
    """

    def __init__(self, root: Path, keep: Callable[[Reading, Image], Reading] | None = None) -> None:
        self.root, self._keep = root, keep

    def reading(self, media: str, image: Callable[[], Image], read: Callable[[Image], Reading] = read_image) -> Reading:
        """The reading of `media`, whose picture is `image()`, made and kept if it is not there or is damaged."""
        path = self._path(media, f"{ENGINE}.json")
        if path.exists():
            try:
                return Reading.model_validate_json(path.read_bytes())
            except (ValueError, OSError):
                path.unlink(missing_ok=True)
        picture = image()
        reading = read(picture)
        if self._keep is not None:
            reading = self._keep(reading, picture)
        self._write(path, lambda temporary: temporary.write_text(reading.model_dump_json()))
        return reading

    def arrays(self, media: str, name: str, make: Callable[[], Arrays]) -> Arrays:
        """Arrays derived from `media` under `name`; the name says everything else they follow from."""
        path = self._path(media, f"{name}.safetensors")
        if path.exists():
            try:
                return load_file(path)
            except (SafetensorError, OSError):
                path.unlink(missing_ok=True)
        arrays = make()
        self._write(path, lambda temporary: save_file(arrays, temporary))
        return arrays

    def text(self, media: str, name: str) -> str | None:
        """The words about `media` that are kept under `name`, if there are any."""
        try:
            return self._path(media, f"{name}.txt").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def keep_text(self, media: str, name: str, text: str) -> None:
        """Keeps words about `media`; the name says everything else they follow from."""
        self._write(self._path(media, f"{name}.txt"), lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def forget(self, media: str) -> int:
        """Removes everything derived from `media`; how many files that were."""
        removed = 0
        for path in self._folder(media).glob(f"{media}.*"):
            path.unlink(missing_ok=True)
            removed += 1
        return removed

    def kept(self) -> dict[str, list[Path]]:
        """The files there are, by the id of what they derive from."""
        found: dict[str, list[Path]] = {}
        for path in self.root.glob("??/*"):
            if not path.name.startswith(MAKING):
                found.setdefault(path.name.split(".", 1)[0], []).append(path)
        return found

    def sweep(self) -> None:
        """Removes what was being written when somebody was killed."""
        for path in self.root.glob(f"??/{MAKING}*"):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > LEFT_S:
                    path.unlink()

    def _folder(self, media: str) -> Path:
        return self.root / media[:2]

    def _path(self, media: str, suffix: str) -> Path:
        return self._folder(media) / f"{media}.{suffix}"

    def _write(self, path: Path, write: Callable[[Path], object]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=MAKING)
        os.close(handle)
        temporary = Path(name)
        try:
            write(temporary)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
