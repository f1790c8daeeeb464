"""A labelled folder of a few drawn screens, each of an application of its own."""

import csv
from pathlib import Path

from core.environments.screen.draw import draw_samples

SCREENS = 4


def few_screens(directory: Path) -> Path:
    """Draws them; each is asked two things."""
    draw_samples(directory)
    with (directory / "tasks.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kept = sorted({row["file"] for row in rows})[:SCREENS]
    with (directory / "tasks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row["file"] in kept)
    return directory
