"""Lines and boxes off a picture, by the PP-OCR networks of the RapidOCR wheel."""

import time
from importlib.metadata import version

import numpy as np
from PIL.Image import Image

from core.reading.detector import Boxes, Pixels, detect
from core.reading.lines import Line, Reading, in_reading_order
from core.reading.recogniser import recognise

__all__ = ["ENGINE", "found_lines", "pixels_of", "read_image", "reading_of"]

ENGINE = f"rapidocr-{version('rapidocr')}-screen2"
"Part of the cache key: another engine reads again. The last part changes with what is done around the networks."
MIN_SCORE = 0.5
MIN_LENGTH = 2
"Characters: what is read as a single one is an icon more often than text."


def read_image(image: Image) -> Reading:
    """The lines on an RGB picture, in reading order."""
    started = time.perf_counter()
    pixels_HWC = pixels_of(image)
    lines = found_lines(pixels_HWC, detect(pixels_HWC))
    return reading_of(lines, *image.size, started=started)


def pixels_of(image: Image) -> Pixels:
    """UInt8[H, W, 3] in the networks' order of colours: blue, green, red."""
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def found_lines(pixels_HWC: Pixels, boxes_L4: Boxes) -> list[Line]:
    """The boxes (in pixels) that hold text, read; in no particular order."""
    height, width = pixels_HWC.shape[:2]
    inside = [box for box in boxes_L4.tolist() if box[2] > box[0] and box[3] > box[1]]
    said = recognise([pixels_HWC[top:bottom, left:right] for left, top, right, bottom in inside])
    return [
        Line(text=" ".join(text.split()), box=_shares(box, width, height), score=round(score, 4))
        for box, (text, score) in zip(inside, said, strict=True)
        if score >= MIN_SCORE and len(text.strip()) >= MIN_LENGTH
    ]


def reading_of(lines: list[Line], width: int, height: int, *, started: float) -> Reading:
    """Lines as a reading; `started` is when that began, by `time.perf_counter`."""
    return Reading(
        width=width,
        height=height,
        lines=in_reading_order(lines, height),
        engine=ENGINE,
        read_ms=(time.perf_counter() - started) * 1000,
    )


def _shares(box: list[int], width: int, height: int) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return round(left / width, 5), round(top / height, 5), round(right / width, 5), round(bottom / height, 5)
