"""The same content in another window, elsewhere on the screen: bars of a desktop around it.

Nothing is scaled, and no empty desktop shows: a window on a plain desktop is what siblings are shown as.
"""

from typing import NamedTuple

import numpy as np
from PIL.Image import Image

from core.environments.screen.drawing.canvas import Box, Canvas
from core.environments.screen.variants.covers import THEMES
from core.learning.variants import Draft, Labelled, VariantContext, VariantKind
from core.reading import Line, Reading
from core.reading.incremental import Sight
from core.reading.ocr import pixels_of

__all__ = ["REFRAMED"]

MENU = ("File", "Edit", "View", "Window", "Help")
DOCK_COLOURS = ("#d9534f", "#f0ad4e", "#5cb85c", "#428bca", "#7e57c2", "#26a69a")


class _Bars(NamedTuple):
    """Pixels that are added at each side."""

    left: int
    top: int
    right: int
    bottom: int


def _reframed(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    """A title bar or a menu above, a task bar below or a dock at a side: the content stands elsewhere than before."""
    media = parent.example.media[0]
    image = context.library.image(media)
    bars = _bars(generator)
    canvas = _with_empty_bars(image, bars, generator)
    empty = Sight(pixels_of(canvas.image), _shifted(context.library.reading(media), bars))
    _fill(canvas, bars, generator)
    parameters = dict(zip(_Bars._fields, bars, strict=True))
    return [
        Draft(
            "reframed",
            parent.example,
            parent.answer,
            parent.example.ask,
            canvas.image,
            parameters={**parameters},
            known=empty,
        )
    ]


def _bars(generator: np.random.Generator) -> _Bars:
    dock = int(generator.integers(48, 72))
    where = int(generator.integers(3))
    top = int(generator.integers(26, 44))
    return _Bars(dock * (where == 0), top, dock * (where == 1), int(generator.integers(36, 52)) * (where == 2))


def _with_empty_bars(image: Image, bars: _Bars, generator: np.random.Generator) -> Canvas:
    size = image.width + bars.left + bars.right, image.height + bars.top + bars.bottom
    canvas = Canvas(*size, THEMES[int(generator.integers(len(THEMES)))])
    canvas.rect(canvas.box, canvas.theme.bar)
    canvas.image.paste(image, (bars.left, bars.top))
    return canvas


def _fill(canvas: Canvas, bars: _Bars, generator: np.random.Generator) -> None:
    """What stands on the bars: a menu and a clock, and coloured icons without a name."""
    width, height = canvas.image.size
    x = bars.left + 14.0
    for color in ("#ec6a5e", "#f4bf4f", "#61c554"):
        canvas.ellipse((x, bars.top / 2 - 6, x + 12, bars.top / 2 + 6), color)
        x += 20
    for entry in MENU[: int(generator.integers(0, len(MENU) + 1))]:
        canvas.text(x + 10, bars.top / 2, entry, 14, anchor="lm")
        x += canvas.width_of(entry, 14) + 22
    clock = f"{int(generator.integers(7, 20)):02d}:{int(generator.integers(60)):02d}"
    canvas.text(width - bars.right - 12, bars.top / 2, clock, 14, anchor="rm")
    for box, is_upright in _strips(bars, width, height):
        _icons(canvas, box, is_upright, generator)


def _strips(bars: _Bars, width: int, height: int) -> list[tuple[Box, bool]]:
    """The bars that hold icons, each with whether they stand below each other."""
    strips: list[tuple[Box, bool]] = []
    if bars.left:
        strips.append(((0, bars.top, bars.left, height), True))
    if bars.right:
        strips.append(((width - bars.right, bars.top, width, height), True))
    if bars.bottom:
        strips.append(((0, height - bars.bottom, width, height), False))
    return strips


def _icons(canvas: Canvas, box: Box, is_upright: bool, generator: np.random.Generator) -> None:
    thick = (box[2] - box[0]) if is_upright else (box[3] - box[1])
    side, step = thick * 0.56, thick * 0.95
    for place in range(int(generator.integers(3, len(DOCK_COLOURS) + 1))):
        along = (thick - side) / 2 + place * step
        x, y = (box[0] + (thick - side) / 2, box[1] + along) if is_upright else (box[0] + along, box[1] + 6)
        canvas.rect((x, y, x + side, y + side), DOCK_COLOURS[place], radius=6)


def _shifted(reading: Reading, bars: _Bars) -> Reading:
    """The same lines where they stand between the bars."""
    width, height = reading.width + bars.left + bars.right, reading.height + bars.top + bars.bottom
    scale = np.array([reading.width / width, reading.height / height] * 2)
    offset = np.array([bars.left / width, bars.top / height] * 2)
    lines = []
    for line in reading.lines:
        left, top, right, bottom = (np.array(line.box) * scale + offset).round(5).tolist()
        lines.append(Line(text=line.text, box=(left, top, right, bottom), score=line.score))
    return reading.model_copy(update={"width": width, "height": height, "lines": tuple(lines)})


REFRAMED = VariantKind(
    "reframed",
    "keeps",
    changes_pixels=True,
    limit=1,
    make=_reframed,
    preserves="the content, between other bars and so at another place",
    cost_s=0.25,
)
