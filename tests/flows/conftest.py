"""Homes of each environment in which people have said something, and a Prefect server that all of them share."""

import csv
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import psutil
import pytest
from served_homes import smallest, write_settings

from core.environments.group_qc.drawing import draw_groups, drawn_group
from core.environments.group_qc.summaries import Summariser
from core.environments.screen.draw import draw_samples
from core.media import intake
from core.services import Workspace, import_folder
from core.services.groups import Inspector, import_groups
from flows.auth import AUTH, keep_auth
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
GROUPS, MISSIONS = 8, ("air_baffle", "cable_routing")
SMALL_NIGHT_OF_GROUPS = {
    "learning": {"threads": 1, "variants_per_correction": 2},
    "gate": {"folds": 2, "golden_share": 0.2, "latency_ratio": 1000},
    "night": {"lease_s": 8},
}


@pytest.fixture(scope="session")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """By environment, a home in which people have labelled things, and no night yet. Copy it."""

    @cache
    def made(environment: str) -> Path:
        home, drawn = tmp_path_factory.mktemp(f"taught-{environment}"), tmp_path_factory.mktemp("drawn")
        if environment == "screen":
            (home / "nightshift.toml").write_text(SMALL_NIGHT)
            teach_screens(home, drawn)
        else:
            told = smallest(environment, tmp_path_factory.mktemp("tiny"))
            inbox = tmp_path_factory.mktemp("inbox")
            draw_groups(inbox / MISSIONS[0], [drawn_group(GROUPS, mission=MISSIONS[0])])
            told[environment] |= {"steps": 2, "batch_size": 2, "group_size": 4, "inbox": str(inbox)}
            write_settings(home, {**told, **SMALL_NIGHT_OF_GROUPS})
            teach_groups(home, drawn)
        return home

    return made


def teach_screens(home: Path, drawn: Path) -> None:
    draw_samples(drawn)
    keep_screens(drawn / "tasks.csv", SCREENS)
    report = import_folder(Workspace.open(home), "screen", drawn)
    assert report.examples == LABELS and not report.rejected


def teach_groups(home: Path, drawn: Path) -> None:
    """Stage A says what is true, in place of what random weights would."""
    groups = [drawn_group(number, mission=MISSIONS[number % len(MISSIONS)]) for number in range(GROUPS)]
    draw_groups(drawn, groups)
    ws = Workspace.open(home)
    said = {
        intake((drawn / group.name / f"{number}.png").read_bytes(), ws.settings.media)[0].id: (line, None)
        for group in groups
        for number, line in enumerate(group.summaries, start=1)
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Summariser, "write", lambda *asked: [said[media] for media in asked[-1]])
        report = import_groups(ws, Inspector.load(ws), drawn)
    assert report.groups == GROUPS and not report.rejected


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
def environment(request: pytest.FixtureRequest) -> str:
    """What homes serve: screens, unless a test names another."""
    return getattr(request, "param", "screen")


@pytest.fixture
def home_of(taught: Callable[[str], Path], environment: str, tmp_path: Path, api_url: str) -> Callable[[str], Path]:
    """Copies of the taught home, by name, from which the shared Prefect server counts as the one that is up."""

    def copy(name: str) -> Path:
        home = tmp_path / name
        shutil.copytree(taught(environment), home)
        keep_auth(home, os.environ[AUTH])
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
