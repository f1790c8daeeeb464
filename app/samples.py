"""The sample workspace: `python -m app.samples HOME` draws screens and takes them in.

Half of them come labelled, as a person's feedback; the others are classified and wait in the review queue.
"""

import csv
import sys
import tempfile
from pathlib import Path

from core.environments.screen.draw import draw_samples
from core.media import read_file
from core.schema import NightshiftError
from core.services import Classifier, Workspace, classify, import_folder

__all__ = ["load_samples"]

ENVIRONMENT = "screen"


def load_samples(ws: Workspace) -> tuple[int, int]:
    """Draws and takes in the samples; returns how many pairs are labelled and how many wait for a person."""
    with tempfile.TemporaryDirectory(prefix="nightshift-samples-") as drawn:
        directory = Path(drawn)
        draw_samples(directory)
        labelled, waiting = _halves(directory / "tasks.csv")
        import_folder(ws, ENVIRONMENT, directory)
        classifier = Classifier.of_champion(ws, ENVIRONMENT)
        for row in waiting:
            data = read_file(directory / "images" / row["file"], ws.settings.media)
            classify(ws, classifier, data, row["task_description"], name=row["file"], source="sample")
    return len(labelled), len(waiting)


def _halves(tasks: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Leaves every other screen's rows in `tasks`, and returns those and the rest."""
    with tasks.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    screens = sorted({row["file"] for row in rows})
    labelled = [row for row in rows if screens.index(row["file"]) % 2 == 0]
    with tasks.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(labelled)
    return labelled, [row for row in rows if row not in labelled]


def main(arguments: list[str]) -> int:
    """Loads the samples into the home `arguments[0]`."""
    try:
        labelled, waiting = load_samples(Workspace.open(Path(arguments[0])))
    except NightshiftError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"{labelled} labelled pairs, {waiting} waiting in the review queue\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
