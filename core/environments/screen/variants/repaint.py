"""The same screen in other pixels, all of them: another theme, another scale, the marks of compression."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from core.learning.variants import Draft, Labelled, VariantContext, VariantKind

__all__ = ["COMPRESSED", "RECOLOURED", "RESCALED", "compress", "recolour", "rescale"]

MOST_CROPPED = 0.04
"Of each side."
SMALLER, LARGER = (0.7, 0.86), (1.05, 1.2)
"""Factors. Those about 0.88 to 0.96 are what siblings are shown in."""
SHORTEST_SIDE = 16
"Pixels; what is shorter gets no smaller."
FULL_READING_S = 0.65
"Stated seconds for making a picture of which every pixel differs, and for reading all of it."

Paint = Callable[[Image.Image, np.random.Generator], Image.Image]


def recolour(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Another theme of the same program: dark for light with or without its hues kept, a tint, or another accent."""
    match int(generator.integers(4)):
        case 0:
            return ImageOps.invert(image)
        case 1:
            return _darkened(image)
        case 2:
            return _tinted(image, generator)
        case _:
            return _accented(image, generator)


def rescale(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Cut off a little at every side, then smaller or larger: another window, another density of pixels."""
    cut = generator.uniform(0, MOST_CROPPED, size=4) * (image.width, image.height, image.width, image.height)
    left, top, right, bottom = np.floor(cut).astype(int).tolist()
    cropped = image.crop((left, top, image.width - right, image.height - bottom))
    low, high = SMALLER if generator.random() < 0.7 else LARGER
    factor = float(generator.uniform(low, high))
    size = tuple(max(min(side, SHORTEST_SIDE), round(side * factor)) for side in cropped.size)
    return cropped.resize((size[0], size[1]), Image.Resampling.LANCZOS)


def compress(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """A little blurred and through JPEG: what a chat program or a remote desktop does to a screen."""
    blurred = image.filter(ImageFilter.GaussianBlur(float(generator.uniform(0.2, 0.7))))
    buffer = io.BytesIO()
    blurred.save(buffer, "JPEG", quality=int(generator.integers(40, 75)))
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def _darkened(image: Image.Image) -> Image.Image:
    """Light for dark at the same hue: in HSL, L becomes 1 - L."""
    pixels_HWC = np.asarray(image, dtype=np.int16)
    shift_HW1 = 255 - pixels_HWC.max(axis=2, keepdims=True) - pixels_HWC.min(axis=2, keepdims=True)
    return Image.fromarray((pixels_HWC + shift_HW1).astype(np.uint8))


def _tinted(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Warmer or colder, as at night."""
    shares = [np.arange(256) * share for share in generator.uniform(0.75, 1.0, size=3)]
    return image.point(np.concatenate(shares).astype(np.uint8).tolist())


def _accented(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """Every hue turned by one angle; what is grey stays grey."""
    turned = image.convert("HSV")
    angle = int(generator.integers(40, 216))
    table = [(hue + angle) % 256 for hue in range(256)]
    return turned.point([*table, *range(256), *range(256)]).convert("RGB")


def _kind_of(name: str, paint: Paint, preserves: str, cost_s: float) -> VariantKind:
    def make(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
        image = paint(context.library.image(parent.example.media[0]), generator)
        return [Draft(name, parent.example, parent.answer, parent.example.ask, image)]

    return VariantKind(name, "keeps", changes_pixels=True, limit=1, make=make, preserves=preserves, cost_s=cost_s)


RECOLOURED = _kind_of("recoloured", recolour, "all that is shown, in other colours", FULL_READING_S)
RESCALED = _kind_of("rescaled", rescale, "all that is shown but for the outermost edge", FULL_READING_S)
COMPRESSED = _kind_of("compressed", compress, "all that is shown, less sharp", FULL_READING_S)
