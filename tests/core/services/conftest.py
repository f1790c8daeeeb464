"""Homes to start from: everything slow (drawing, reading, embedding) is done once a session and copied."""

import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from labelled_folder import Pair, rows, write_rows
from served_homes import smallest, write_settings

from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.missions import named
from core.schema import Example, Prediction
from core.services import Classifier, Workspace, classify, import_folder
from core.services.classify import answer_and_log, take_in

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


@pytest.fixture(scope="session")
def new_home(template: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """By environment, a home that serves it and in which nothing has happened yet. Copy it."""

    @cache
    def made(environment: str) -> Path:
        if environment == "screen":
            return template[0]
        home = tmp_path_factory.mktemp(environment)
        write_settings(home, smallest(environment, tmp_path_factory.mktemp("tiny")))
        return Workspace.open(home).home

    return made


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> str:
    """What is served: screens, unless a test is marked `in_each_environment`."""
    return getattr(request, "param", "screen")


@pytest.fixture
def answers(environment: str, ws: Workspace) -> tuple[str, ...]:
    """The closed set of it."""
    return ws.environment(environment).answers or ()


@pytest.fixture
def ws(new_home: Callable[[str], Path], environment: str, tmp_path: Path) -> Workspace:
    """An installation in which nothing has happened yet; the folder's screens need no reading."""
    return Workspace.open(Path(shutil.copytree(new_home(environment), tmp_path / "empty-home")))


@pytest.fixture
def imported(template: tuple[Path, Path], tmp_path: Path) -> Workspace:
    """An installation with the folder imported."""
    return Workspace.open(Path(shutil.copytree(template[1], tmp_path / "imported-home")))


@pytest.fixture(scope="session")
def untrained(new_home: Callable[[str], Path]) -> Callable[[str], Classifier]:
    """By environment, the champion of its new home, loaded once."""
    return cache(lambda environment: Classifier.of_champion(Workspace.open(new_home(environment)), environment))


@pytest.fixture
def classifier(untrained: Callable[[str], Classifier], ws: Workspace, environment: str) -> Classifier:
    known = untrained(environment)
    return Classifier(ws, environment, known.policy, known.calibration, known.release_id)


@pytest.fixture
def ask(ws: Workspace, classifier: Classifier, environment: str, pairs: list[Pair]) -> Callable[[], Prediction]:
    """Asks the champion, each time, about the same screen or the same group, as the product would."""
    if environment == "screen":
        return lambda: classify(ws, classifier, pairs[0].data, pairs[0].ask, name=pairs[0].file)
    photo = take_in(ws, pairs[0].data, name="1.png", source="1.png", session=None)
    dossier = Dossier.of(named("air_baffle"), ["正面，挡风板齐全，标签清晰"])
    example = classifier.environment.example((photo.id,), dossier.text, cluster="north/2031-02-03")
    return lambda: answer_and_log(ws, classifier, example, time.perf_counter(), session=None)
