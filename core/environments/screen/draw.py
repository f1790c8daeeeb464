"""A small labelled workspace of screens, drawn rather than photographed, so that nobody's licence is in it.

The screens are of invented applications and described in `data/samples.toml`; the seed varies names, order, figures
and pictures, never the labels.
"""

import csv
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from core.environments.screen.drawing import LAYOUTS, Canvas, Theme, framed

__all__ = ["draw_samples", "write_table"]

SAMPLES = Path(__file__).parent / "data" / "samples.toml"
MANIFEST = ("file", "app", "category", "kind", "window_title", "platform")
TASKS = ("file", "task_description", "label", "why")


def draw_samples(directory: Path, seed: int = 0) -> None:
    """Draws the samples into `directory` in the form that can be imported: `images/`, `tasks.csv`, `manifest.csv`.

    The same seed gives the same bytes. Files of the same name are overwritten.
    """
    samples = tomllib.loads(SAMPLES.read_text(encoding="utf-8"))
    images = directory / "images"
    images.mkdir(parents=True, exist_ok=True)
    for screen in samples["screens"]:
        theme = Theme(**{**samples["themes"][screen["theme"]], "accent": screen["accent"]})
        picture = _draw(screen, theme, Random(f"{seed}/{screen['file']}"))
        picture.save(images / screen["file"], compress_level=6)
    tasks = [{"file": screen["file"], **task} for screen in samples["screens"] for task in screen["tasks"]]
    Random(seed).shuffle(tasks)
    write_table(directory / "tasks.csv", TASKS, tasks)
    write_table(directory / "manifest.csv", MANIFEST, samples["screens"])


def _draw(screen: dict[str, Any], theme: Theme, rng: Random) -> Image.Image:
    width, height = screen.get("size", (1280, 800))
    canvas = Canvas(width, height, theme)
    inside = framed(canvas, screen["frame"], screen["window_title"], screen.get("frame_detail", ()))
    LAYOUTS[screen["layout"]](canvas, inside, screen["content"], rng)
    return canvas.image


def write_table(path: Path, fields: Sequence[str], records: Iterable[dict[str, Any]]) -> None:
    """Writes a CSV file with these columns; what a record has beside them is left out."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
