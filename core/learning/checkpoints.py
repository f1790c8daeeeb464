"""Checkpoints inside a training, from which a killed one goes on: folders that are whole or not there.

A folder is written aside, through to the disk, and renamed. Its manifest says which training and step it is of, and
holds the hash of every other file: one that was cut short, that has rotted, or that another job left is not used.
Nothing in it is pickled, so nothing in it can run.
"""

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError

from core.disk import sha256_of, write_through

__all__ = ["Checkpoints", "checkpoints_directory"]

MANIFEST = "manifest.json"
KEPT = 2
"""The newest, and the one before it should the newest turn out to be damaged."""

logger = logging.getLogger(__name__)


def checkpoints_directory(out: Path) -> Path:
    """Where the checkpoints of the training that writes `out` are, until it is done."""
    return out.with_name(f"{out.name}.checkpoints")


class _Manifest(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    training: str
    step: int
    files: dict[str, str]
    "Name to SHA-256."


class Checkpoints:
    """The checkpoints of one challenger."""

    def __init__(self, directory: Path, training: str) -> None:
        """`training` is a hash of all that the challenger follows from: those of another training are not used."""
        self._directory, self._training = directory, training

    def newest(self) -> Path | None:
        """The newest folder that is whole and of this training."""
        for step, folder in sorted(self._by_step().items(), reverse=True):
            wrong = self._wrong(folder, step)
            if wrong is None:
                return folder
            logger.warning("the checkpoint %s is not used: %s", folder, wrong)
        return None

    def write(self, step: int, fill: Callable[[Path], None], *, last: bool = False) -> None:
        """Keeps what `fill` writes into a folder as the checkpoint of `step`; older ones, all before the `last`, go.

        A checkpoint that the disk does not take is left out with a warning: training can go on without it.
        """
        place = self._directory / f"checkpoint-{step}"
        aside = place.with_name(f"{place.name}.partial")
        shutil.rmtree(aside, ignore_errors=True)
        try:
            aside.mkdir(parents=True)
            fill(aside)
            self._seal(aside, step)
            shutil.rmtree(place, ignore_errors=True)
            aside.rename(place)
            write_through(self._directory)
        except (OSError, SafetensorError) as error:
            logger.warning("no checkpoint of step %d could be kept: %s", step, error)
            shutil.rmtree(aside, ignore_errors=True)
            return
        by_step = self._by_step()
        kept = sorted(each for each in by_step if each <= step)[-1 if last else -KEPT :]
        for each in by_step.keys() - set(kept):
            shutil.rmtree(by_step[each], ignore_errors=True)

    def _by_step(self) -> dict[int, Path]:
        found = ((path.name.removeprefix("checkpoint-"), path) for path in self._directory.glob("checkpoint-*"))
        return {int(step): path for step, path in found if step.isdecimal()}

    def _seal(self, folder: Path, step: int) -> None:
        files = {path.name: path for path in sorted(folder.iterdir())}
        hashes = {name: sha256_of(path) for name, path in files.items()}
        manifest = folder / MANIFEST
        manifest.write_text(_Manifest(training=self._training, step=step, files=hashes).model_dump_json(indent=1))
        for path in (*files.values(), manifest, folder):
            write_through(path)

    def _wrong(self, folder: Path, step: int) -> str | None:
        """Why this folder cannot be gone on from; None where it can."""
        try:
            manifest = _Manifest.model_validate_json((folder / MANIFEST).read_bytes())
            if manifest.training != self._training or manifest.step != step:
                return "another training left it"
            strange = {path.name for path in folder.iterdir()} - manifest.files.keys() - {MANIFEST}
            if strange:
                return f"it holds {min(strange)}, which its manifest does not name"
            damaged = [name for name, digest in manifest.files.items() if sha256_of(folder / name) != digest]
        except (OSError, ValidationError) as error:
            return f"it is damaged: {str(error).splitlines()[0]}"
        return f"{damaged[0]} is damaged" if damaged else None
