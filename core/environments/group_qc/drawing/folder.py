"""Drawn groups as a labelled folder: a folder of photos for each group, `groups.csv`, and the lines that are true."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from core.environments.group_qc.contract import FAIL
from core.environments.group_qc.dossier import image_key
from core.environments.group_qc.drawing.facts import LABELS
from core.environments.group_qc.drawing.groups import DrawnGroup

__all__ = ["COLUMNS", "draw_groups", "reason_of"]

COLUMNS = ("group", "mission", "verdict", "reason")


def draw_groups(
    directory: Path, groups: Sequence[DrawnGroup], progress: Callable[[int, int], None] | None = None
) -> None:
    """Writes `GROUP/1.png`..., `groups.csv` and `truth.jsonl` (the line of each photo) into `directory`.

    The same groups give the same bytes. Files of the same name are overwritten.
    """
    for drawn, group in enumerate(groups, start=1):
        (directory / group.name).mkdir(parents=True, exist_ok=True)
        for number, photo in enumerate(group.photos, start=1):
            photo.image.save(directory / group.name / f"{number}.png", compress_level=1)
        if progress is not None:
            progress(drawn, len(groups))
    with (directory / "groups.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((group.name, group.mission, group.verdict, reason_of(group)) for group in groups)
    with (directory / "truth.jsonl").open("w", encoding="utf-8") as file:
        for group in groups:
            lines = {image_key(number): line for number, line in enumerate(group.summaries, start=1)}
            file.write(json.dumps({"group": group.name, **lines}, ensure_ascii=False) + "\n")


def reason_of(group: DrawnGroup) -> str:
    """Why a drawn group passes or fails, as an inspector might write it."""
    odd = [number for number, photo in enumerate(group.photos, start=1) if photo.faulty or LABELS[1] in photo.facts]
    faulty = [number for number in odd if group.photos[number - 1].faulty] or odd
    number = faulty[0] if group.verdict == FAIL and faulty else 1
    _, state, label = group.photos[number - 1].facts
    return f"{image_key(number)}，{state}，{label}"
