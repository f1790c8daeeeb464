"""What tests of the core share: screens on paper, and screens drawn."""

from pathlib import Path

import pytest
from memory_library import MemoryLibrary
from screens_on_paper import CODE, FILM, SHEET

from core.environments.screen.draw import draw_samples


@pytest.fixture
def library() -> MemoryLibrary:
    """Three screens on paper: `code`, `film` and `sheet` are their ids."""
    return MemoryLibrary()


@pytest.fixture
def code(library: MemoryLibrary) -> str:
    return library.add(*CODE)


@pytest.fixture
def film(library: MemoryLibrary) -> str:
    return library.add(*FILM)


@pytest.fixture
def sheet(library: MemoryLibrary) -> str:
    return library.add(*SHEET)


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The labelled folder of drawn screens."""
    directory = tmp_path_factory.mktemp("drawn")
    draw_samples(directory)
    return directory
