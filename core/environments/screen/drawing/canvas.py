"""A picture to draw on, in a theme, with the few shapes that user interfaces are made of.

Boxes are (left, top, right, bottom) in pixels; text positions are the top left corner unless an anchor says otherwise.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TypeAlias

from PIL import Image, ImageColor, ImageDraw, ImageFont

__all__ = ["Box", "Canvas", "Theme", "columns", "grid", "inset", "left", "mix", "right", "rows", "top"]

Box: TypeAlias = tuple[float, float, float, float]
KEYWORDS = re.compile(r"(def|return|import|from|class|for|in|if|else|not|and|or|raise|with|as|assert|None|True|False)$")
BOLD_STROKE = 0.55
"Pillow ships one weight of its font; a thin stroke makes it bold."


@dataclass(frozen=True)
class Theme:
    """Colours of one application, as #rrggbb."""

    page: str
    surface: str
    bar: str
    line: str
    text: str
    muted: str
    accent: str


@lru_cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def mix(first: str, second: str, share: float) -> str:
    """`first` with `share` (0..1) of `second` stirred in."""
    pairs = zip(ImageColor.getrgb(first)[:3], ImageColor.getrgb(second)[:3], strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def left(box: Box, width: float) -> tuple[Box, Box]:
    """The left `width` pixels of `box`, and what is left over."""
    x = box[0] + width
    return (box[0], box[1], x, box[3]), (x, box[1], box[2], box[3])


def right(box: Box, width: float) -> tuple[Box, Box]:
    """The right `width` pixels of `box`, and what is left over."""
    rest, part = left(box, box[2] - box[0] - width)
    return part, rest


def top(box: Box, height: float) -> tuple[Box, Box]:
    """The top `height` pixels of `box`, and what is left over; a negative height takes all but that much."""
    y = (box[1] if height >= 0 else box[3]) + height
    return (box[0], box[1], box[2], y), (box[0], y, box[2], box[3])


def inset(box: Box, dx: float, dy: float | None = None) -> Box:
    """`box` with a margin of `dx` and `dy` pixels taken off on each side."""
    dy = dx if dy is None else dy
    return box[0] + dx, box[1] + dy, box[2] - dx, box[3] - dy


def columns(box: Box, count: int, gap: float = 0) -> list[Box]:
    """`count` equal boxes beside each other."""
    width = (box[2] - box[0] - gap * (count - 1)) / count
    starts = [box[0] + i * (width + gap) for i in range(count)]
    return [(x, box[1], x + width, box[3]) for x in starts]


def rows(box: Box, height: float, gap: float = 0) -> list[Box]:
    """As many boxes of `height` below each other as fit."""
    count = int((box[3] - box[1] + gap) // (height + gap))
    starts = [box[1] + i * (height + gap) for i in range(count)]
    return [(box[0], y, box[2], y + height) for y in starts]


def grid(box: Box, count: int, height: float, gap: float) -> list[Box]:
    """Cells `count` abreast, row by row, as many as fit."""
    return [cell for row in rows(box, height, gap) for cell in columns(row, count, gap)]


class Canvas:
    """An RGB image being drawn on."""

    def __init__(self, width: int, height: int, theme: Theme) -> None:
        self.theme = theme
        self.image = Image.new("RGB", (width, height), theme.page)
        self._draw = ImageDraw.Draw(self.image)

    @classmethod
    def over(cls, image: Image.Image, theme: Theme) -> "Canvas":
        """A canvas that begins with a copy of `image`."""
        canvas = cls(image.width, image.height, theme)
        canvas.image.paste(image)
        return canvas

    @property
    def box(self) -> Box:
        return 0, 0, self.image.width, self.image.height

    def rect(self, box: Box, fill: str | None = None, *, radius: float = 0, outline: str | None = None) -> None:
        self._draw.rounded_rectangle(box, radius, fill, outline)

    def ellipse(self, box: Box, fill: str | None = None, *, outline: str | None = None) -> None:
        self._draw.ellipse(box, fill, outline)

    def line(self, points: Sequence[tuple[float, float]], fill: str | None = None, width: int = 1) -> None:
        self._draw.line(points, fill or self.theme.line, width, joint="curve")

    def polygon(self, points: Sequence[tuple[float, float]], fill: str, outline: str | None = None) -> None:
        self._draw.polygon(points, fill, outline)

    def width_of(self, text: str, size: float = 16) -> float:
        return _font(size).getlength(text)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 16,
        fill: str | None = None,
        *,
        bold: bool = False,
        anchor: str = "la",
        width: float | None = None,
    ) -> None:
        """One line of text, cut with dots where it is wider than `width`. Anchors as in Pillow."""
        if width is not None and self.width_of(text, size) > width:
            while text and self.width_of(text + "...", size) > width:
                text = text[:-1]
            text = text.rstrip() + "..."
        stroke = BOLD_STROKE if bold else 0
        self._draw.text((x, y), text, fill or self.theme.text, _font(size), anchor, stroke_width=stroke)

    def paragraph(
        self, x: float, y: float, width: float, text: str, size: float = 16, fill: str | None = None, lines: int = 99
    ) -> float:
        """Wrapped text, at most `lines` lines; returns the y below it."""
        step = size * 1.42
        for words in text.split("\n"):
            for line in self.wrapped(words, width, size):
                if lines == 0:
                    return y
                self.text(x, y, line, size, fill)
                y, lines = y + step, lines - 1
        return y

    def wrapped(self, text: str, width: float, size: float) -> list[str]:
        """`text` broken into lines of at most `width` pixels."""
        lines = [""]
        for word in text.split():
            longer = f"{lines[-1]} {word}".strip()
            if self.width_of(longer, size) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def label(self, box: Box, text: str, size: float = 16, fill: str | None = None, *, bold: bool = False) -> None:
        """Text in the middle of `box`."""
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        self.text(*middle, text, size, fill, bold=bold, anchor="mm")

    def pill(
        self, x: float, y: float, text: str, fill: str, *, size: float = 15, ink: str = "#ffffff", radius: float = 6
    ) -> float:
        """A button or tag as wide as its text; returns the x to its right."""
        box = (x, y, x + self.width_of(text, size) + size * 1.5, y + size * 1.95)
        self.rect(box, fill, radius=radius)
        self.label(box, text, size, ink)
        return box[2]

    def field(self, box: Box, text: str, size: float = 16) -> None:
        """An entry field with its (grey) content."""
        self.rect(box, self.theme.surface, radius=6, outline=self.theme.line)
        self.text(box[0] + 12, (box[1] + box[3]) / 2, text, size, self.theme.muted, anchor="lm")

    def avatar(self, x: float, y: float, size: float, name: str) -> None:
        """A round patch with the initials of `name`, in a colour that goes with it."""
        hue = sum(map(ord, name)) * 37 % 360
        box = (x, y, x + size, y + size)
        self.ellipse(box, "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(f"hsl({hue}, 45%, 48%)")))
        initials = "".join(word[0] for word in name.split()[:2]).upper()
        self.label(box, initials, size * 0.4, "#ffffff")

    def menu(
        self, box: Box, items: Sequence[str], *, step: float = 34, size: float = 16, active: int | None = 0
    ) -> None:
        """A list of entries below each other, the active one highlighted; an entry after `#` is a heading."""
        for i, (row, item) in enumerate(zip(rows(box, step), items, strict=False)):
            y = (row[1] + row[3]) / 2
            if item.startswith("#"):
                self.text(row[0] + 14, y, item[1:].upper(), size * 0.82, self.theme.muted, anchor="lm")
                continue
            if i == active:
                self.rect(inset(row, 6, 1), mix(self.theme.bar, self.theme.accent, 0.28), radius=6)
            self.text(row[0] + 18, y, item, size, anchor="lm", width=row[2] - row[0] - 30)

    def table(self, box: Box, cells: Sequence[Sequence[str]], shares: Sequence[float], step: float = 40) -> None:
        """A table whose first row is its head; `shares` are the columns' parts of the width."""
        edges = [box[0] + (box[2] - box[0]) * sum(shares[:i]) / sum(shares) for i in range(len(shares) + 1)]
        for i, (row, values) in enumerate(zip(rows(box, step), cells, strict=False)):
            if i == 0:
                self.rect(row, self.theme.bar)
            for x, x_next, value in zip(edges, edges[1:], values, strict=False):
                ink = self.theme.muted if i == 0 else None
                y = (row[1] + row[3]) / 2
                self.text(x + 12, y, value, 15 if i == 0 else 16, ink, anchor="lm", width=x_next - x - 18)
            self.line([(row[0], row[3]), (row[2], row[3])])

    def picture(self, box: Box, rng: Random, radius: float = 8) -> None:
        """A little landscape: sky, sun and hills, different each time."""
        width, height = round(box[2] - box[0]), round(box[3] - box[1])
        hue = rng.randrange(360)
        sky = Image.linear_gradient("L").resize((width, height))
        low, high = f"hsl({hue}, 48%, 34%)", f"hsl({(hue + 40) % 360}, 62%, 74%)"
        scene = Image.composite(Image.new("RGB", (width, height), high), Image.new("RGB", (width, height), low), sky)
        draw = ImageDraw.Draw(scene)
        x, y, r = rng.uniform(0.2, 0.8) * width, rng.uniform(0.3, 0.5) * height, height * rng.uniform(0.09, 0.15)
        draw.ellipse((x - r, y - r, x + r, y + r), "#fff1c9")
        for depth in range(3):
            base = height * (0.58 + 0.13 * depth)
            peaks = [(width * i / 4, base + rng.uniform(-0.16, 0.1) * height) for i in range(5)]
            draw.polygon([(0, height), *peaks, (width, height)], f"hsl({(hue + 160) % 360}, 30%, {40 - 11 * depth}%)")
        mask = Image.new("L", (width, height), 0)
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, width - 1, height - 1), radius, 255)
        self.image.paste(scene, (round(box[0]), round(box[1])), mask)

    def play_symbol(self, x: float, y: float, size: float, fill: str) -> None:
        """A triangle pointing right, centred on (x, y)."""
        self.polygon([(x - size / 2, y - size * 0.6), (x - size / 2, y + size * 0.6), (x + size * 0.6, y)], fill)

    def code(self, x: float, y: float, line: str, size: float = 17) -> None:
        """A line of Python, coloured as editors colour it."""
        indent = len(line) - len(line.lstrip(" "))
        x += indent * size * 0.52
        for token in re.findall(r"#.*|\"[^\"]*\"|\w+|\s+|[^\w\s]", line[indent:]):
            self.text(x, y, token, size, _ink(token, self.theme))
            x += self.width_of(token, size) if token.strip() else len(token) * size * 0.32


def _ink(token: str, theme: Theme) -> str:
    if token.startswith("#"):
        return theme.muted
    if token.startswith('"'):
        return "#d9a066"
    if KEYWORDS.match(token):
        return "#c586c0"
    if token[0].isdigit():
        return "#b5cea8"
    return theme.text if not token[0].isupper() else "#4ec9b0"
