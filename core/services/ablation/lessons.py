"""What a night of an ablation learns from: labelled screens, and some that were only classified."""

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.environments.screen.draw import draw_samples
from core.media import read_file
from core.services.classify import Classifier, classify
from core.services.importing import FolderRow, import_folder, read_folder
from core.services.workspace import Workspace

__all__ = ["LABELLED_SHARE", "Lessons", "drawn_lessons", "take_in"]

LABELLED_SHARE = 0.75
"""Of the pairs learnt from, those that a person gives a word on. The rest are verdicts nobody looked at, as most are in
use: the judge can speak of nothing else, because a label overrides it."""


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


def take_in(
    ws: Workspace,
    environment: str,
    lessons: Lessons,
    scratch: Path,
    seed: int,
    labelled_share: float = LABELLED_SHARE,
) -> None:
    """Imports a share of the pairs with their labels, chosen by `seed`, and classifies the rest."""
    order = np.random.default_rng([seed, 1]).permutation(len(lessons.rows))
    labelled = max(1, round(labelled_share * len(order)))
    _labelled_folder(scratch, lessons, [lessons.rows[i] for i in sorted(order[:labelled])])
    import_folder(ws, environment, scratch)
    champion = Classifier.of_champion(ws, environment)
    for row in (lessons.rows[i] for i in sorted(order[labelled:])):
        picture = read_file(lessons.folder / "images" / row.file, ws.settings.media)
        classify(ws, champion, picture, row.ask, name=row.file)


def _labelled_folder(directory: Path, lessons: Lessons, rows: Sequence[FolderRow]) -> None:
    directory.mkdir(parents=True)
    (directory / "images").symlink_to((lessons.folder / "images").resolve(), target_is_directory=True)
    with (directory / "tasks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "task_description", "label", "why"])
        writer.writerows([row.file, row.ask, row.label, row.why or ""] for row in rows)
