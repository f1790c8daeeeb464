"""Cabinets, drawn: a rack with its units, the thing that is inspected in the state asked for, and a label.

Drawn flat and lit evenly; `photographs` turns a scene into a photo. Coordinates are fractions of the picture's side.
"""

from collections.abc import Callable, Mapping
from random import Random

from PIL import Image, ImageDraw, ImageFont

__all__ = ["SIDE", "scene"]

SIDE = 224
"""Pixels."""
RACK, RAIL, UNIT, DARK = "#3a3f45", "#9aa0a6", "#c9ccd1", "#101214"
BRASS, GREEN, YELLOW, PLATE = "#c08a3e", "#1f9d55", "#f2d21b", "#e6e2d6"
CABLES = ("#2563eb", "#d97706", "#7c3aed", "#0891b2")


class Sheet:
    """A picture to draw on in fractions of its side."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (SIDE, SIDE), RACK)
        self._draw = ImageDraw.Draw(self.image)

    def box(self, left: float, top: float, right: float, bottom: float, fill: str, edge: str = DARK) -> None:
        self._draw.rectangle(tuple(SIDE * each for each in (left, top, right, bottom)), fill=fill, outline=edge)

    def line(self, points: list[tuple[float, float]], fill: str, width: float) -> None:
        places = [(SIDE * x, SIDE * y) for x, y in points]
        self._draw.line(places, fill=fill, width=max(1, round(SIDE * width)), joint="curve")

    def dot(self, x: float, y: float, radius: float, fill: str) -> None:
        ends = (SIDE * (x - radius), SIDE * (y - radius), SIDE * (x + radius), SIDE * (y + radius))
        self._draw.ellipse(ends, fill=fill)

    def polygon(self, points: list[tuple[float, float]], fill: str) -> None:
        self._draw.polygon([(SIDE * x, SIDE * y) for x, y in points], fill=fill, outline=DARK)

    def text(self, x: float, y: float, text: str, height: float) -> None:
        self._draw.text((SIDE * x, SIDE * y), text, fill=DARK, font=ImageFont.load_default(SIDE * height))


def scene(mission: str, state: int | None, *, labelled: bool, side: int, rng: Random) -> Image.Image:
    """A scene of `mission` in state 0 (right) or one of its faults from 1; None is the whole cabinet from afar.

    `side` is -1, 0 or 1 for what stands at the left, at neither, or at the right edge. All else follows from `rng`.
    """
    sheet = Sheet()
    if state is None:
        _from_afar(sheet, rng)
    else:
        _DRAWN[mission](sheet, state, rng)
    _edge(sheet, side)
    _label(sheet, labelled, rng)
    return sheet.image


def _edge(sheet: Sheet, side: int) -> None:
    """The side panel that is seen from the left or from the right; from the front there are rails on both sides."""
    if side:
        left = 0.0 if side < 0 else 0.84
        sheet.box(left, 0.0, left + 0.16, 1.0, "#6b7f95")
        for slot in range(6):
            sheet.line([(left + 0.04, 0.1 + 0.15 * slot), (left + 0.12, 0.1 + 0.15 * slot)], DARK, 0.012)
        return
    for left in (0.0, 0.95):
        sheet.box(left, 0.0, left + 0.05, 1.0, RAIL)


def _label(sheet: Sheet, labelled: bool, rng: Random) -> None:
    if labelled:
        sheet.box(0.34, 0.03, 0.68, 0.15, "#ffffff")
        sheet.text(0.37, 0.05, f"{rng.choice('ABCD')}{rng.randrange(10, 99)}-{rng.randrange(100, 999)}", 0.07)
    else:
        sheet.box(0.34, 0.03, 0.68, 0.15, "#4b4238", "#2b2620")


def _from_afar(sheet: Sheet, rng: Random) -> None:
    sheet.box(0.0, 0.0, 1.0, 1.0, "#b9c3b4", "#b9c3b4")
    sheet.box(0.3, 0.2, 0.7, 0.97, "#2b2f34")
    for row in range(9):
        sheet.box(0.34, 0.24 + 0.08 * row, 0.66, 0.3 + 0.08 * row, UNIT if rng.random() < 0.7 else "#8d9299")


def _units(rows: int) -> list[tuple[float, float]]:
    height = 0.74 / rows
    return [(0.2 + row * height, 0.2 + (row + 0.86) * height) for row in range(rows)]


def _installation_direction(sheet: Sheet, state: int, rng: Random) -> None:
    units = _units(3)
    odd = rng.randrange(3) if state else -1
    for row, (top, bottom) in enumerate(units):
        middle = (top + bottom) / 2
        if row == odd and state == 1:
            # The back: bare sockets on brown board.
            sheet.box(0.18, top, 0.82, bottom, "#7a4b2a")
            for socket in range(4):
                sheet.box(0.24 + 0.14 * socket, middle - 0.05, 0.32 + 0.14 * socket, middle + 0.05, BRASS)
            continue
        sheet.box(0.18, top, 0.82, bottom, UNIT)
        sheet.dot(0.36, middle, 0.085, "#30343a")
        sheet.dot(0.36, middle, 0.03, "#7d848c")
        sheet.line([(0.52, middle), (0.74, middle)], GREEN, 0.03)
        sheet.polygon([(0.78, middle), (0.69, middle - 0.05), (0.69, middle + 0.05)], GREEN)
        if row == odd:
            # It stands out: a bright flank and the gap's shadow beside it.
            sheet.box(0.18, bottom - 0.07, 0.82, bottom, "#f4f6f8")
            sheet.box(0.18, bottom, 0.82, bottom + 0.03, "#dd3322")


def _grounding_cable(sheet: Sheet, state: int, rng: Random) -> None:
    sheet.box(0.2, 0.78, 0.8, 0.88, BRASS)
    for x in (0.28, 0.42, 0.58, 0.72):
        sheet.dot(x, 0.83, 0.022, "#5b4320")
    sheet.box(0.24, 0.22, 0.76, 0.42, UNIT)
    lug, foot = rng.uniform(0.35, 0.65), rng.uniform(0.3, 0.7)
    sheet.dot(lug, 0.38, 0.035, "#5b4320")
    if state == 2:
        return
    if state == 0:
        path = [(lug, 0.38), ((lug + foot) / 2 + rng.uniform(-0.1, 0.1), 0.58), (foot, 0.83)]
    else:
        away = 0.12 if lug < 0.5 else 0.88
        path = [(lug, 0.38), (lug, 0.52), ((lug + away) / 2, 0.64), (away + 0.04, 0.56)]
    sheet.line(path, GREEN, 0.05)
    sheet.line(path, YELLOW, 0.022)
    sheet.dot(*path[-1], 0.04, BRASS if state == 0 else "#dd3322")


def _cable_routing(sheet: Sheet, state: int, rng: Random) -> None:
    places = [0.26, 0.36, 0.46, 0.56, 0.66, 0.76]
    for place in places:
        end = place
        if state == 1:
            end = 1.02 - place + rng.uniform(-0.04, 0.04)
        bend = rng.uniform(-0.09, 0.09) if state == 2 else 0.0
        path = [(place, 0.2), (place + bend, 0.42), (end - bend, 0.68), (end, 0.96)]
        sheet.line(path, rng.choice(CABLES), 0.035)
    if state != 2:
        for y in (0.36, 0.78):
            sheet.box(0.21, y, 0.81, y + 0.045, "#f5f5f5")


def _air_baffle(sheet: Sheet, state: int, rng: Random) -> None:
    odd = rng.randrange(4) if state else -1
    for slot, (top, bottom) in enumerate(_units(4)):
        if slot == odd and state == 1:
            sheet.box(0.18, top, 0.82, bottom, "#000000")
            continue
        if slot == odd:
            sheet.box(0.18, top, 0.82, bottom, "#000000")
            lift = rng.choice((-0.09, 0.09))
            sheet.polygon([(0.18, top), (0.82, top + lift), (0.82, bottom + lift), (0.18, bottom)], "#d8a24a")
            continue
        sheet.box(0.18, top, 0.82, bottom, PLATE)
        for hole in range(8):
            sheet.dot(0.25 + 0.07 * hole, (top + bottom) / 2, 0.016, "#8b877c")


_DRAWN: Mapping[str, Callable[[Sheet, int, Random], None]] = {
    "installation_direction": _installation_direction,
    "grounding_cable": _grounding_cable,
    "cable_routing": _cable_routing,
    "air_baffle": _air_baffle,
}
