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
SIDE = 0.18
"Share of the width at the left in which a column of labels is navigation."
COLUMN = 4
"Labels below each other that make a column."
COLUMN_STEP = 3.0
"Typical heights between the middles of neighbouring labels, at most."
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
    tables = [each.box for each in elements if each.kind == "table"]
    labels = rows.navigation | _side_navigation(rows) | _headings(rows)
    kept = {id(rows.lines[i]) for i in labels if not any(_is_inside(rows.lines[i], table) for table in tables)}
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
    """Short labels close below each other at the left; what lies further apart is a list of somebody's things."""
    labels = [
        i
        for i in np.argsort(rows.middles_N, kind="stable").tolist()
        if rows.boxes_N4[i, 0] < SIDE * rows.width and len(rows.texts[i].split()) <= LABEL_WORDS
    ]
    found: set[int] = set()
    for first in labels:
        run = [first]
        for i in labels[labels.index(first) + 1 :]:
            flush = abs(rows.boxes_N4[i, 0] - rows.boxes_N4[first, 0]) < rows.typical / 2
            if flush and rows.middles_N[i] - rows.middles_N[run[-1]] <= COLUMN_STEP * rows.typical:
                run.append(i)
        if len(run) >= COLUMN:
            found.update(run)
    return found


def _is_inside(line: Line, box: tuple[float, float, float, float]) -> bool:
    x, y = np.add(line.box[:2], line.box[2:]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])
