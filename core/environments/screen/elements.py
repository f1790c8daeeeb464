"""What a screen is made of: windows, menu and tool bars, text, tables, pictures, videos, buttons, notifications."""

import re
from collections.abc import Sequence
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from pydantic import BaseModel, ConfigDict

from core.environments.screen.ink import calmness, grey_of
from core.environments.screen.regions import Box, notifications, panels, tool_bars, windows
from core.environments.screen.rows import Rows
from core.reading import Reading

__all__ = ["Element", "ElementKind", "screen_elements", "signals"]

ElementKind = Literal["window", "menu_bar", "tool_bar", "text", "table", "image", "video", "button", "notification"]
Pixels = NDArray[np.uint8]

BLOCK = 16
"Pixels: the grain in which images are looked for; a thin line does not fill a block."
RIM = BLOCK // 3
"Pixels of an image, on average, outside the last block that it fills."
LEAST_CHANGE = 1
"Levels of 256 between neighbouring pixels; skies in pictures hardly change more."
LIVELY = 0.8
"Share of a block's pixels that must change."
SMALLEST_IMAGE = 0.005
"Share of the screen."
FILLED = 0.6
"Share of its box that an image fills."
TABLE_ROWS, TABLE_COLUMNS = 4, 3
TABLE_STEP = 4
"Typical line heights between the rows of a table, at most."
BUTTON_WORDS = 4
VIDEO_SHARE = 0.06
VIDEO_SHAPE = (1.2, 2.6)
RUNNING_TIME = re.compile(r"\b\d{1,2}:\d{2}(:\d{2})?\s*[/|]\s*-?\d{1,2}:\d{2}|^-?\d{1,2}:\d{2}(:\d{2})?$")
SAME_SURFACE = 6
"Levels of a colour, of 256, by which the ground of a button may vary."
NO_EDGE = 0.25
"Share of a side along which the ground may run on."


class Element(BaseModel):
    """A part of a screen. `box` is left, top, right, bottom as fractions of width and height; `score` is 0..1."""

    model_config = ConfigDict(frozen=True)
    kind: ElementKind
    box: Box
    score: float
    text: str = ""
    weight: float | None = None
    "What it adds to the log-odds of the first answer, where a release was asked."
    says: Literal["relevant", "distracting", "neutral"] | None = None


def screen_elements(reading: Reading, image: Image) -> list[Element]:
    """Everything found on `image`, by kind and from the top. `reading` is that of `image`."""
    pixels_HW3 = np.asarray(image.convert("RGB"))
    rows = Rows.of(reading)
    found = _images(pixels_HW3, rows)
    if rows is not None:
        found = [_as_video(element, rows) for element in found]
        buttons = _buttons(pixels_HW3, rows)
        found += [*_menu_bars(rows), *_tables(rows), *buttons, *_texts(rows)]
        found += _regions(pixels_HW3, rows, [button.box for button in buttons])
    return [_as_shares(element, reading.width, reading.height) for element in found]


def _regions(pixels_HW3: Pixels, rows: Rows, buttons: Sequence[Box]) -> list[Element]:
    """Windows, notifications and tool bars."""
    seen = panels(pixels_HW3)
    frames = windows(seen, pixels_HW3, rows)
    return [
        *(Element(kind="window", box=frame.box, score=round(min(frame.closed, 1.0), 3)) for frame in frames),
        *(
            Element(kind="notification", box=note.box, score=round(0.8 * note.closed, 3), text=text)
            for note, text in notifications(seen, rows, frames)
        ),
        *(Element(kind="tool_bar", box=box, score=0.6) for box in tool_bars(pixels_HW3, rows, buttons)),
    ]


def _as_video(element: Element, rows: Rows) -> Element:
    """A large picture of a film's proportions with a running time on it or right below it is a video."""
    left, top, right, bottom = element.box
    wide, high = right - left, bottom - top
    if wide * high < VIDEO_SHARE * rows.width * rows.height or not VIDEO_SHAPE[0] < wide / high < VIDEO_SHAPE[1]:
        return element
    below = bottom + 3 * rows.typical
    for text, (x0, y0, x1, y1) in zip(rows.texts, rows.boxes_N4.tolist(), strict=True):
        if left <= (x0 + x1) / 2 <= right and top + 0.6 * high <= (y0 + y1) / 2 <= below and RUNNING_TIME.search(text):
            return element.model_copy(update={"kind": "video"})
    return element


def _texts(rows: Rows) -> list[Element]:
    return [
        Element(kind="text", box=tuple(box), score=line.score, text=line.text)
        for line, box in zip(rows.lines, rows.boxes_N4.tolist(), strict=True)
    ]


