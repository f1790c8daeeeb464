"""The window title of a screen: its title bar, its browser tab, or the head of what it shows.

Each line is scored by one linear sum over explainable features; the best line is the title where its score is
positive. How the weights were chosen stands in docs/algorithm.md.
"""

import math
import re
from collections import Counter

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from core.environments.screen import wording
from core.environments.screen.ink import Grey, Ink, calmness, grey_of, inks
from core.environments.screen.rows import Rows
from core.policy import Library
from core.reading import ENGINE, Reading

__all__ = ["WEIGHTS", "application_of", "kept_window_title", "title_features", "window_title"]

VERSION = "2"
"Changes with anything below that changes the title of a screen."

APART = re.compile(r"\s[-\u2013\u2014|\u00b7]\s")
"What stands between a document and its program."
LOWEST = 0.6
"Share of the height below which no title is looked for."
CUT_OUT_WIDTH = 800
"Pixels: wide pictures no wider than this are cut out of a window, or of a display without window manager."
FEW_LINES = 12
"Fewer on a phone are what a picture leaves room for: there is no bar with a title."
Features = dict[str, float]
WEIGHTS = {
    "any": -1.44,
    "menu_on_top": -0.91,
    "furniture_on_top": -2.22,
    "crowded": -0.96,
    "cut_out": -2.24,
    "phone": -1.55,
    "sparse_phone": -3.0,
    "restless": -0.84,
    "rows_above": -2.14,
    "high": 0.57,
    "low": -0.59,
    "right": -1.67,
    "nothing_above": 0.9,
    "above_menu": 0.58,
    "navigation": -1.53,
    "alone": 0.55,
    "room_right": 0.89,
    "behind_another": -0.68,
    "tall": 1.37,
    "outdone": -0.76,
    "contrast": 1.65,
    "bold": 1.13,
    "calm_around": 1.48,
    "in_a_bar": 0.73,
    "crumbs": 0.84,
    "dash": 1.31,
    "address": -0.6,
    "path": -0.42,
    "clock": -0.65,
    "field": -0.91,
    "button": -1.23,
    "figures": -0.87,
    "signs": -0.64,
    "few_letters": -1.63,
    "many_words": -1.1,
    "sentence": -0.75,
    "repeated": 1.13,
    "holds_another": 0.62,
}
"Of each feature, in log-odds; `any` holds the threshold."


def window_title(reading: Reading, image: Image) -> str | None:
    """The title of the window in `image`, as it was read; None where there is none. `reading` is that of `image`."""
    scored = [(_score(features), text) for text, features in title_features(reading, image)]
    score, text = max(scored, key=lambda each: each[0], default=(0.0, ""))
    return text if score > 0 else None


def kept_window_title(media: str, library: Library) -> str | None:
    """The same, found once for each picture and kept by the library, as the numbers of its letters."""

    def letters() -> dict[str, NDArray[np.float32]]:
        title = window_title(library.reading(media), library.image(media)) or ""
        return {"letters": np.array([ord(letter) for letter in title], dtype=np.float32)}

    kept = library.arrays(media, f"title{VERSION}-{ENGINE}", letters)["letters"]
    return "".join(chr(int(number)) for number in kept) or None


def application_of(title: str | None) -> str:
    """The program that a window title names: what stands behind its last dash or bar, or all of it; empty without one.

    >>> application_of("Budget 2031.xlsx - Sheets")
    'sheets'
    """
    last = APART.split(title or "")[-1]
    return " ".join(last.split()).casefold()


def title_features(reading: Reading, image: Image) -> list[tuple[str, Features]]:
    """Each line that could be a title, tidied, with its features."""
    rows = Rows.of(reading)
    if rows is None:
        return []
    grey_HW = grey_of(image)
    candidates = [i for i, line in enumerate(rows.lines) if line.box[1] < LOWEST]
    ink = inks(grey_HW, rows.boxes_N4[candidates])
    of_screen = _of_screen(rows, grey_HW)
    places = _Places(rows)
    words = _Words(rows)
    return [
        (rows.texts[i], {**of_screen, **places.of(i), **_looks(ink, k), **words.of(i)})
        for k, i in enumerate(candidates)
    ]


def _score(features: Features) -> float:
    return sum(WEIGHTS[name] * value for name, value in features.items())


def _of_screen(rows: Rows, grey_HW: Grey) -> Features:
    """Whether a screen like this has a title at all."""
    is_phone = rows.height > 1.4 * rows.width
    on_top = rows.boxes_N4[rows.rows[0][0], 1] < 0.03 * rows.height
    return {
        "any": 1.0,
        "menu_on_top": float(rows.is_menu[0] and on_top),
        "furniture_on_top": float(rows.is_furniture[0]),
        "crowded": min(len(rows.lines), 120) / 60,
        "cut_out": float(rows.height < rows.width <= CUT_OUT_WIDTH),
        "phone": float(is_phone),
        "sparse_phone": float(is_phone and len(rows.lines) < FEW_LINES),
        "restless": max(0.0, 0.8 - calmness(grey_HW)) * 3,
    }


