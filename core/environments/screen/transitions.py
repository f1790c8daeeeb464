"""What happens on a screen from one moment to the next: small changes drawn onto a picture.

For measuring how well a changed screen is read again; each takes a screen and gives it as it is a moment later.
"""

from collections.abc import Callable, Mapping
from random import Random

from PIL import Image, ImageDraw, ImageFont

__all__ = ["TRANSITIONS"]

WORDS = ("draft", "budget", "meeting", "release", "invoice", "chapter", "travel", "review", "weather", "recipe")
INK, PAPER, EDGE = "#202124", "#ffffff", "#9aa0a6"


def _sentence(rng: Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize()


def _place(screen: Image.Image, wide: int, high: int, rng: Random) -> tuple[int, int]:
    return rng.randint(0, max(0, screen.width - wide)), rng.randint(0, max(0, screen.height - high))


def _text(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, size: int) -> None:
    draw.text(at, text, fill=INK, font=ImageFont.load_default(size))


def typing(screen: Image.Image, rng: Random) -> Image.Image:
    """A field with a few typed words."""
    later = screen.copy()
    draw = ImageDraw.Draw(later)
    wide, high = min(320, screen.width), 32
    left, top = _place(screen, wide, high, rng)
    draw.rectangle((left, top, left + wide, top + high), fill=PAPER, outline=EDGE)
    _text(draw, (left + 8, top + 7), _sentence(rng, rng.randint(1, 3)), 16)
    return later


def notice(screen: Image.Image, rng: Random) -> Image.Image:
    """A notice pops up in a corner."""
    later = screen.copy()
    draw = ImageDraw.Draw(later)
    wide, high = min(300, screen.width), 90
    left, top = screen.width - wide - 8, rng.choice([8, max(8, screen.height - high - 8)])
    draw.rectangle((left, top, left + wide, top + high), fill=PAPER, outline=EDGE)
    _text(draw, (left + 14, top + 12), _sentence(rng, 2), 17)
    _text(draw, (left + 14, top + 42), _sentence(rng, 3), 14)
    return later


def scrolling(screen: Image.Image, rng: Random) -> Image.Image:
    """A small pane moves up by about a line."""
    later = screen.copy()
    wide, high = screen.width * 3 // 10, screen.height * 3 // 10
    left, top = _place(screen, wide, high, rng)
    by = rng.randint(8, 24)
    later.paste(screen.crop((left, top + by, left + wide, top + high)), (left, top))
    return later


def clock(screen: Image.Image, rng: Random) -> Image.Image:
    """The clock in the corner shows another minute."""
    later = screen.copy()
    draw = ImageDraw.Draw(later)
    right, bottom = screen.width, screen.height
    draw.rectangle((right - 72, bottom - 26, right, bottom), fill=PAPER)
    _text(draw, (right - 62, bottom - 22), f"{rng.randrange(24):02}:{rng.randrange(60):02}", 15)
    return later


def cursor(screen: Image.Image, rng: Random) -> Image.Image:
    """The pointer stands elsewhere."""
    later = screen.copy()
    left, top = _place(screen, 12, 18, rng)
    arrow = [(left, top), (left, top + 16), (left + 4, top + 12), (left + 11, top + 11)]
    ImageDraw.Draw(later).polygon(arrow, fill="black", outline="white")
    return later


TRANSITIONS: Mapping[str, Callable[[Image.Image, Random], Image.Image]] = {
    change.__name__: change for change in (typing, notice, scrolling, clock, cursor)
}
"""By name; each leaves most of the screen as it was."""
