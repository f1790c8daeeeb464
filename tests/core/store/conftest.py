import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lakes import new_lake

from core.store import Store, open_store

WORKER = Path(__file__).with_name("store_records.py")
ENGINES = ["file", "lake"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a store runs on both engines, unless it asks for what only one has."""
    asked = metafunc.fixturenames
    if "engine" in asked:
        only = {"file": ["file"], "postgres": ["lake"]}
        metafunc.parametrize("engine", next((only[name] for name in only if name in asked), ENGINES))


@pytest.fixture
def url(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    if engine == "lake":
        return new_lake(request.getfixturevalue("postgres"), tmp_path / "data")
    return f"duckdb:///{tmp_path / 'home' / 'nightshift.duckdb'}"


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)


@pytest.fixture
def sql(store: Store) -> Callable[..., list[tuple]]:
    """Statements on the tables themselves, past the store."""
    return lambda text, *values: store.database.engine.write(lambda on: on.execute(text, values).fetchall(), 30)


@pytest.fixture(scope="module", params=ENGINES)
def shared_store(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Store:
    """For properties: the examples of one test share it and keep apart by environment."""
    if request.param == "lake":
        return open_store(new_lake(request.getfixturevalue("postgres"), tmp_path_factory.mktemp("data")))
    return open_store(f"duckdb:///{tmp_path_factory.mktemp('shared') / 'nightshift.duckdb'}")


@pytest.fixture
def file(url: str) -> Path:
    return Path(url.removeprefix("duckdb:///"))


@pytest.fixture
def process() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a function of `store_records.py` in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(action: str, *arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(WORKER), action, *map(str, arguments)]
        started.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
        return started[-1]

    yield start
    for child in started:
        child.kill()
        child.communicate()
