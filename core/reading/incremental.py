"""Reading a screen that differs little from the one before: only what changed is read again.

Changed blocks, grown to the lines they touch, are looked at again on the detector's own grid, so that what is found
there is found where a full reading finds it; every other line is kept.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from core.reading.detector import STEP, Boxes, Pixels, Window, detect_within, shrunk
from core.reading.lines import Line, Reading
from core.reading.ocr import ENGINE, found_lines, pixels_of, read_image, reading_of

__all__ = ["Sessions", "Sight", "changed_blocks", "read_again"]

BLOCK = 16
"Pixels: the grain in which pictures are compared."
MOST_CHANGED = 0.1
"Share of the blocks; a screen that changed more is read in full."
MOST_LOOKED_AT = 0.4
"Share of the picture that may be looked at again before a full reading costs no more."
REACH = 12
"Pixels around a change in which text may have been found otherwise because of it."
CONTEXT = 32
"Pixels around what is looked at again, so that the network sees what surrounds it."
WINDOW_SIDES = (4, 8, 12, 16, 24)
"STEPs of a window's side: of few kinds, since the network prepares itself once for every shape."
SLIGHT = 3
"Pixels that the edges of a box may be off because less of the screen was looked at."
REMEMBERED = 16
"Sessions whose last screen is kept."

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]


class Sight(NamedTuple):
    """A screen as it was seen: its pixels, and what was read off them."""

    pixels_HWC: Pixels
    reading: Reading


def changed_blocks(before_HWC: Pixels, now_HWC: Pixels) -> Mask:
    """Bool[ceil(H / BLOCK), ceil(W / BLOCK)]: blocks in which any pixel differs. The pictures are of one size."""
    height, width = now_HWC.shape[:2]
    differs = cv2.absdiff(before_HWC, now_HWC).reshape(height, -1)
    # Rows of bytes are compared many times as fast as pixels of three.
    bands = np.stack([differs[top : top + BLOCK].max(axis=0) for top in range(0, height, BLOCK)])
    return np.logical_or.reduceat(bands.reshape(-1, width, 3).any(axis=2), np.arange(0, width, BLOCK), axis=1)


def read_again(before: Sight, image: Image) -> Sight | None:
    """`image` read with the help of the screen before it; None where a full reading is called for."""
    started = time.perf_counter()
    now_HWC = pixels_of(image)
    if now_HWC.shape != before.pixels_HWC.shape or before.reading.engine != ENGINE:
        return None
    changed = changed_blocks(before.pixels_HWC, now_HWC)
    if changed.mean() > MOST_CHANGED:
        return None
    height, width = now_HWC.shape[:2]
    old = {_pixels(line, width, height): line for line in before.reading.lines}
    regions = _regions(changed, list(old), width, height)
    boxes_L4 = _looked_at(now_HWC, regions)
    if boxes_L4 is None:
        return None
    touched = [box for box in old if any(_overlap(box, region) for region in regions)]
    found = [tuple(box) for box in boxes_L4.tolist()]
    twins = {box: _twin(box, touched, changed) for box in found}
    same = set(twins.values())
    fresh = [box for box in found if twins[box] is None]
    kept = [line for box, line in old.items() if box in same or (box not in touched and not _covered(box, fresh))]
    lines = kept + found_lines(now_HWC, np.array(fresh, dtype=np.int64).reshape(-1, 4))
    return Sight(now_HWC, reading_of(lines, width, height, started=started))


class Sessions:
    """The last screen of each session, by which its next is read."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, Sight] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, image: Image, session: str | None) -> Reading:
        """The lines on an RGB picture: of what changed since the session's last screen, else of all of it."""
        if session is None:
            return read_image(image)
        with self._lock:
            before = self._last.get(session)
        sight = read_again(before, image) if before else None
        sight = sight or Sight(pixels_of(image), read_image(image))
        with self._lock:
            self._last[session] = sight
            self._last.move_to_end(session)
            while len(self._last) > REMEMBERED:
                self._last.popitem(last=False)
        return sight.reading


def _pixels(line: Line, width: int, height: int) -> Box:
    left, top, right, bottom = line.box
    return round(left * width), round(top * height), round(right * width), round(bottom * height)


