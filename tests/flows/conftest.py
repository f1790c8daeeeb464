"""Homes in which people have said something, and a Prefect server that all of them share."""

import csv
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from core.environments.screen.draw import draw_samples
from core.services import Workspace, import_folder
from flows.server import Running, prefect_server

SCREENS, LABELS = 6, 12
SMALL_NIGHT = """
[learning]
steps = 12
batch_size = 16
variants_per_correction = 1

[gate]
folds = 2
hostile_screens = 0
latency_ratio = 1000  # what a machine is doing beside this must not decide

[night]
lease_s = 8
"""


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with labelled screens and no night yet. Copy it."""
    home, drawn = tmp_path_factory.mktemp("taught"), tmp_path_factory.mktemp("drawn")
    (home / "nightshift.toml").write_text(SMALL_NIGHT)
    draw_samples(drawn)
    keep_screens(drawn / "tasks.csv", SCREENS)
    report = import_folder(Workspace.open(home), "screen", drawn)
    assert report.examples == LABELS and not report.rejected
    return home


def keep_screens(tasks: Path, count: int) -> None:
    """Leaves the rows of the first few screens."""
    with tasks.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kept = sorted({row["file"] for row in rows})[:count]
    with tasks.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for row in rows if row["file"] in kept)


@pytest.fixture(scope="session")
def api_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server for as long as the tests run."""
    with prefect_server(tmp_path_factory.mktemp("prefect")) as url:
        yield url


@pytest.fixture
def home_of(taught: Path, tmp_path: Path, api_url: str) -> Callable[[str], Path]:
    """Copies of the taught home, by name, from which the shared Prefect server counts as the one that is up."""

    def copy(name: str) -> Path:
        home = tmp_path / name
        shutil.copytree(taught, home)
        Running(
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            home=home,
            console_url="",
            prefect_url=api_url.removesuffix("/api"),
            api_url=api_url,
            ports={},
            pids={},
            logs=home / "logs",
        ).write()
        return home

    return copy
