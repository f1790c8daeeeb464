"""Screens that exist only as what can be read off them."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from PIL.Image import new as new_image
from PIL.ImageDraw import Draw
from PIL.ImageFont import load_default

from core.reading import Line, Reading
from core.schema import NightshiftError, content_id

Arrays = dict[str, NDArray[np.float32]]


def reading_of(texts: Sequence[str], *, height: float = 0.02) -> Reading:
    """One line of text below the other, as if read off a 1000 x 800 screen."""
    lines = tuple(
        Line(text=text, box=(0.1, min(0.95, 0.1 + 0.03 * i), 0.6, min(0.97, 0.1 + 0.03 * i + height)), score=0.99)
        for i, text in enumerate(texts)
    )
    return Reading(width=1000, height=800, lines=lines, engine="written", read_ms=0.0)


def on_white(reading: Reading) -> Image:
    """A picture that reads so."""
    image = new_image("RGB", (reading.width, reading.height), "white")
    draw = Draw(image)
    for line in reading.lines:
        left, top, _, bottom = line.box
        size = (bottom - top) * reading.height
        draw.text((left * reading.width, top * reading.height), line.text, "black", load_default(size))
    return image


class MemoryLibrary:
    """Meets `core.policy.Library`."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}
        self.images: dict[str, Image] = {}
        self.kept: dict[tuple[str, str], Arrays] = {}

    def add(self, *texts: str, image: Image | None = None) -> str:
        """Id of a screen that reads so."""
        media = content_id(list(texts))
        self.readings[media] = reading_of(texts)
        if image is not None:
            self.images[media] = image
        return media

    def image(self, media: str) -> Image:
        if media not in self.images:
            self.images[media] = on_white(self.reading(media))
        return self.images[media]

    def reading(self, media: str) -> Reading:
        if media not in self.readings:
            raise NightshiftError(f"there is no picture {media!r} here")
        return self.readings[media]

    def arrays(self, media: str, name: str, make: Callable[[], Arrays]) -> Arrays:
        if (media, name) not in self.kept:
            self.kept[media, name] = make()
        return self.kept[media, name]
