"""Siblings of a labelled screen: what a correction should hold for, made in ways that training never uses."""

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

__all__ = ["rerender", "restate"]

STATEMENTS = (
    "I need to get this done before lunch: {}",
    "{} That is what I am paid for today.",
    "Assignment from my manager. {}",
    "{} Nothing more, nothing less.",
)
"Openings and endings that no variant uses."


def rerender(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """The screen as a window on a larger plain desktop, a little smaller and with other contrast."""
    shade = int(generator.integers(40, 200))
    smaller = ImageOps.scale(image, float(generator.uniform(0.88, 0.96)), Image.Resampling.BICUBIC)
    softer = ImageEnhance.Contrast(smaller).enhance(float(generator.uniform(0.8, 0.95)))
    desktop = Image.new("RGB", image.size, (shade, shade, min(255, shade + 20)))
    room = (image.width - softer.width, image.height - softer.height)
    desktop.paste(softer, (int(generator.integers(0, room[0] + 1)), int(generator.integers(0, room[1] + 1))))
    return desktop


def restate(ask: str, generator: np.random.Generator) -> str:
    """The same request, framed in a sentence that no variant uses."""
    return STATEMENTS[int(generator.integers(len(STATEMENTS)))].format(ask.rstrip(".") + ".")
