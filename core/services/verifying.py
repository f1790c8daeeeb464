"""How well the rules on screens see what a person sees. Nothing is written but readings."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from core.environments.screen import Element, screen_elements, signals, window_title
from core.media import read_file
from core.policy import Library
from core.schema import Example, NightshiftError
from core.services.classify import Classifier
from core.services.folders import read_within, rows_of_table
from core.services.importing import Progress
from core.services.measuring import FolderLibrary
from core.services.predictions import prediction
from core.services.relevance import weighed
from core.services.workspace import Workspace

__all__ = [
    "ScreenFindings",
    "TitleFigures",
    "TitleMiss",
    "edit_distance",
    "measure_titles",
    "screen_findings",
    "verify_prediction",
    "verify_screen",
]

SCREEN = "screen"
NEAR = 0.2
"Normalised edit distance up to which a title counts as found."
COLUMNS = ("file", "window_title")


class TitleMiss(BaseModel):
    """A screen on which another title was found than a person read; None where there is none."""

    file: str
    person: str | None
    found: str | None


class TitleFigures(BaseModel):
    """How titles were found: shares are None where no screen is of that kind."""

    n: int
    "Screens that have a title."
    within: float | None
    "Share of n whose title was found within NEAR."
    exact: float | None
    without: int
    "Screens that have none."
    false_titles: float | None
    "Share of those for which one was claimed."
    ms_p50: float
    "What finding a title takes once a screen is read, median."
    misses: list[TitleMiss]


class ScreenFindings(BaseModel):
    """What the rules see on one screen."""

    title: str | None
    elements: list[Element]
    signals: dict[str, float]
    read_ms: float
    ms: float
    "What title, elements and signals took once the screen was read."


def verify_screen(ws: Workspace, path: Path, work: str | None = None) -> ScreenFindings:
    """Title, elements and signals of a picture file; with `work`, what the champion makes of the elements for it.

    Raises NightshiftError for a picture that cannot be taken in, and for a champion that reads nothing.
    """
    library = FolderLibrary(ws.cache, ws.settings.media, ws.settings.redaction)
    media = library.add(read_file(path, ws.settings.media), path.name)
    found = screen_findings(library, media)
    if work is None:
        return found
    classifier = Classifier.of_champion(ws, SCREEN)
    example = classifier.environment.example((media,), work, cluster=media)
    return found.model_copy(update={"elements": weighed(classifier, example, library, found.elements)})


def verify_prediction(ws: Workspace, prediction_id: str) -> ScreenFindings:
    """The same of a stored prediction's picture, for its work and by the release that answered.

    Raises NightshiftError for an id that is not one, a release that is gone, and one that reads nothing.
    """
    said = prediction(ws, prediction_id)
    (example,) = ws.store.get_many(Example, [said.example])
    found = screen_findings(ws.library, example.media[0])
    classifier = Classifier.load(ws, said.environment, said.release)
    return found.model_copy(update={"elements": weighed(classifier, example, ws.library, found.elements)})


def screen_findings(library: Library, media: str) -> ScreenFindings:
    """What the rules see on a picture that has been read; no champion is asked."""
    reading, image = library.reading(media), library.image(media)
    started = time.perf_counter()
    elements = screen_elements(reading, image)
    title, signs = window_title(reading, image), signals(elements, image)
    took_ms = (time.perf_counter() - started) * 1000
    return ScreenFindings(
        title=title, elements=elements, signals=signs, read_ms=round(reading.read_ms, 1), ms=round(took_ms, 1)
    )


def measure_titles(ws: Workspace, directory: Path, *, progress: Progress | None = None) -> TitleFigures:
    """Titles found in the pictures of a folder beside those in its manifest (empty where a screen has none).

    Raises NightshiftError for a folder without such a manifest, and for a picture that cannot be taken in.
    """
    rows = _manifest(directory)
    library = FolderLibrary(ws.cache, ws.settings.media, ws.settings.redaction)
    found: list[str | None] = []
    took_ms: list[float] = []
    for done, row in enumerate(rows, start=1):
        media = library.add(read_within(directory / "images", row["file"], ws.settings.media), row["file"])
        reading, image = library.reading(media), library.image(media)
        library.forget(media)
        started = time.perf_counter()
        found.append(window_title(reading, image))
        took_ms.append((time.perf_counter() - started) * 1000)
        if progress is not None:
            progress(done, len(rows))
    return _figures([(row["file"], row["window_title"] or None) for row in rows], found, float(np.median(took_ms)))


def edit_distance(one: str, other: str) -> float:
    """Levenshtein's distance, as a share of the longer text: 0 for equal texts, 1 for those with nothing in common."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, row = row, [i]
        for j, b in enumerate(other, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1] / max(len(one), len(other), 1)


def _manifest(directory: Path) -> list[dict[str, str]]:
    if not directory.is_dir():
        raise NightshiftError(f"there is no folder {directory}")
    rows = rows_of_table(directory / "manifest.csv", COLUMNS)
    if not rows:
        raise NightshiftError(
            f"{directory} has no rows in a manifest.csv; measuring titles needs images/ and a manifest.csv with "
            f"{', '.join(COLUMNS)}"
        )
    return rows


def _figures(labelled: Sequence[tuple[str, str | None]], found: Sequence[str | None], ms_p50: float) -> TitleFigures:
    distances = [
        edit_distance(said, title) if said is not None and title is not None else 1.0
        for (_, title), said in zip(labelled, found, strict=True)
        if title is not None
    ]
    claimed = [said is not None for (_, title), said in zip(labelled, found, strict=True) if title is None]
    return TitleFigures(
        n=len(distances),
        within=_share([distance <= NEAR for distance in distances]),
        exact=_share([distance == 0 for distance in distances]),
        without=len(claimed),
        false_titles=_share(claimed),
        ms_p50=round(ms_p50, 1),
        misses=[
            TitleMiss(file=file, person=title, found=said)
            for (file, title), said in zip(labelled, found, strict=True)
            if not _is_right(title, said)
        ],
    )


def _is_right(title: str | None, said: str | None) -> bool:
    if title is None or said is None:
        return title is said
    return edit_distance(said, title) <= NEAR


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
