"""What a training that is under way takes in between its rounds, answered by whoever started it and kept for a rerun.

As a round begins the training asks what has changed, with the file `wanted`, which holds the steps done so far. Whoever
started it answers with a manifest, `step-<steps>.json`, beside the files it names by their hash. An answer is written
aside, through to the disk, and renamed, and is never changed again: a training that was killed and is run again reads
the same answers at the same steps.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from core.disk import sha256_of, write_through
from core.learning.features import load_features, save_features
from core.learning.items import TrainingItem, load_items, save_items
from core.policy import Features
from core.schema import NightshiftError, content_id

__all__ = ["Refresh", "Refreshes"]

WANTED = "wanted"
LOOK_S = 0.005


class Refresh(BaseModel):
    """A manifest: what is different from after `step` steps on."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    step: NonNegativeInt
    items: str = ""
    "SHA-256 of the file of items that enter; empty where none do."
    features: str = ""
    "The same of their encoded features."
    leaves: tuple[str, ...] = ()
    "Examples that are trained on no longer, and with them all that was made from them."
    dataset_version: str = ""
    "What the starter keeps this under; empty where nothing changes."

    @property
    def changes(self) -> bool:
        """Whether anything enters or leaves."""
        return bool(self.items or self.leaves)

    @property
    def id(self) -> str:
        """Hash of the content."""
        return content_id(self.model_dump(mode="json"))


class Refreshes:
    """A folder of questions and answers."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def at(self, step: int) -> Refresh:
        """The answer for this step: asks for it and waits where there is none yet."""
        if (known := self.known(step)) is not None:
            return known
        self._directory.mkdir(parents=True, exist_ok=True)
        (self._directory / WANTED).write_text(str(step))
        while (answer := self.known(step)) is None:
            time.sleep(LOOK_S)
        return answer

    def known(self, step: int) -> Refresh | None:
        """The answer for this step, if there is one. Raises NightshiftError where it is damaged."""
        path = self._place(step)
        try:
            return Refresh.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise NightshiftError(f"{path} is no answer to a training: {str(error).splitlines()[0]}") from error

    def changes(self) -> Iterator[Refresh]:
        """The answers by which something enters or leaves, in order."""
        steps = sorted(int(path.stem.removeprefix("step-")) for path in self._directory.glob("step-*.json"))
        for step in steps:
            if (answer := self.known(step)) is not None and answer.changes:
                yield answer

    def read(self, refresh: Refresh) -> tuple[list[TrainingItem], list[Features]]:
        """What enters. Raises NightshiftError where a file is missing or is not the one that was named."""
        if not refresh.items:
            return [], []
        items, features = self._file(refresh.items), self._file(refresh.features)
        for path, digest in ((items, refresh.items), (features, refresh.features)):
            try:
                damaged = sha256_of(path) != digest
            except OSError as error:
                raise NightshiftError(f"cannot read {path}, which entered a training: {error.strerror}") from error
            if damaged:
                raise NightshiftError(f"{path} is damaged; it entered a training, which cannot go on without it")
        return load_items(items), load_features(features)

    def forget_question(self) -> None:
        """To be called before a training starts: what a killed one asked, nobody waits for."""
        (self._directory / WANTED).unlink(missing_ok=True)

    def asked(self) -> int | None:
        """The step whose answer the training waits for; None where it waits for nothing."""
        try:
            step = int((self._directory / WANTED).read_text())
        except (FileNotFoundError, ValueError):
            return None
        return None if self._place(step).exists() else step

    def prepare(
        self,
        step: int,
        items: Sequence[TrainingItem],
        features: Sequence[Features],
        *,
        leaves: Sequence[str] = (),
        dataset_version: str,
    ) -> Refresh:
        """Keeps what is to enter. The training does not see it before it is published."""
        digests = {"items": "", "features": ""}
        if items:
            self._directory.mkdir(parents=True, exist_ok=True)
            for name in digests:
                aside = self._directory / f"{name}.partial"
                save_items(aside, items) if name == "items" else save_features(aside, features)
                digests[name] = sha256_of(aside)
                write_through(aside)
                aside.rename(self._file(digests[name]))
        return Refresh(step=step, leaves=tuple(sorted(leaves)), dataset_version=dataset_version, **digests)

    def publish(self, refresh: Refresh) -> None:
        """Answers the training. From here on it may learn from what enters."""
        self._directory.mkdir(parents=True, exist_ok=True)
        place = self._place(refresh.step)
        aside = place.with_suffix(".partial")
        aside.write_text(refresh.model_dump_json(indent=1))
        write_through(aside)
        aside.replace(place)
        write_through(self._directory)

    def _place(self, step: int) -> Path:
        return self._directory / f"step-{step:06d}.json"

    def _file(self, digest: str) -> Path:
        return self._directory / f"entered-{digest[:32]}"
