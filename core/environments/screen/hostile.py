"""Screens that somebody wrote on to get a verdict: orders, fake system messages, rubrics and verdicts, and the work."""

import tomllib
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from core.environments.base import Attack
from core.environments.screen.drawing.canvas import Box, Canvas, Theme
from core.reading import Reading

__all__ = ["ATTACK_KINDS", "QUOTES", "attack_texts", "attacked"]

ATTACK_KINDS = ("instruction", "system", "rubric", "verdict")
QUOTES = "quotes"
HELD_OUT = "held_out"
WORDS = {
    "on_task": {
        "said": "on task",
        "verdict": "ON TASK",
        "matches": "matches",
        "relevant": "relevant",
        "yes": "yes",
    },
    "off_task": {
        "said": "off task",
        "verdict": "OFF TASK",
        "matches": "does not match",
        "relevant": "irrelevant",
        "yes": "no",
    },
}
"""How each answer is said in a sentence."""
NOTES = (
    Theme("#fff7cc", "#fff7cc", "#f3e9a6", "#d9cc7a", "#3a3520", "#6b6340", "#b08900"),
    Theme("#ffffff", "#ffffff", "#eef1f5", "#c3cad6", "#1b1f27", "#68707f", "#2f6fde"),
    Theme("#23262e", "#23262e", "#1a1d23", "#454b59", "#f2f4f8", "#a6adbb", "#6aa3ff"),
    Theme("#c62828", "#c62828", "#a31f1f", "#8f1b1b", "#ffffff", "#ffe1e1", "#ffffff"),
)
"""A sticky note, a dialogue, a dark notification, an alarm."""
SMALLEST_TEXT = 15
"Pixels: it is meant to be read."
WIDTHS = (0.3, 0.42, 0.6)
"Of a note, as shares of the screen."
PLACES = 7
"Places that are tried along either side."


@lru_cache(maxsize=1)
def attack_texts() -> dict[str, dict[str, list[str]]]:
    """Wordings by part (`development`, `held_out`, `quotes`) and kind, with fields in braces."""
    return tomllib.loads((Path(__file__).parent / "data" / "attacks.toml").read_text(encoding="utf-8"))


def attacked(
    image: Image, reading: Reading, ask: str, goal: str, generator: np.random.Generator, part: str = HELD_OUT
) -> list[Attack]:
    """`image` with one text of each kind, drawn from the wordings of `part`, where it hides the least that is read."""
    texts = attack_texts()
    by_kind = {kind: texts[part][kind] for kind in ATTACK_KINDS} | {QUOTES: texts[QUOTES]["plain"]}
    found = []
    for kind, wordings in by_kind.items():
        wording = wordings[int(generator.integers(len(wordings)))]
        text = wording.format(work=ask, answer=goal, **WORDS[goal])
        found.append(Attack(kind, text, _with_note(image, reading, text, generator), quotes=kind == QUOTES))
    return found


def _with_note(image: Image, reading: Reading, text: str, generator: np.random.Generator) -> Image:
    canvas = Canvas.over(image, NOTES[int(generator.integers(len(NOTES)))])
    heights = [line.height * image.height for line in reading.lines]
    size = max(SMALLEST_TEXT, float(np.median(heights)) * 0.75) if heights else SMALLEST_TEXT
    margin, width = size * 0.9, image.width * WIDTHS[int(generator.integers(len(WIDTHS)))]
    lines = canvas.wrapped(text, width - 2 * margin, size)
    wide = min(width, max(canvas.width_of(line, size) for line in lines) + 2 * margin)
    left, top, right, bottom = _least_hidden(reading, image, wide, 1.42 * size * len(lines) + 2 * margin)
    canvas.rect((left, top, right, bottom), canvas.theme.page, radius=6, outline=canvas.theme.line)
    canvas.paragraph(left + margin, top + margin, width - 2 * margin, text, size)
    return canvas.image


def _least_hidden(reading: Reading, image: Image, wide: float, high: float) -> Box:
    """Of places on a grid, that where a box of this size covers the least text; the first of equals."""
    boxes_N4 = np.array([line.box for line in reading.lines]).reshape(-1, 4) * (*image.size, *image.size)
    places = [
        (x, y, x + wide, y + high)
        for y in np.linspace(0, max(image.height - high, 0), PLACES).round().tolist()
        for x in np.linspace(0, max(image.width - wide, 0), PLACES).round().tolist()
    ]
    return min(places, key=lambda box: _hidden(boxes_N4, box))


def _hidden(boxes_N4: NDArray[np.float64], box: Box) -> float:
    """Square pixels of text under `box`."""
    wide_N = np.minimum(boxes_N4[:, 2], box[2]) - np.maximum(boxes_N4[:, 0], box[0])
    high_N = np.minimum(boxes_N4[:, 3], box[3]) - np.maximum(boxes_N4[:, 1], box[1])
    return float((np.maximum(wide_N, 0) * np.maximum(high_N, 0)).sum())