def _looks(ink: Ink, k: int) -> Features:
    """How candidate `k` looks beside the others."""
    return {
        "contrast": float(ink.contrast_N[k] - np.median(ink.contrast_N)),
        "bold": float(np.clip((ink.weight_N[k] - np.median(ink.weight_N)) / 0.1, -1, 1)),
        "calm_around": float(ink.calm_N[k]),
        "in_a_bar": float(ink.band_N[k]),
    }


class _Places:
    """Where lines stand, and how high they are."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.telling_N = ~np.array(rows.is_furniture)[rows.row_N]
        heads = [i for i in range(len(rows.lines)) if self._could_head(i)]
        self.highest_head = float(max((rows.heights_N[i] for i in heads), default=rows.typical))

    def of(self, i: int) -> Features:
        rows, line = self.rows, self.rows.lines[i]
        left, top, right, _ = line.box
        row = rows.rows[rows.row_N[i]]
        middle = abs((left + right) / 2 - 0.5)
        height = float(rows.heights_N[i])
        return {
            "rows_above": math.log1p(rows.telling_above[rows.row_N[i]]),
            "high": math.exp(-top / 0.06),
            "low": min(top, 0.5),
            "right": float(left > 0.55 and middle >= 0.05),
            "nothing_above": float(not self._has_above(i)),
            "above_menu": float(rows.row_N[i] == 0 and rows.is_menu[:2] == [False, True]),
            "navigation": float(i in rows.navigation),
            "alone": float(len(row) == 1),
            "room_right": self._room_right(i, row),
            "behind_another": float(self._is_behind_another(i, row)),
            "tall": float(np.clip(math.log(height / rows.typical), -0.4, 0.7)),
            "outdone": float(np.clip(math.log(self.highest_head / height), 0, 0.6)),
        }

    def _could_head(self, i: int) -> bool:
        left, top, _, _ = self.rows.lines[i].box
        text = self.rows.texts[i]
        letters = sum(c.isalpha() for c in text)
        is_high = top < 0.25 and self.rows.telling_above[self.rows.row_N[i]] <= 2
        return is_high and left < 0.5 and letters >= wording.LETTERS_OF_A_TITLE and len(text.split()) <= 8

    def _has_above(self, i: int) -> bool:
        boxes_N4, left, right = self.rows.boxes_N4, *self.rows.boxes_N4[i, [0, 2]]
        beside_N = (boxes_N4[:, 0] < right) & (boxes_N4[:, 2] > left - self.rows.typical)
        return bool((beside_N & self.telling_N & (self.rows.row_N < self.rows.row_N[i])).any())

    def _room_right(self, i: int, row: list[int]) -> float:
        """Typical heights to the next line of the row, as a share of 4."""
        behind = row[row.index(i) + 1 :]
        if not behind:
            return 1.0
        gap = self.rows.boxes_N4[behind[0], 0] - self.rows.boxes_N4[i, 2]
        return float(np.clip(gap / self.rows.typical / 4, 0, 1))

    def _is_behind_another(self, i: int, row: list[int]) -> bool:
        before = row[: row.index(i)]
        return any(
            j not in self.rows.navigation and len(self.rows.texts[j]) >= wording.LETTERS_OF_A_TITLE for j in before
        )


class _Words:
    """What lines say."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.times = Counter(text.lower() for text in rows.texts)

    def of(self, i: int) -> Features:
        as_read, text = self.rows.lines[i].text, self.rows.texts[i]
        is_address = bool(wording.ADDRESS.search(as_read))
        crumbs, dash = bool(wording.CRUMBS.search(text)), bool(wording.DASH.search(text))
        composed = crumbs or dash
        letters, length = sum(c.isalpha() for c in text), max(len(text), 1)
        small = text.lower()
        return {
            "crumbs": float(crumbs and not is_address),
            "dash": float(dash and not is_address),
            "address": float(is_address),
            "path": float(bool(wording.PATH.search(as_read)) and not composed),
            "clock": float(bool(wording.CLOCK.search(text))),
            "field": float(bool(wording.FIELD.search(text))),
            "button": float(bool(wording.BUTTON.search(text))),
            "figures": sum(c.isdigit() for c in text) / length,
            "signs": 0.0 if composed else 1 - letters / length,
            "few_letters": float(letters < wording.LETTERS_OF_A_TITLE),
            "many_words": 0.0 if composed else min(max(len(text.split()) - 4, 0) / 4, 2.0),
            "sentence": float(text[-1:] in tuple(".!?,;:")),
            "repeated": float(self.times[small] > 1),
            "holds_another": float(any(len(other) > 3 and other != small and other in small for other in self.times)),
        }
