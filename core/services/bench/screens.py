"""Drawn screens and what was asked about them, in memory: the data of the benchmarks."""

import csv
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image

from core.environments.screen.draw import draw_samples
from core.environments.screen.prompt import PROMPT
from core.learning import TrainingItem
from core.schema import Example, NightshiftError, content_id

if TYPE_CHECKING:
    from core.policy.base import Arrays
    from core.reading import Reading

__all__ = ["DrawnScreens"]


class DrawnScreens:
    """Labelled training items over drawn screens. Meets `core.policy.Library` for policies that look at pixels."""

    def __init__(self, max_side: int) -> None:
        """Pictures are scaled down to `max_side` pixels here, once, so that nobody is timed doing so."""
        self._max_side = max_side
        self.images: dict[str, Image.Image] = {}
        self.items: list[TrainingItem] = []
        with TemporaryDirectory() as directory:
            draw_samples(Path(directory))
            with (Path(directory) / "tasks.csv").open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    self._add(Path(directory) / "images" / row["file"], row)

    def _add(self, picture: Path, row: dict[str, str]) -> None:
        media = content_id(row["file"])
        if media not in self.images:
            with Image.open(picture) as image:
                image.thumbnail((self._max_side, self._max_side))
                self.images[media] = image.convert("RGB")
        example = Example.make("screen", (media,), row["task_description"], answers=PROMPT.answers, cluster=media)
        rewards = tuple(float(answer == row["label"]) for answer in PROMPT.answers)
        self.items.append(TrainingItem(example=example, rewards=rewards, origin="judged"))

    def image(self, media: str) -> Image.Image:
        return self.images[media]

    def reading(self, media: str) -> "Reading":
        raise NightshiftError(f"drawn screen {media} is not read here: the benchmark's student looks at pixels")

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":  # noqa: ARG002
        return make()
