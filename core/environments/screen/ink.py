"""How lines of text look: their contrast, their weight, and how calm it is around them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

__all__ = ["Ink", "calmness", "grey_of", "inks"]

Grey = NDArray[np.int16]
SAME = 14
"Levels of grey, of 256, that pass for one colour."
STEP = 6
"A change between neighbouring pixels, in levels of grey, that shows."


class Ink(NamedTuple):
    """Of N lines: shares, 0..1."""

    contrast_N: NDArray[np.float64]
    "Between text and its ground; 1 is black on white."
    weight_N: NDArray[np.float64]
    "Pixels of its box that are ink; bold text has more."
    calm_N: NDArray[np.float64]
    "Pixels around the box in the colour of the ground."
    band_N: NDArray[np.float64]
    "Pixels across the whole picture, at the line's height, in the colour of the ground: high in a bar."


def grey_of(image: Image) -> Grey:
    """Int16[H, W]: levels of grey, 0..255."""
    return np.asarray(image.convert("L")).astype(np.int16)


def calmness(grey_HW: Grey) -> float:
    """Share of places that hardly differ from their neighbour: high in user interfaces, low in games and films."""
    return float((np.abs(np.diff(grey_HW[::2, ::2], axis=1)) < STEP).mean()) if grey_HW.shape[1] > STEP else 1.0


def inks(grey_HW: Grey, boxes_N4: NDArray[np.float64]) -> Ink:
    """How the lines in `boxes_N4` (pixels: left, top, right, bottom) look."""
    return Ink(*np.array([_ink(grey_HW, *box) for box in boxes_N4.astype(int).tolist()]).reshape(-1, 4).T)


def _ink(grey_HW: Grey, left: int, top: int, right: int, bottom: int) -> tuple[float, float, float, float]:
    right, bottom = max(right, left + 2), max(bottom, top + 2)
    ring = np.concatenate(
        [
            grey_HW[max(top - 2, 0) : top + 1, left:right].ravel(),
            grey_HW[bottom - 1 : bottom + 2, left:right].ravel(),
            grey_HW[top:bottom, max(left - 3, 0) : left + 1].ravel(),
            grey_HW[top:bottom, right - 1 : right + 3].ravel(),
        ]
    )
    if ring.size == 0:
        return 0.0, 0.0, 0.0, 0.0
    ground = int(np.partition(ring, ring.size // 2)[ring.size // 2])
    apart = np.abs(grey_HW[top:bottom, left:right] - ground).ravel()
    darkest = int(np.partition(apart, int(apart.size * 0.97))[int(apart.size * 0.97)])
    band = np.abs(grey_HW[top:bottom:2, ::4] - ground)
    return (
        darkest / 255,
        float((apart > max(darkest / 2, 12)).mean()),
        float((np.abs(ring - ground) < SAME).mean()),
        float((band < SAME).mean()),
    )
