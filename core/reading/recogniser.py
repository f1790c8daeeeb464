"""What a line of text says, by the PP-OCR recogniser from the RapidOCR wheel.

A run costs what its input is wide, so lines are read little wider than they are, a few of one width together, on every
core at once. Widths and numbers of lines are of few kinds, since every shape has to be prepared once.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain, groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from core.reading.networks import CORES, Network

__all__ = ["recognise"]

MODEL = "PP-OCRv6_rec_small.onnx"
HEIGHT = 48
"Pixels: what the network takes."
WIDTHS = (*range(48, 320, 16), *range(320, 640, 32), *range(640, 1280, 64), *range(1280, 2401, 160))
"Pixels: a line is filled up to the next of these; a longer one is squeezed into the last."
BATCH_WIDTH = 640
"Lines are read together up to this width in all."
BATCHES = (4, 2, 1)
TALL = 1.5
"A box this much taller than wide holds a line turned on its side."

Crop = NDArray[np.uint8]


def recognise(crops: Sequence[Crop]) -> list[tuple[str, float]]:
    """What each BGR crop of one line says, and the mean probability of its characters (0 where there are none)."""
    upright = [np.rot90(crop) if crop.shape[0] > TALL * crop.shape[1] else crop for crop in crops]
    widths = [_width(crop) for crop in upright]
    batches = list(_batches(widths))
    if not batches:
        return []
    read = _pool().map(lambda batch: _read([upright[i] for i in batch], max(widths[i] for i in batch)), batches)
    found = dict(zip(chain.from_iterable(batches), chain.from_iterable(read), strict=True))
    return [found[i] for i in range(len(crops))]


def _width(crop: Crop) -> int:
    wide = HEIGHT * crop.shape[1] / max(1, crop.shape[0])
    return next((width for width in WIDTHS if width >= wide), WIDTHS[-1])


def _batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of lines of one width, the widest first so that the cores finish together."""
    widest_first = sorted(range(len(widths)), key=lambda i: -widths[i])
    for width, alike in groupby(widest_first, key=lambda i: widths[i]):
        rows = list(alike)
        while rows:
            size = next(n for n in BATCHES if n == 1 or (n <= len(rows) and n * width <= BATCH_WIDTH))
            yield rows[:size]
            rows = rows[size:]


def _read(crops: Sequence[Crop], width: int) -> list[tuple[str, float]]:
    signal = np.zeros((len(crops), 3, HEIGHT, width), dtype=np.float32)
    for row, crop in enumerate(crops):
        wide = min(width, max(1, math.ceil(HEIGHT * crop.shape[1] / crop.shape[0])))
        scaled = cv2.resize(np.ascontiguousarray(crop), (wide, HEIGHT), interpolation=cv2.INTER_LINEAR)
        signal[row, :, :, :wide] = scaled.transpose(2, 0, 1) * np.float32(2 / 255) - 1
    return [_decoded(chances_TV) for chances_TV in _network()(signal)]


def _decoded(chances_TV: NDArray[np.float32]) -> tuple[str, float]:
    """Best path of a CTC output (Graves et al. 2006): repeats collapse, then blanks (symbol 0) go."""
    best_T = chances_TV.argmax(axis=1)
    spoken_T = (best_T != 0) & np.concatenate([[True], best_T[1:] != best_T[:-1]])
    if not spoken_T.any():
        return "", 0.0
    symbols = _symbols()
    chances = chances_TV[spoken_T, best_T[spoken_T]]
    return "".join(symbols[k] for k in best_T[spoken_T]), float(chances.mean())


@lru_cache(maxsize=1)
def _network() -> Network:
    return Network(MODEL, side_by_side=True)


@lru_cache(maxsize=1)
def _symbols() -> tuple[str, ...]:
    listed = _network().metadata["character"].splitlines()
    return ("", *listed, " ")


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CORES, thread_name_prefix="recogniser")
