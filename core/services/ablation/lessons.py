"""What a night of an ablation learns from: labelled screens, some labelled while it trains, and some never."""

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.environments.screen.draw import draw_samples
from core.media import read_file
from core.schema import ChosenBy
from core.services.classify import Classifier, classify
from core.services.feedback import correct, undo
from core.services.folders import FolderRow, read_folder
from core.services.importing import import_folder
from core.services.workspace import Workspace

__all__ = ["LABELLED_SHARE", "LATE_SHARE", "LateWords", "Lessons", "drawn_lessons", "labelled_folder", "take_in"]

LABELLED_SHARE = 0.75
"""Of the pairs learnt from, those that a person gives a word on. The rest are verdicts nobody looked at, as most are in
use: the judge can speak of nothing else, because a label overrides it."""
LATE_SHARE = 0.25
"""Of those words, the share that is said while the night trains."""


class Lessons(NamedTuple):
    """Pairs of a labelled folder."""

    folder: Path
    rows: Sequence[FolderRow]


def drawn_lessons(directory: Path, pairs: int, first_seed: int = 0) -> Lessons:
    """`pairs` pairs of the sample screens: drawn anew with other names and figures as often as it takes."""
    images = directory / "images"
    images.mkdir(parents=True)
    rows: list[FolderRow] = []
    seed = first_seed
    while len(rows) < pairs:
        once = directory / f"seed-{seed}"
        draw_samples(once, seed)
        for row in read_folder(once):
            file = f"{seed}-{row.file}"
            shutil.copy(once / "images" / row.file, images / file)
            rows.append(row.model_copy(update={"file": file}))
        seed += 1
    return Lessons(directory, rows[:pairs])


class LateWords:
    """Words that are said between the rounds of a training, evenly over it."""

    def __init__(self, ws: Workspace, said: Sequence[tuple[str, str]], steps: int) -> None:
        """`said` are predictions and the answers that a person gives them, in order."""
        self._ws, self._said, self._steps = ws, said, steps
        self._given: list[str] = []

    def hear(self, step: int) -> None:
        """Says what is due after `step` steps."""
        due = round(len(self._said) * step / self._steps)
        for prediction, answer in self._said[len(self._given) : due]:
            correct(self._ws, prediction, answer, chosen_by=ChosenBy.RANDOM_AUDIT, chosen_probability=1.0)
            self._given.append(prediction)

    def take_back(self) -> None:
        """As if nothing had been said, for the next arm that learns in the same home."""
        while self._given:
            undo(self._ws, self._given.pop())


def take_in(
    ws: Workspace,
    environment: str,
    lessons: Lessons,
    scratch: Path,
    seed: int,
    *,
    labelled_share: float = LABELLED_SHARE,
    late_share: float = LATE_SHARE,
) -> list[tuple[str, str]]:
    """Imports a share of the pairs with their labels, chosen by `seed`, and classifies the rest.

    Returns predictions of the latter that are answered while the night trains, with the answers.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(lessons.rows)).tolist()
    labelled = max(1, round(labelled_share * len(order)))
    early = max(1, round((1 - late_share) * labelled))
    labelled_folder(scratch, lessons, [lessons.rows[i] for i in sorted(order[:early])])
    import_folder(ws, environment, scratch)
    champion = Classifier.of_champion(ws, environment)
    said = {}
    for i in sorted(order[early:]):
        row = lessons.rows[i]
        picture = read_file(lessons.folder / "images" / row.file, ws.settings.media)
        said[i] = classify(ws, champion, picture, row.ask, name=row.file).id
    return [(said[i], lessons.rows[i].label) for i in order[early:labelled]]


def labelled_folder(directory: Path, lessons: Lessons, rows: Sequence[FolderRow]) -> None:
    """A labelled folder of some of the rows, on the same pictures."""
    directory.mkdir(parents=True)
    (directory / "images").symlink_to((lessons.folder / "images").resolve(), target_is_directory=True)
    with (directory / "tasks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "task_description", "label", "why"])
        writer.writerows([row.file, row.ask, row.label, row.why or ""] for row in rows)
