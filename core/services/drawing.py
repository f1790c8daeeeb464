"""A labelled folder of drawn screens, as large as wanted, with what is true of each beside it."""

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import BaseModel

from core.environments import environment
from core.environments.screen.draw import write_table
from core.environments.screen.rendering import (
    KINDS,
    Catalogue,
    Kind,
    Scene,
    ScreenTruth,
    asked_of,
    load_catalogue,
    make_scene,
    render,
)
from core.schema import NightshiftError
from core.services.folders import TASK_COLUMNS, new_folder

__all__ = ["TRUTH", "DrawnFolder", "draw_folder", "read_truth"]

SCREEN = "screen"
TRUTH = "truth.jsonl"
CONTACT = "contact.jpg"
MANIFEST = ("file", "app", "category", "kind", "window_title", "platform", "language", "theme", "arrangement")
THUMBNAIL = 320
"Pixels: the longer side of a picture on the contact sheet."
MOST_ON_A_SHEET = 48
Progress = Callable[[int, int], None]


class DrawnFolder(BaseModel):
    """What was drawn."""

    directory: Path
    screens: int
    pairs: int
    labels: dict[str, int]
    hard: int
    "Near misses among the pairs, and work in an application for leisure."
    platforms: dict[str, int]
    languages: dict[str, int]
    applications: int
    contact_sheet: Path
    seconds: float
    per_second: float


def draw_folder(
    directory: Path,
    *,
    count: int,
    seed: int = 0,
    kinds: Sequence[str] = (),
    languages: Sequence[str] = (),
    templates: Path | None = None,
    progress: Progress | None = None,
) -> DrawnFolder:
    """Draws `count` screens into `directory`: `images/`, `tasks.csv`, `manifest.csv`, `truth.jsonl`, `contact.jpg`.

    The same seed gives the same pages, and on one machine the same pixels. Without `kinds` and `languages` all of them
    take turns. Raises NightshiftError for a folder that holds something, for a kind or language that does not exist,
    for a template that is wrong, and where there is no Chromium; then nothing is left behind.
    """
    catalogue = load_catalogue(templates)
    scenes = _scenes(catalogue, count, seed, _kinds(kinds), languages or catalogue.languages)
    began = time.perf_counter()
    with new_folder(directory) as partial:
        (partial / "images").mkdir()
        truths = _draw(scenes, catalogue, partial, progress)
        tasks = _tasks(scenes, catalogue)
        _write(partial, scenes, truths, tasks)
    return _report(directory, scenes, tasks, time.perf_counter() - began)


def read_truth(directory: Path) -> list[ScreenTruth]:
    """What is true of the screens of a drawn folder. Raises NightshiftError for a folder that was not drawn."""
    path = directory / TRUTH
    if not path.is_file():
        raise NightshiftError(f"{directory} has no {TRUTH}; `nightshift draw` makes a folder with one")
    try:
        truths = [ScreenTruth.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except ValueError as error:
        raise NightshiftError(f"{path} is not as `nightshift draw` wrote it: {error}") from error
    if not truths:
        raise NightshiftError(f"{path} holds no screen; `nightshift draw` writes a line for each")
    return truths


def _kinds(wanted: Sequence[str]) -> Sequence[Kind]:
    unknown = [kind for kind in wanted if kind not in KINDS]
    if unknown:
        raise NightshiftError(f"there is no kind of screen {unknown[0]!r}; there are {', '.join(KINDS)}")
    return [kind for kind in KINDS if kind in wanted] if wanted else KINDS


def _scenes(
    catalogue: Catalogue, count: int, seed: int, kinds: Sequence[Kind], languages: Sequence[str]
) -> list[tuple[str, Scene]]:
    digits = max(4, len(str(count - 1)))
    return [
        (
            f"{number:0{digits}}.png",
            make_scene(
                catalogue,
                f"{seed}/{number}",
                kinds[number % len(kinds)],
                languages[number // len(kinds) % len(languages)],
            ),
        )
        for number in range(count)
    ]


def _draw(
    scenes: Sequence[tuple[str, Scene]], catalogue: Catalogue, folder: Path, progress: Progress | None
) -> dict[str, ScreenTruth]:
    truths: dict[str, ScreenTruth] = {}

    def drawn(name: str, png: bytes, truth: ScreenTruth) -> None:
        (folder / "images" / name).write_bytes(png)
        truths[name] = truth
        if progress is not None:
            progress(len(truths), len(scenes))

    render(scenes, catalogue, drawn)
    return truths


def _tasks(scenes: Sequence[tuple[str, Scene]], catalogue: Catalogue) -> list[dict[str, str]]:
    on_task, off_task = environment(SCREEN).answers or ("", "")
    return [
        {
            "file": name,
            "task_description": asked.work,
            "label": on_task if asked.on_task else off_task,
            "why": asked.why,
        }
        for name, scene in scenes
        for asked in asked_of(scene, catalogue)
    ]


def _write(
    folder: Path, scenes: Sequence[tuple[str, Scene]], truths: dict[str, ScreenTruth], tasks: list[dict[str, str]]
) -> None:
    write_table(folder / "tasks.csv", (*TASK_COLUMNS, "why"), tasks)
    write_table(folder / "manifest.csv", MANIFEST, (_about(name, scene, truths[name]) for name, scene in scenes))
    with (folder / TRUTH).open("w", encoding="utf-8") as file:
        file.writelines(f"{truths[name].model_dump_json()}\n" for name, _ in scenes)
    _contact_sheet(folder, [name for name, _ in scenes[:MOST_ON_A_SHEET]])


def _about(name: str, scene: Scene, truth: ScreenTruth) -> dict[str, Any]:
    app = scene.front.app
    kind = "either" if app.leisure and scene.front.matter.works else "distraction" if app.leisure else "work"
    return {
        "file": name,
        "app": app.name,
        "category": app.category,
        "kind": kind,
        "window_title": truth.title,
        "platform": scene.kind,
        "language": scene.language,
        "theme": scene.theme,
        "arrangement": scene.arrangement,
    }


def _contact_sheet(folder: Path, names: Sequence[str]) -> None:
    """The first screens at a glance."""
    across = math.ceil(math.sqrt(len(names) * 0.75))
    down = math.ceil(len(names) / across)
    wide, high = THUMBNAIL + 8, THUMBNAIL * 3 // 4 + 8
    sheet = Image.new("RGB", (across * wide, down * high), "#2a2c30")
    for place, name in enumerate(names):
        with Image.open(folder / "images" / name) as image:
            small = image.convert("RGB")
        small.thumbnail((wide - 8, high - 8))
        left, top = place % across * wide, place // across * high
        sheet.paste(small, (left + (wide - small.width) // 2, top + (high - small.height) // 2))
    sheet.save(folder / CONTACT, quality=85)


def _report(
    directory: Path, scenes: Sequence[tuple[str, Scene]], tasks: list[dict[str, str]], seconds: float
) -> DrawnFolder:
    return DrawnFolder(
        directory=directory,
        screens=len(scenes),
        pairs=len(tasks),
        labels=dict(sorted(Counter(task["label"] for task in tasks).items())),
        hard=sum(task["why"].startswith("hard") for task in tasks),
        platforms=dict(Counter(scene.kind for _, scene in scenes)),
        languages=dict(Counter(scene.language for _, scene in scenes)),
        applications=len({scene.front.app.name for _, scene in scenes}),
        contact_sheet=directory / CONTACT,
        seconds=round(seconds, 2),
        per_second=round(len(scenes) / seconds, 2),
    )
