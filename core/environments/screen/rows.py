"""The lines of a screen, row by row from the top, and which rows are furniture: menus, navigation, addresses."""

import re
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.environments.screen import wording
from core.reading import Line, Reading

__all__ = ["Rows"]

SAME_ROW = 0.6
"Typical line heights: middles further apart stand in different rows."
NAVIGATION_GAP = 2.2
"Typical line heights between neighbours of a navigation bar, at most."
NAVIGATION_HEIGHTS = 0.19
"Share by which the heights of neighbours of a navigation bar may differ."
NAVIGATION_ENTRIES = 3


class Rows:
    """Lines with at least two letters or figures, by row. N lines (one or more), R rows; pixels."""

    @classmethod
    def of(cls, reading: Reading) -> "Rows | None":
        """The rows of a reading; None where no line has that much on it."""
        lines = [line for line in reading.lines if sum(c.isalnum() for c in line.text) > 1]
        return cls(lines, reading.width, reading.height) if lines else None

    def __init__(self, lines: list[Line], width: int, height: int) -> None:
        self.lines, self.width, self.height = lines, width, height
        self.texts = [wording.tidy(line.text) for line in lines]
        self.boxes_N4: NDArray[np.float64] = np.array([line.box for line in lines]) * (width, height, width, height)
        self.heights_N = self.boxes_N4[:, 3] - self.boxes_N4[:, 1]
        self.typical = float(np.median(self.heights_N))
        self.middles_N = (self.boxes_N4[:, 1] + self.boxes_N4[:, 3]) / 2
        self.row_N = self._row_of_each()

    @cached_property
    def rows(self) -> list[list[int]]:
        """The lines of each row, from the left."""
        rows: list[list[int]] = [[] for _ in range(int(self.row_N.max()) + 1)]
        for i in np.argsort(self.boxes_N4[:, 0], kind="stable").tolist():
            rows[self.row_N[i]].append(i)
        return rows

    @cached_property
    def navigation(self) -> set[int]:
        """Lines that stand in a run of short, equally high, near neighbours."""
        found: set[int] = set()
        for row in self.rows:
            run = row[:1]
            for before, line in pairwise(row):
                run = [*run, line] if self._are_entries(before, line) else [line]
                if len(run) >= NAVIGATION_ENTRIES:
                    found.update(run)
        return found

    @cached_property
    def is_menu(self) -> list[bool]:
        """Of each row, whether it is a menu bar."""
        return [self._is_menu(row) for row in self.rows]

    @cached_property
    def is_furniture(self) -> list[bool]:
        """Of each row, whether nothing in it could be a title."""
        return [
            menu or all(self._is_furniture(i) for i in row) for menu, row in zip(self.is_menu, self.rows, strict=True)
        ]

    @cached_property
    def telling_above(self) -> NDArray[np.int64]:
        """Int[R]: how many rows above each are no furniture."""
        told = np.cumsum([not furniture for furniture in self.is_furniture])
        return np.concatenate([[0], told[:-1]])

    def _row_of_each(self) -> NDArray[np.int64]:
        row_N = np.zeros(len(self.lines), dtype=np.int64)
        row, first = -1, -np.inf
        for i in np.argsort(self.middles_N, kind="stable").tolist():
            if self.middles_N[i] - first > SAME_ROW * self.typical:
                row, first = row + 1, self.middles_N[i]
            row_N[i] = row
        return row_N

    def _are_entries(self, before: int, line: int) -> bool:
        gap = self.boxes_N4[line, 0] - self.boxes_N4[before, 2]
        heights = self.heights_N[[before, line]]
        short = all(len(self.texts[i].split()) <= 2 for i in (before, line))
        alike = heights.max() - heights.min() < NAVIGATION_HEIGHTS * heights.max()
        return bool(short and alike and gap < NAVIGATION_GAP * self.typical)

    def _is_menu(self, row: list[int]) -> bool:
        words = [re.findall(r"[a-z]+", self.texts[i].lower()) for i in row]
        known = [sum(word in wording.MENU for word in of_line) for of_line in words]
        return known[0] > 0 and sum(known) > 1 and sum(map(len, words)) <= wording.MENU_WORDS_AT_MOST

    def _is_furniture(self, i: int) -> bool:
        as_read, text = self.lines[i].text, self.texts[i]
        return bool(
            i in self.navigation
            or len(text) < wording.LETTERS_OF_A_TITLE
            or self.boxes_N4[i, 0] > 0.6 * self.width
            or wording.CLOCK.search(as_read)
            or wording.ADDRESS.search(as_read)
            or wording.FIELD.search(text)
        )
