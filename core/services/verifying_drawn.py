"""How much of what is true of drawn screens the rules find: titles, windows, elements, lines of text."""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from core.environments.screen import screen_elements, window_title
from core.environments.screen.regions import Box
from core.environments.screen.rendering import LineTruth, ScreenTruth
from core.reading import Line
from core.services.drawing import read_truth
from core.services.folders import read_within
from core.services.importing import Progress
from core.services.measuring import FolderLibrary
from core.services.verifying import NEAR, edit_distance
from core.services.workspace import Workspace

__all__ = ["DrawnFigures", "Found", "measure_drawn"]

OVERLAP = 0.5
"Intersection over union from which on a box is found."
COVERED = 0.5
"A window of which less can be seen need not be found."
LINE_REACH = 0.5
"Share of a drawn line's height by which the middle of a read line may be off."


class Found(BaseModel):
    """Of n things that are there; shares are None where nothing is there, or nothing was claimed."""

    n: int = 0
    claimed: int = 0
    right: int = 0

    @property
    def recall(self) -> float | None:
        return self.right / self.n if self.n else None

    @property
    def precision(self) -> float | None:
        return self.right / self.claimed if self.claimed else None

    def plus(self, n: int, claimed: int, right: int) -> "Found":
        """With another screen counted in."""
        return Found(n=self.n + n, claimed=self.claimed + claimed, right=self.right + right)


class DrawnFigures(BaseModel):
    """What the rules found on the screens of a drawn folder."""

    screens: int
    titles_within: dict[str, float]
    "By platform, and `all`: share of titles found within an edit distance of NEAR."
    titles_exact: float
    elements: dict[str, Found]
    "By kind; a box counts as found where it overlaps by OVERLAP with one that is there."
    lines: int
    lines_read: float
    "Share of lines whose text was read within an edit distance of NEAR."
    ms_p50: float
    "Title and elements of a screen that has been read, median."


def measure_drawn(ws: Workspace, directory: Path, *, progress: Progress | None = None) -> DrawnFigures:
    """Holds the rules against the truth of a drawn folder.

    Raises NightshiftError for a folder that was not drawn, and for a picture that cannot be taken in.
    """
    truths = read_truth(directory)
    library = FolderLibrary(ws.cache, ws.settings.media, ws.settings.redaction)
    distances: dict[str, list[float]] = {}
    elements: dict[str, Found] = {}
    lines_read: list[bool] = []
    took_ms: list[float] = []
    for done, truth in enumerate(truths, start=1):
        media = library.add(read_within(directory / "images", truth.file, ws.settings.media), truth.file)
        reading, image = library.reading(media), library.image(media)
        library.forget(media)
        started = time.perf_counter()
        found, title = screen_elements(reading, image), window_title(reading, image)
        took_ms.append((time.perf_counter() - started) * 1000)
        distances.setdefault(truth.kind, []).append(1.0 if title is None else edit_distance(title, truth.title))
        _count(elements, truth, {kind: [e.box for e in found if e.kind == kind] for kind in {e.kind for e in found}})
        lines_read += _read(truth.lines, reading.lines)
        if progress is not None:
            progress(done, len(truths))
    every = [distance for of_kind in distances.values() for distance in of_kind]
    return DrawnFigures(
        screens=len(truths),
        titles_within={kind: _within(of_kind) for kind, of_kind in {**distances, "all": every}.items()},
        titles_exact=sum(distance == 0 for distance in every) / len(every),
        elements=dict(sorted(elements.items())),
        lines=len(lines_read),
        lines_read=sum(lines_read) / len(lines_read),
        ms_p50=round(float(np.median(took_ms)), 1),
    )


def _count(elements: dict[str, Found], truth: ScreenTruth, found: Mapping[str, Sequence[Box]]) -> None:
    """Adds a screen. A window that is mostly covered may be found and need not be."""
    there: dict[str, list[Box]] = {"window": [each.box for each in truth.windows if each.visible >= COVERED]}
    may: list[Box] = [each.box for each in truth.windows if each.visible < COVERED]
    for element in truth.elements:
        there.setdefault(element.kind, []).append(element.box)
    for kind in (there.keys() | found.keys()) - {"text"}:
        wanted, claimed = there.get(kind, []), list(found.get(kind, []))
        if kind == "window":
            claimed = [box for box in claimed if all(_overlap(box, other) < OVERLAP for other in may)]
        right = _matched(wanted, claimed)
        elements[kind] = elements.get(kind, Found()).plus(len(wanted), len(claimed), right)


def _matched(wanted: Sequence[Box], claimed: Sequence[Box]) -> int:
    """Pairs of boxes that overlap enough, each box in one pair, the best pairs first."""
    pairs = sorted(
        ((_overlap(one, other), i, j) for i, one in enumerate(wanted) for j, other in enumerate(claimed)), reverse=True
    )
    taken: tuple[set[int], set[int]] = (set(), set())
    for overlap, i, j in pairs:
        if overlap >= OVERLAP and i not in taken[0] and j not in taken[1]:
            taken[0].add(i)
            taken[1].add(j)
    return len(taken[0])


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / ((one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - both)


def _read(wanted: Iterable[LineTruth], lines: Sequence[Line]) -> list[bool]:
    """For each line that is there, whether what was read where it stands says the same."""
    read = []
    for line in wanted:
        left, top, right, bottom = line.box
        reach = LINE_REACH * (bottom - top)
        at = [
            (each.box[0], each.text)
            for each in lines
            if abs(each.box[1] + each.box[3] - top - bottom) / 2 < reach
            and min(right, each.box[2]) - max(left, each.box[0]) > 0
        ]
        whole = "".join(text for _, text in sorted(at)).replace(" ", "")
        said = line.text.replace(" ", "")
        # Neighbours on the same row are often read as one line.
        read.append(said in whole or edit_distance(whole, said) <= NEAR)
    return read


def _within(distances: Sequence[float]) -> float:
    return sum(distance <= NEAR for distance in distances) / len(distances)