def _menu_bars(rows: Rows) -> list[Element]:
    """Rows of menu words, across the screen: the more words, the surer."""
    bars = []
    for row, is_menu in zip(rows.rows, rows.is_menu, strict=True):
        if is_menu:
            _, top, _, bottom = _around(rows.boxes_N4[row])
            text = " ".join(rows.lines[i].text for i in row)
            bars.append(Element(kind="menu_bar", box=(0.0, top, rows.width, bottom), score=0.9, text=text))
    return bars


def _tables(rows: Rows) -> list[Element]:
    """Rows at an even distance whose entries begin at the same places: four rows and three columns at least."""
    found: list[Element] = []
    run: list[list[int]] = []
    edges: list[float] = []
    for row in rows.rows:
        if len(row) < TABLE_COLUMNS:
            continue
        own = rows.boxes_N4[row, 0].tolist()
        shared = [x for x in edges if any(abs(x - other) < rows.typical for other in own)]
        if run and len(shared) >= TABLE_COLUMNS and _goes_on(rows, run, row):
            run, edges = [*run, row], shared
            continue
        found += _table(rows, run, edges)
        run, edges = [row], own
    return [*found, *_table(rows, run, edges)]


def _goes_on(rows: Rows, run: Sequence[Sequence[int]], row: Sequence[int]) -> bool:
    """Whether `row` follows at the distance that the rows of `run` have; any near distance where there is one row."""
    middles = [float(np.median(rows.middles_N[each])) for each in (*run, row)]
    steps = np.diff(middles)
    near = steps[-1] < TABLE_STEP * rows.typical
    return bool(near and (len(steps) == 1 or abs(steps[-1] - steps[0]) < rows.typical / 2))


def _table(rows: Rows, run: Sequence[Sequence[int]], edges: Sequence[float]) -> list[Element]:
    if len(run) < TABLE_ROWS:
        return []
    start = min(edges) - rows.typical
    inside = [i for row in run for i in row if rows.boxes_N4[i, 0] >= start]
    score = min(1.0, 0.3 + 0.05 * len(run) + 0.05 * len(edges))
    return [Element(kind="table", box=_around(rows.boxes_N4[inside]), score=round(score, 3))]