def _regions(changed: Mask, lines: list[Box], width: int, height: int) -> list[Box]:
    """Boxes that hold every change with its REACH and every line that it touches; no two of them overlap."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
    regions: list[Box] = []
    for left, top, wide, high in stats[1:count, :4].tolist():
        right, bottom = (left + wide) * BLOCK + REACH, (top + high) * BLOCK + REACH
        regions.append(
            (max(0, left * BLOCK - REACH), max(0, top * BLOCK - REACH), min(width, right), min(height, bottom))
        )
    return _apart([_joined([region, *(line for line in lines if _overlap(line, region))]) for region in regions])


def _apart(boxes: list[Box]) -> list[Box]:
    """Boxes that overlap joined, until none do."""
    apart: list[Box] = []
    for box in boxes:
        joined = box
        while near := [other for other in apart if _overlap(joined, other)]:
            apart = [other for other in apart if other not in near]
            joined = _joined([joined, *near])
        apart.append(joined)
    return apart


def _looked_at(pixels_HWC: Pixels, regions: list[Box]) -> Boxes | None:
    """Boxes of text that touch a region; None where that takes too much of the picture or a line does not end."""
    height, width = pixels_HWC.shape[:2]
    shrunk_HWC = shrunk(pixels_HWC)
    steps = shrunk_HWC.shape[1] // STEP, shrunk_HWC.shape[0] // STEP
    windows = _apart([_window(region, steps, width, height) for region in regions])
    windows = [(*_grown(left, right, steps[0]), *_grown(top, bottom, steps[1])) for left, top, right, bottom in windows]
    if sum((right - left) * (bottom - top) for left, right, top, bottom in windows) > MOST_LOOKED_AT * np.prod(steps):
        return None
    found: list[list[int]] = []
    for left, right, top, bottom in windows:
        ends = left * width / steps[0] if left else -1, right * width / steps[0] if right < steps[0] else np.inf
        for box in detect_within(shrunk_HWC, (left, top, right, bottom), (width, height)).tolist():
            if not any(_overlap(box, region) for region in regions) or _covered(box, found):
                continue
            if box[0] <= ends[0] or box[2] >= ends[1]:
                return None
            found.append(box)
    return np.array(found, dtype=np.int64).reshape(-1, 4)


def _grown(start: int, end: int, limit: int) -> tuple[int, int]:
    """A side of a window, about where it was, made as long as one of WINDOW_SIDES, or as `limit`."""
    side = next((side for side in WINDOW_SIDES if end - start <= side < limit), limit)
    start = min(max(0, (start + end - side) // 2), limit - side)
    return start, start + side


def _window(region: Box, steps: tuple[int, int], width: int, height: int) -> Window:
    left, top, right, bottom = region
    across, down = steps[0] / width, steps[1] / height
    return (
        max(0, int((left - CONTEXT) * across)),
        max(0, int((top - CONTEXT) * down)),
        min(steps[0], int(np.ceil((right + CONTEXT) * across))),
        min(steps[1], int(np.ceil((bottom + CONTEXT) * down))),
    )


def _overlap(a: Sequence[int], b: Sequence[int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _joined(boxes: list[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _twin(box: Box, lines: list[Box], changed: Mask) -> Box | None:
    """The line that stands where `box` was found, give or take what is SLIGHT, where nothing there has changed."""
    for line in lines:
        slight = max(abs(a - b) for a, b in zip(box, line, strict=True)) <= SLIGHT
        if slight and not _within(changed, _joined([box, line])):
            return line
    return None


def _within(changed: Mask, box: Box) -> bool:
    left, top, right, bottom = box
    return bool(changed[top // BLOCK : -(-bottom // BLOCK), left // BLOCK : -(-right // BLOCK)].any())


def _covered(box: Sequence[int], others: Sequence[Sequence[int]]) -> bool:
    """Whether another box takes most of this one."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return any(
        max(0, min(box[2], o[2]) - max(box[0], o[0])) * max(0, min(box[3], o[3]) - max(box[1], o[1])) > area / 2
        for o in others
    )
