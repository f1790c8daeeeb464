import csv
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from core.environments.screen.draw import draw_samples


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("samples")
    draw_samples(directory, seed=7)
    return directory


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def contents(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_the_same_seed_draws_the_same_bytes(samples: Path, tmp_path: Path) -> None:
    draw_samples(tmp_path, seed=7)
    assert contents(tmp_path) == contents(samples)


def test_another_seed_draws_every_screen_differently_under_the_same_labels(samples: Path, tmp_path: Path) -> None:
    draw_samples(tmp_path, seed=8)
    before, after = contents(samples), contents(tmp_path)
    same = [name for name in before if name.startswith("images") and before[name] == after[name]]
    assert same == []
    key = ("file", "task_description", "label")
    labels = [{tuple(task[k] for k in key) for task in records(folder / "tasks.csv")} for folder in (samples, tmp_path)]
    assert labels[0] == labels[1]


def test_every_screen_has_one_manifest_row_and_two_descriptions(samples: Path) -> None:
    files = sorted(path.name for path in (samples / "images").iterdir())
    assert sorted(row["file"] for row in records(samples / "manifest.csv")) == files
    described = Counter(task["file"] for task in records(samples / "tasks.csv"))
    assert described == dict.fromkeys(files, 2)


def test_half_of_the_pairs_are_on_task_and_some_are_near_misses(samples: Path) -> None:
    tasks = records(samples / "tasks.csv")
    labels = Counter(task["label"] for task in tasks)
    assert set(labels) == {"on_task", "off_task"}
    assert abs(labels["on_task"] - labels["off_task"]) <= 2
    assert 4 <= sum(task["why"].startswith("hard:") for task in tasks) <= len(tasks) / 2


def test_manifest_and_tasks_leave_no_field_empty(samples: Path) -> None:
    for name in ("tasks.csv", "manifest.csv"):
        for row in records(samples / name):
            assert all(value.strip() for value in row.values()), row


def test_screens_are_rgb_pngs_of_the_size_of_a_desktop_or_a_phone(samples: Path) -> None:
    sizes = set()
    for path in (samples / "images").iterdir():
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("PNG", "RGB")
            sizes.add(image.size)
    assert sizes == {(1280, 800), (560, 1120)}
