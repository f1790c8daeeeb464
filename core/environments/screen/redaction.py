"""Private text is painted over, and the picture is read again until nothing of it can be read."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from PIL import ImageDraw
from PIL.Image import Image

from core.environments.screen.private_text import private_spans
from core.reading import Line, Reading, read_image
from core.schema import NightshiftError
from core.settings import RedactionSettings

__all__ = ["redact"]

PAINT = (96, 96, 96)
ROUNDS = 6
BY_THE_LETTER = 3
"Rounds in which only the words are painted over; then the whole line is."
ROW = 0.6
"Of a line's height: middles no further apart stand in one row."
NEAR = 2.0
"Line heights between neighbours of a row that are read as one text, at most."
MARGIN = 0.2
"Of a line's height, around what is painted over."
PIECE = 4
"Letters and figures in a row that would tell a part of it."
NARROW, WIDE = set("iIljtfr.,:;'|!()[]{}-/\\ "), set("mwMW@%")

Box = tuple[float, float, float, float]


class Found(NamedTuple):
    """A piece of private text: where it stands, in pixels, and what it says."""

    box: Box
    line: Box
    text: str


def redact(
    image: Image, settings: RedactionSettings, read: Callable[[Image], Reading] = read_image
) -> tuple[Image, Reading]:
    """`image` with everything the settings ask for painted over, and the reading of what is left.

    The picture itself where nothing was found. Raises NightshiftError where something can still be read after all was
    tried; such a picture must not be kept.
    """
    painted, reading = image, read(image)
    hidden: list[Found] = []
    for round in range(ROUNDS):
        found = [*_found(reading, settings), *_left_of(hidden, reading)]
        if not found:
            return painted, reading
        if painted is image:
            painted = image.copy()
        draw = ImageDraw.Draw(painted)
        for each in found:
            draw.rectangle(each.box if round < BY_THE_LETTER else each.line, fill=PAINT)
        hidden += found
        reading = read(painted)
    raise NightshiftError("something private on the picture could not be painted over; it is not taken in")


def _found(reading: Reading, settings: RedactionSettings) -> list[Found]:
    found = []
    for row in _rows(reading):
        text, starts = "", []
        for line in row:
            starts.append(len(text))
            text += f"{line.text} "
        for start, end in private_spans(text.rstrip(), settings):
            for line, begin in zip(row, starts, strict=True):
                inside = max(start - begin, 0), min(end - begin, len(line.text))
                if inside[0] < inside[1]:
                    found.append(_piece(reading, line, *inside))
    return found


def _rows(reading: Reading) -> list[list[Line]]:
    """Lines that go on in each other: side by side, as near as words are."""
    rows: list[list[Line]] = []
    for line in sorted(reading.lines, key=lambda line: (line.box[0], line.box[1])):
        row = next((row for row in rows if _goes_on(reading, row[-1], line)), None)
        if row is None:
            rows.append([line])
        else:
            row.append(line)
    return rows


def _goes_on(reading: Reading, before: Line, after: Line) -> bool:
    height = min(before.height, after.height) * reading.height
    apart = abs(sum(before.box[1::2]) - sum(after.box[1::2])) / 2 * reading.height
    gap = (after.box[0] - before.box[2]) * reading.width
    return apart <= ROW * height and -height <= gap <= NEAR * height


def _piece(reading: Reading, line: Line, start: int, end: int) -> Found:
    """Where the signs from `start` to `end` of a line stand: whole words, by how wide signs are in most fonts."""
    text = line.text
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    left, top, right, bottom = _pixels(reading, line)
    margin = MARGIN * (bottom - top)
    widths = [0.5 if sign in NARROW else 1.6 if sign in WIDE else 1.0 for sign in text]
    scale = (right - left) / sum(widths)
    # How wide signs are is a guess: it may be off by one of them at either end.
    slack = scale if start or end < len(text) else 0.0
    whole = (left - margin, top - margin, right + margin, bottom + margin)
    box = (
        whole[0] if start == 0 else left + scale * sum(widths[:start]) - slack,
        whole[1],
        whole[2] if end == len(text) else left + scale * sum(widths[:end]) + slack,
        whole[3],
    )
    return Found(box, whole, text[start:end])


def _left_of(hidden: Sequence[Found], reading: Reading) -> list[Found]:
    """Lines where something was painted over and a piece of it can still be read."""
    left = []
    for line in reading.lines:
        box = _pixels(reading, line)
        pieces = {piece for each in hidden if _touch(box, each.line) for piece in _pieces(each.text)}
        if pieces & _pieces(line.text):
            left.append(_piece(reading, line, 0, len(line.text)))
    return left


def _pieces(text: str) -> set[str]:
    signs = re.sub(r"[^\w]", "", text).casefold()
    return {signs[start : start + PIECE] for start in range(len(signs) - PIECE + 1)}


def _touch(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _pixels(reading: Reading, line: Line) -> Box:
    left, top, right, bottom = line.box
    return left * reading.width, top * reading.height, right * reading.width, bottom * reading.height