def _images(pixels_HW3: Pixels, rows: Rows | None) -> list[Element]:
    """Regions where almost every pixel differs from its neighbours, however little: pictures, video, maps."""
    down, across = pixels_HW3.shape[0] // BLOCK, pixels_HW3.shape[1] // BLOCK
    if not down or not across:
        return []
    small = cv2.resize(pixels_HW3, (across * BLOCK // 2, down * BLOCK // 2), interpolation=cv2.INTER_AREA)
    red, green, blue = cv2.split(cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)))
    changes = (cv2.max(red, cv2.max(green, blue)) > LEAST_CHANGE).astype(np.float32)
    lively = (cv2.resize(changes, (across, down), interpolation=cv2.INTER_AREA) > LIVELY).astype(np.uint8)
    if rows is not None:
        _take_out(lively, rows)
    opened = cv2.morphologyEx(lively, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    return [
        Element(
            kind="image",
            box=(
                max(left * BLOCK - RIM, 0),
                max(top * BLOCK - RIM, 0),
                min((left + wide) * BLOCK + RIM, pixels_HW3.shape[1]),
                min((top + high) * BLOCK + RIM, pixels_HW3.shape[0]),
            ),
            score=round(area / (wide * high), 3),
        )
        for left, top, wide, high, area in stats[1:count].tolist()
        if area >= SMALLEST_IMAGE * opened.size and min(wide, high) > 2 and area > FILLED * wide * high
    ]


def _take_out(lively: NDArray[np.uint8], rows: Rows) -> None:
    """Clears blocks of text on a plain ground; text in a picture, with lively blocks around it, stays part of it."""
    boxes = np.concatenate([np.floor(rows.boxes_N4[:, :2] / BLOCK), np.ceil(rows.boxes_N4[:, 2:] / BLOCK)], axis=1)
    before = lively.copy()
    for left, top, right, bottom in boxes.astype(int).tolist():
        around = before[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1]
        own = before[top:bottom, left:right]
        ring = around.size - own.size
        if ring and (around.sum() - own.sum()) < ring / 2:
            lively[top:bottom, left:right] = 0


def _buttons(pixels_HW3: Pixels, rows: Rows) -> list[Element]:
    """Short texts, each alone in a box with an edge all around it, little larger than the text."""
    found = []
    for i, box in enumerate(rows.boxes_N4.astype(int).tolist()):
        if len(rows.texts[i].split()) > BUTTON_WORDS:
            continue
        surface = _surface_of(pixels_HW3, *box)
        if surface is not None and _inside(rows.boxes_N4, surface) == 1:
            found.append(Element(kind="button", box=surface, score=0.7, text=rows.texts[i]))
    return found


def _surface_of(pixels_HW3: Pixels, left: int, top: int, right: int, bottom: int) -> Box | None:
    """The box around a text whose ground ends on every side, soon and along the whole side; None where it does not."""
    height, width = pixels_HW3.shape[:2]
    high = bottom - top
    if right - left < 4 or high < 4:
        return None
    x0, y0 = max(0, left - 2 * high), max(0, top - high)
    patch = pixels_HW3[y0 : min(height, bottom + high), x0 : min(width, right + 2 * high)]
    left, right, top, bottom = left - x0, right - x0, top - y0, bottom - y0
    ground = _commonest(patch[top:bottom, left:right])
    same = cv2.inRange(patch, ground - SAME_SURFACE, ground + SAME_SURFACE) > 0
    middle = slice(top + high // 4, bottom - high // 4)
    start = _last_of_run(same[middle, :left].mean(axis=0)[::-1])
    stop = _last_of_run(same[middle, right:].mean(axis=0))
    above = _last_of_run(same[:top, left:right].mean(axis=1)[::-1])
    below = _last_of_run(same[bottom:, left:right].mean(axis=1))
    if start is None or stop is None or above is None or below is None:
        return None
    box = left - start, top - above, right + stop, bottom + below
    if not _has_edge(same, *box):
        return None
    return box[0] + x0, box[1] + y0, box[2] + x0, box[3] + y0


def _commonest(pixels_HW3: Pixels) -> NDArray[np.float64]:
    """The colour that most pixels nearly have."""
    coarse = (pixels_HW3 >> 3).astype(np.int32) @ np.array([1024, 32, 1])
    chosen = coarse == np.bincount(coarse.ravel()).argmax()
    return np.round(pixels_HW3[chosen].mean(axis=0))


def _last_of_run(same: NDArray[np.float64]) -> int | None:
    """How far the ground goes on; None where it does not end."""
    ends = np.flatnonzero(same < 0.5)
    return int(ends[0]) if len(ends) else None


def _has_edge(same: NDArray[np.bool_], left: int, top: int, right: int, bottom: int) -> bool:
    """Whether the ground ends along all four sides but for rounded corners, within two pixels of the box."""
    inset_x, inset_y = (right - left) // 5, (bottom - top) // 4
    columns, lines = slice(left + inset_x, right - inset_x), slice(top + inset_y, bottom - inset_y)
    sides = (
        same[max(top - 2, 0) : top + 1, columns].all(axis=0),
        same[bottom - 1 : bottom + 2, columns].all(axis=0),
        same[lines, max(left - 2, 0) : left + 1].all(axis=1),
        same[lines, right - 1 : right + 2].all(axis=1),
    )
    return all(side.size > 0 and side.mean() < NO_EDGE for side in sides)


def _inside(boxes_N4: NDArray[np.float64], box: Box) -> int:
    middles_N2 = (boxes_N4[:, :2] + boxes_N4[:, 2:]) / 2
    return int(((middles_N2 >= box[:2]) & (middles_N2 <= box[2:])).all(axis=1).sum())


def _around(boxes_N4: NDArray[np.float64]) -> Box:
    left, top = boxes_N4[:, :2].min(axis=0).tolist()
    right, bottom = boxes_N4[:, 2:].max(axis=0).tolist()
    return left, top, right, bottom


def signals(elements: Sequence[Element], image: Image) -> dict[str, float]:
    """What the elements come to: shares of the screen that are text and images, how many of each kind, calmness."""
    counts = {kind: float(sum(element.kind == kind for element in elements)) for kind in get_args(ElementKind)}
    return {
        "text_share": _covered(elements, "text"),
        "image_share": _covered(elements, "image"),
        "calmness": round(calmness(grey_of(image)), 3),
        **counts,
    }


def _covered(elements: Sequence[Element], kind: ElementKind) -> float:
    boxes = [element.box for element in elements if element.kind == kind]
    return round(min(1.0, sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)), 3)


def _as_shares(element: Element, width: int, height: int) -> Element:
    left, top, right, bottom = element.box
    box = (left / width, top / height, min(right / width, 1.0), min(bottom / height, 1.0))
    return element.model_copy(update={"box": tuple(round(edge, 5) for edge in box)})
