import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.store import Store, open_store

WORKER = Path(__file__).with_name("store_records.py")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"duckdb:///{tmp_path / 'home' / 'nightshift.duckdb'}"


@pytest.fixture
def store(url: str) -> Store:
    return open_store(url)


@pytest.fixture(scope="module")
def shared_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """For properties: the examples of one test share it and keep apart by environment."""
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
