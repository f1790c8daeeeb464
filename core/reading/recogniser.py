"""What a line of text says, by the PP-OCR recogniser from the RapidOCR wheel.

A run costs what its input is wide, so lines are read no wider than they are, several of about one width together, on
every core at once.
"""

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import chain

import cv2
import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession

from core.reading.networks import CORES, MODELS, session

__all__ = ["recognise"]

MODEL = "PP-OCRv6_rec_small.onnx"
HEIGHT = 48
"Pixels: what the network takes."
WIDTH_STEP = 8
MIN_WIDTH = 48
MAX_WIDTH = 2400
BATCH_WIDTH = 640
"Lines are read together up to this width in all."
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
    return min(MAX_WIDTH, max(MIN_WIDTH, math.ceil(wide / WIDTH_STEP) * WIDTH_STEP))


def _batches(widths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of lines of one width, the widest first so that the cores finish together."""
    batch: list[int] = []
    for i in sorted(range(len(widths)), key=lambda i: -widths[i]):
        if batch and (widths[i] != widths[batch[0]] or widths[i] * (len(batch) + 1) > BATCH_WIDTH):
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


def _read(crops: Sequence[Crop], width: int) -> list[tuple[str, float]]:
    signal = np.zeros((len(crops), 3, HEIGHT, width), dtype=np.float32)
    for row, crop in enumerate(crops):
        wide = min(width, max(1, math.ceil(HEIGHT * crop.shape[1] / crop.shape[0])))
        scaled = cv2.resize(np.ascontiguousarray(crop), (wide, HEIGHT), interpolation=cv2.INTER_LINEAR)
        signal[row, :, :, :wide] = scaled.transpose(2, 0, 1) * np.float32(2 / 255) - 1
    (chances_NTV,) = _network().run(None, {"x": signal})
    return [_decoded(chances_TV) for chances_TV in chances_NTV]


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
def _network() -> InferenceSession:
    return session(MODELS / MODEL, threads=1)


@lru_cache(maxsize=1)
def _symbols() -> tuple[str, ...]:
    listed = _network().get_modelmeta().custom_metadata_map["character"].splitlines()
    return ("", *listed, " ")


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CORES, thread_name_prefix="recogniser")
