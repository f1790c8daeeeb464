"""Where text stands on a picture, by the PP-OCR detector from the RapidOCR wheel.

The network is the wheel's; what surrounds it here is for screens: text stands upright, so a region is an upright box,
and its detection costs a resize, one run and a few array operations.
"""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from core.reading.networks import Network

__all__ = ["STEP", "Boxes", "Pixels", "Window", "detect", "detect_within", "shrunk"]

MODEL = "PP-OCRv6_det_small.onnx"
STEP = 32
"Pixels: the network halves its input five times."
LONG_SIDE = 1152
"Pixels that the longer side is shrunk to before text is looked for; less loses the small print of interfaces."
INK = 0.3
"Probability of text above which a pixel belongs to a region."
MIN_SCORE = 0.5
"Mean probability of a region that is kept."
MIN_SIDE = 3
GROWTH = 1.6
"The network marks the core of a line; its box is that grown by this times area over perimeter (DB, arXiv:1911.08947)."

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.int64]
Window = tuple[int, int, int, int]


def shrunk(pixels_HWC: Pixels) -> Pixels:
    """The picture as the network takes it: its longer side bounded, both sides whole STEPs."""
    height, width = pixels_HWC.shape[:2]
    scale = min(1.0, LONG_SIDE / max(width, height))
    rows, columns = (max(STEP, round(side * scale / STEP) * STEP) for side in (height, width))
    return np.asarray(cv2.resize(pixels_HWC, (columns, rows), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def detect(pixels_HWC: Pixels) -> Boxes:
    """Int[L, 4] boxes of text (left, top, right, bottom in pixels of the picture), in no particular order."""
    shrunk_HWC = shrunk(pixels_HWC)
    rows, columns = shrunk_HWC.shape[:2]
    return detect_within(shrunk_HWC, (0, 0, columns // STEP, rows // STEP), (pixels_HWC.shape[1], pixels_HWC.shape[0]))


def detect_within(shrunk_HWC: Pixels, window: Window, size: tuple[int, int]) -> Boxes:
    """The same, only of what stands in a window, in STEPs of the shrunk picture; `size` is that of the picture."""
    rows, columns = shrunk_HWC.shape[:2]
    left, top, right, bottom = (STEP * edge for edge in window)
    signal = shrunk_HWC[top:bottom, left:right].astype(np.float32).transpose(2, 0, 1)[None] * np.float32(2 / 255) - 1
    text_1CHW = _network()(np.ascontiguousarray(signal))
    boxes_L4 = _boxes(text_1CHW[0, 0]) + np.array([left, top, left, top], dtype=np.float32)
    boxes_L4 *= np.array([size[0] / columns, size[1] / rows] * 2, dtype=np.float32)
    return np.clip(boxes_L4.round(), 0, np.array(size * 2)).astype(np.int64)


@lru_cache(maxsize=1)
def _network() -> Network:
    return Network(MODEL, side_by_side=False)


def _boxes(text_HW: NDArray[np.float32]) -> NDArray[np.float32]:
    ink = cv2.dilate((text_HW > INK).astype(np.uint8), np.ones((2, 2), dtype=np.uint8))
    count, label_HW, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    area = np.maximum(np.bincount(label_HW.ravel(), minlength=count), 1)
    score = np.bincount(label_HW.ravel(), weights=text_HW.ravel(), minlength=count) / area
    left, top, wide, high = (stats[1:, k].astype(np.float32) for k in range(4))
    kept = (score[1:] >= MIN_SCORE) & (np.minimum(wide, high) >= MIN_SIDE)
    left, top, wide, high = (side[kept] for side in (left, top, wide, high))
    grown = GROWTH * wide * high / (2 * (wide + high))
    return np.stack([left - grown, top - grown, left + wide + grown, top + high + grown], axis=1)
