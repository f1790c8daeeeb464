"""Homes to start from: everything slow (drawing, reading, embedding) is done once a session and copied."""

import shutil
from pathlib import Path

import pytest
from labelled_folder import Pair, rows, write_rows

from core.schema import Example
from core.services import Classifier, Workspace, import_folder

SCREENS = 5
"Of the drawn screens, that many are read."


@pytest.fixture(scope="session")
def folder(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled folder of a few drawn screens, two descriptions each."""
    directory = tmp_path_factory.mktemp("folder")
    (directory / "images").mkdir()
    kept = sorted(path.name for path in (drawn / "images").iterdir())[:SCREENS]
    for name in kept:
        shutil.copy(drawn / "images" / name, directory / "images" / name)
    for table in ("tasks.csv", "manifest.csv"):
        write_rows(directory / table, [row for row in rows(drawn / table) if row["file"] in kept])
    return directory


@pytest.fixture(scope="session")
def pairs(folder: Path) -> list[Pair]:
    """Its rows, in the order of the file."""
    return [
        Pair((folder / "images" / row["file"]).read_bytes(), row["file"], row["task_description"], row["label"])
        for row in rows(folder / "tasks.csv")
    ]


@pytest.fixture(scope="session")
def template(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two homes: one that has only read the screens, and one with the whole folder imported."""
    empty, imported = tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("imported") / "home"
    Workspace.open(empty)
    shutil.copytree(empty, imported)
    ws = Workspace.open(imported)
    import_folder(ws, "screen", folder)
    Classifier.of_champion(ws, "screen").answer_logprobs(ws.store.find(Example))
    shutil.copytree(imported / "cache", empty / "cache", dirs_exist_ok=True)
    return empty, imported


@pytest.fixture
def ws(template: tuple[Path, Path], tmp_path: Path) -> Workspace:
    """An installation in which nothing has happened yet; the folder's screens need no reading."""
    return Workspace.open(Path(shutil.copytree(template[0], tmp_path / "empty-home")))


@pytest.fixture
def imported(template: tuple[Path, Path], tmp_path: Path) -> Workspace:
    """An installation with the folder imported."""
    return Workspace.open(Path(shutil.copytree(template[1], tmp_path / "imported-home")))


@pytest.fixture
def classifier(ws: Workspace) -> Classifier:
    return Classifier.of_champion(ws, "screen")
