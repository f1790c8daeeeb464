"""What is kept of a screen where its content is nobody's business: the title, and the words of the user interface."""

import numpy as np
from PIL.Image import Image

from core.environments.screen.elements import screen_elements
from core.environments.screen.rows import Rows
from core.environments.screen.titles import window_title
from core.reading import Line, Reading

__all__ = ["ui_text"]

HEADING = 1.3
"Times as high as the typical line."
HEADING_WORDS = 8
LABEL_WORDS = 3
SIDE = 0.22
"Share of the width at the left in which a column of labels is navigation."
COLUMN = 4
"Labels below each other that make a column."
BARS = ("menu_bar", "tool_bar")


def ui_text(reading: Reading, image: Image) -> Reading:
    """`reading` without what people wrote or read: lines of its title, menus, tool bars, navigation, buttons, headings.

    Everything else is left out. What a line is follows from rules and is now and then wrong: a heading is a piece of
    content, and the words on a button may be a name.
    """
    rows = Rows.of(reading)
    if rows is None:
        return reading.model_copy(update={"lines": ()})
    title = window_title(reading, image)
    elements = screen_elements(reading, image)
    bars = [each.box for each in elements if each.kind in BARS]
    buttons = {each.text for each in elements if each.kind == "button"}
    kept = {id(rows.lines[i]) for i in rows.navigation | _side_navigation(rows) | _headings(rows)}
    kept |= {
        id(line)
        for line, text in zip(rows.lines, rows.texts, strict=True)
        if text == title or text in buttons or any(_is_inside(line, bar) for bar in bars)
    }
    return reading.model_copy(update={"lines": tuple(line for line in reading.lines if id(line) in kept)})


def _headings(rows: Rows) -> set[int]:
    return {
        i
        for i, text in enumerate(rows.texts)
        if rows.heights_N[i] >= HEADING * rows.typical and len(text.split()) <= HEADING_WORDS
    }


def _side_navigation(rows: Rows) -> set[int]:
    """Short labels below each other at the left."""
    labels = [
        i
        for i, text in enumerate(rows.texts)
        if rows.boxes_N4[i, 0] < SIDE * rows.width and len(text.split()) <= LABEL_WORDS
    ]
    found: set[int] = set()
    for i in labels:
        column = [j for j in labels if abs(rows.boxes_N4[j, 0] - rows.boxes_N4[i, 0]) < rows.typical / 2]
        if len(column) >= COLUMN:
            found.update(column)
    return found


def _is_inside(line: Line, box: tuple[float, float, float, float]) -> bool:
    x, y = np.add(line.box[:2], line.box[2:]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])
