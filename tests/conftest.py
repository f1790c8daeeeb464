"""What tests share: a home of their own, and the real screenshots where this machine has them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# As the command line sets it, before anything imports the client of the Hub, which reads it once.
os.environ.setdefault("HF_HUB_DISABLE_XET", "1")

SCREENS = Path(__file__).resolve().parents[2] / "shared" / "data" / "screens"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home directory."""
    directory = tmp_path / "home"
    directory.mkdir()
    return directory


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a Postgres that is really started, once a session."""
    from lakes import started_postgres

    with started_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def screens() -> Path:
    """The labelled folder of real screenshots."""
    if not (SCREENS / "tasks.csv").exists():
        pytest.skip(f"the labelled screenshots are not on this machine ({SCREENS})")
    return SCREENS
