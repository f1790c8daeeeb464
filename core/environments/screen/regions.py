"""Larger parts of a screen, by their edges: windows, notifications, tool bars."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.environments.screen.rows import Rows

__all__ = ["Box", "Panel", "notifications", "panels", "tool_bars", "windows"]

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]
"Left, top, right, bottom in pixels."

STEP = 3
"Levels of 256 between neighbours along an edge: the shadow of a dialogue is hardly more."
HALF = 2
"Edges are looked for at half the size."
SHORTEST_EDGE = 0.08
"Of an edge across, as a share of the width."
CORNER = 14
"Pixels that corners round off, at most."
SAME = 0.85
"Intersection over union from which two panels are one."
CLOSED = 0.7
"Share of a side that must be edge."
MOST_EDGES = 240
LEAST_HEIGHT = 24
LARGEST_WINDOWS = 8
WINDOW_WIDTH, WINDOW_HEIGHT = 0.2, 0.12
"Of the screen, at least."
BAR_HEIGHTS = (1.1, 4.0)
"Typical heights of a line: how high the bar on top of a window is."
ALL_ALONG = 0.97
"Share of its width along which a bar ends; the cards of a column are narrower."
NOTE_AREA = (0.004, 0.09)
NOTE_LINES = 6
NEAR_BORDER = 0.06
ICON = (9, 52)
"Pixels: sides of what may be an icon."
TOOLS = 4
"Icons or buttons abreast that make a tool bar."
BAR_GAP = 3.5
"Widths of an icon between neighbours of one tool bar, at most."


class Panel(NamedTuple):
    """A rectangle whose four sides are edges or borders of the screen."""

    box: Box
    closed: float
    "Share of its sides that is edge, 0..1."


def panels(pixels_HW3: Pixels) -> list[Panel]:
    """Rectangles with an edge along every side, the largest first; of nearly equal ones the best closed."""
    height, width = pixels_HW3.shape[0] // HALF, pixels_HW3.shape[1] // HALF
    if min(height, width) < LEAST_HEIGHT:
        return []
    small: Pixels = np.asarray(cv2.resize(pixels_HW3, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    across_HW = np.zeros((height + 1, width), np.uint8)
    across_HW[1:-1] = _differs(small[:-1], small[1:])
    down_HW = np.zeros((height, width + 1), np.uint8)
    down_HW[:, 1:-1] = _differs(small[:, :-1], small[:, 1:])
    across_HW[[0, -1]] = 1
    down_HW[:, [0, -1]] = 1
    edges = _edges(across_HW, int(SHORTEST_EDGE * width))
    # Thick by one pixel to either side, so that a side may waver.
    thick_HW = cv2.dilate(down_HW, np.ones((1, 5), np.uint8))
    below_HW = np.concatenate([np.zeros((1, width + 1), np.int32), np.cumsum(thick_HW, axis=0, dtype=np.int32)])
    found = _rectangles(edges, below_HW, width)
    return [
        Panel((HALF * left, HALF * top, HALF * right, HALF * bottom), panel.closed)
        for panel in _distinct(found)
        for left, top, right, bottom in [panel.box]
    ]


def _differs(one_HW3: Pixels, other_HW3: Pixels) -> Mask:
    """Bool[H, W]: where any colour differs by a STEP."""
    red, green, blue = cv2.split(cv2.absdiff(one_HW3, other_HW3))
    differs_HW: Mask = cv2.max(cv2.max(red, green), blue) >= STEP
    return differs_HW


def _edges(across_HW: NDArray[np.uint8], shortest: int) -> NDArray[np.int64]:
    """Int[E, 3]: row, first and last column of each long edge; the longest MOST_EDGES of them."""
    closed = cv2.morphologyEx(across_HW, cv2.MORPH_CLOSE, np.ones((1, 5), np.uint8))
    long = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((1, max(shortest, 3)), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(long, connectivity=4)
    found = np.array(
        [(y + dy, x, x + wide) for x, y, wide, high, _ in stats[1:count].tolist() for dy in {0, high - 1}], np.int64
    ).reshape(-1, 3)
    longest = np.argsort(found[:, 1] - found[:, 2], kind="stable")[:MOST_EDGES]
    return found[longest]


def _rectangles(edges_E3: NDArray[np.int64], below_HW: NDArray[np.int32], width: int) -> list[Panel]:
    """Pairs of edges, one below the other, of one extent, that sides connect."""
    tops, bottoms = edges_E3[:, None], edges_E3[None]
    slack = CORNER // HALF
    pairs = (
        (bottoms[..., 0] - tops[..., 0] >= LEAST_HEIGHT // HALF)
        & (np.abs(bottoms[..., 1] - tops[..., 1]) <= slack)
        & (np.abs(bottoms[..., 2] - tops[..., 2]) <= slack)
    )
    found = []
    for i, j in np.argwhere(pairs).tolist():
        (top, left_a, right_a), (bottom, left_b, right_b) = edges_E3[i].tolist(), edges_E3[j].tolist()
        start, stop = top + slack, bottom - slack
        if stop <= start:
            start, stop = top, bottom
        left = _best_side(below_HW, range(max(min(left_a, left_b) - slack, 0), max(left_a, left_b) + 1), start, stop)
        right = _best_side(
            below_HW, range(min(right_a, right_b), min(max(right_a, right_b) + slack, width) + 1), start, stop
        )
        if min(left[1], right[1]) >= CLOSED:
            found.append(Panel((left[0], top, right[0], bottom), (left[1] + right[1]) / 2))
    return found


def _best_side(below_HW: NDArray[np.int32], columns: range, start: int, stop: int) -> tuple[int, float]:
    """The column of those with the most edge between two rows, and its share."""
    shares = (below_HW[stop, columns.start : columns.stop] - below_HW[start, columns.start : columns.stop]) / (
        stop - start
    )
    best = int(shares.argmax())
    return columns.start + best, float(shares[best])


def _distinct(found: Sequence[Panel]) -> list[Panel]:
    best_first = sorted(found, key=lambda panel: (-round(_area(panel.box) / 400), -panel.closed, panel.box))
    boxes_N4 = np.array([panel.box for panel in best_first]).reshape(-1, 4)
    is_repeated_N = np.zeros(len(best_first), dtype=bool)
    kept: list[Panel] = []
    for place, panel in enumerate(best_first):
        if not is_repeated_N[place]:
            kept.append(panel)
            is_repeated_N |= _alike(panel.box, boxes_N4) >= SAME
    return kept


def windows(found: Sequence[Panel], pixels_HW3: Pixels, rows: Rows) -> list[Panel]:
    """Panels, the whole screen among them, with a bar on top: text on one ground, with an edge right below."""
    height, width = pixels_HW3.shape[:2]
    whole = Panel((0.0, 0.0, float(width), float(height)), 1.0)
    alike_N = _alike(whole.box, np.array([panel.box for panel in found]).reshape(-1, 4))
    seen = [whole, *(panel for panel, alike in zip(found, alike_N, strict=True) if alike < SAME)]
    differs_HW = _differs(pixels_HW3[:-1], pixels_HW3[1:])
    return [
        panel
        for panel in seen
        if panel.box[2] - panel.box[0] >= WINDOW_WIDTH * width
        and panel.box[3] - panel.box[1] >= WINDOW_HEIGHT * height
        and _has_title_bar(panel.box, differs_HW, rows)
    ][:LARGEST_WINDOWS]


def _has_title_bar(box: Box, differs_HW: Mask, rows: Rows) -> bool:
    """`differs_HW` says which pixels differ from those below them."""
    left, top, right, bottom = (round(edge) for edge in box)
    lowest, highest = (round(times * rows.typical) for times in BAR_HEIGHTS)
    strip_HW = differs_HW[top : min(top + highest + 2, bottom) - 1, left + 2 : right - 2]
    if strip_HW.shape[0] < lowest or strip_HW.shape[1] < LEAST_HEIGHT:
        return False
    under = np.flatnonzero(strip_HW[lowest - 1 :].mean(axis=1) > ALL_ALONG)
    if not len(under):
        return False
    bar = (left, top, right, top + lowest + int(under[0]))
    inside = _middles_inside(rows.boxes_N4, bar)
    return 1 <= int(inside.sum()) <= NOTE_LINES


def notifications(found: Sequence[Panel], rows: Rows, seen: Sequence[Panel]) -> list[tuple[Panel, str]]:
    """Small panels near the right or the upper border that hold a few lines and stand over nothing else."""
    notes = []
    in_windows = [window.box for window in seen]
    for panel in found:
        left, top, right, bottom = panel.box
        share = _area(panel.box) / (rows.width * rows.height)
        near_right = rows.width - right <= NEAR_BORDER * rows.width and left > 0.5 * rows.width
        near_top = top <= NEAR_BORDER * rows.height and abs((left + right) / 2 - rows.width / 2) < 0.03 * rows.width
        is_apart = left > 2 and right < rows.width - 2 and top > 2 and bottom < rows.height - 2
        inside = np.flatnonzero(_middles_inside(rows.boxes_N4, panel.box))
        words = sum(len(rows.texts[i].split()) for i in inside)
        if (
            NOTE_AREA[0] <= share <= NOTE_AREA[1]
            and (near_right or near_top)
            and is_apart
            and 1 < len(inside) <= NOTE_LINES
            and words >= 4
            and right - left > 1.8 * (bottom - top)
            and panel.box not in in_windows
        ):
            notes.append((panel, " ".join(rows.texts[i] for i in inside)))
    outermost = [note for note in notes if not any(_within(note[0].box, other[0].box) for other in notes)]
    # What repeats is a list of cards.
    return outermost if len(outermost) <= 3 else []


def tool_bars(pixels_HW3: Pixels, rows: Rows, buttons: Sequence[Box]) -> list[Box]:
    """Rows of icons, or of buttons, at even height and near each other: TOOLS of them at least."""
    tools = np.array([*_icons(pixels_HW3, rows), *buttons]).reshape(-1, 4)
    if len(tools) < TOOLS:
        return []
    middles_N = (tools[:, 1] + tools[:, 3]) / 2
    found: list[Box] = []
    free = set(range(len(tools)))
    for i in np.argsort(middles_N, kind="stable").tolist():
        if i not in free:
            continue
        high = tools[i, 3] - tools[i, 1]
        level = [j for j in free if abs(middles_N[j] - middles_N[i]) < 0.3 * high + 2]
        for run in _runs(tools, sorted(level, key=lambda j: tools[j, 0])):
            free -= set(run)
            if len(run) >= TOOLS:
                boxes = tools[run]
                found.append((*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()))
        free.discard(i)
    return found


def _runs(tools: NDArray[np.float64], level: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for j in level:
        gap = tools[j, 0] - tools[runs[-1][-1], 2] if runs else 0.0
        if runs and gap <= BAR_GAP * max(tools[j, 3] - tools[j, 1], ICON[0]):
            runs[-1].append(j)
        else:
            runs.append([j])
    return runs


def _icons(pixels_HW3: Pixels, rows: Rows) -> list[Box]:
    """Small, nearly square patches that stand out from their ground and hold no text."""
    half = cv2.resize(pixels_HW3, None, fx=1 / HALF, fy=1 / HALF, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(half, cv2.COLOR_RGB2GRAY)
    ink = (cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 40).astype(np.uint8)
    for left, top, right, bottom in (rows.boxes_N4 / HALF).astype(int).tolist():
        ink[top : bottom + 1, left : right + 1] = 0
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    return [
        (HALF * x, HALF * y, HALF * (x + wide), HALF * (y + high))
        for x, y, wide, high, _ in stats[1:count].tolist()
        if ICON[0] <= HALF * wide <= ICON[1] and ICON[0] <= HALF * high <= ICON[1] and 0.55 < wide / high < 1.8
    ]


def _middles_inside(boxes_N4: NDArray[np.float64], box: Box) -> Mask:
    middles_N2 = (boxes_N4[:, :2] + boxes_N4[:, 2:]) / 2
    inside_N: Mask = np.all((middles_N2 >= box[:2]) & (middles_N2 <= box[2:]), axis=1)
    return inside_N


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _alike(box: Box, others_N4: NDArray[np.float64]) -> NDArray[np.float64]:
    """Float[N]: intersection over union."""
    left, top, right, bottom = others_N4.T
    wide = np.maximum(np.minimum(box[2], right) - np.maximum(box[0], left), 0)
    high = np.maximum(np.minimum(box[3], bottom) - np.maximum(box[1], top), 0)
    shared = wide * high
    alike_N: NDArray[np.float64] = shared / (_area(box) + (right - left) * (bottom - top) - shared)
    return alike_N


def _within(one: Box, other: Box) -> bool:
    return one != other and one[0] >= other[0] and one[1] >= other[1] and one[2] <= other[2] and one[3] <= other[3]
