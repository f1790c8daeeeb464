import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from registry_worker import decided, save_weights

from core.registry import Registry
from core.schema import Decision, Outcome, Release
from core.store import Store, open_store

WORKER = Path(__file__).with_name("registry_worker.py")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"duckdb:///{tmp_path / 'nightshift.duckdb'}")


@pytest.fixture
def registry(tmp_path: Path, store: Store) -> Registry:
    return Registry(tmp_path / "registry", store)


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[float], Path]:
    """A checkpoint folder as a policy would save it; its content follows from the number."""
    return lambda number: save_weights(tmp_path / f"saved {number}", number)


@pytest.fixture
def environment(request: pytest.FixtureRequest) -> str:
    """What releases are of: screens, unless a test is marked `in_each_environment`."""
    return getattr(request, "param", "screen")


@pytest.fixture
def released(registry: Registry, saved: Callable[[float], Path], environment: str) -> Callable[..., Release]:
    """A registered release whose weights follow from the number; of groups, with the same stage A as all others."""
    before = {}
    if environment == "group_qc":
        stage = registry.put(saved(1e6), environment=environment, policy="vlm", parent=None, run=None)
        before = {"summaries": stage.id}

    def release(number: float, *, run: str | None = "run") -> Release:
        checkpoint = registry.put(saved(number), environment=environment, policy="reader", parent=None, run=run)
        return registry.release(environment, {**before, "policy": checkpoint.id})

    return release


@pytest.fixture
def promoted(registry: Registry, released: Callable[..., Release], environment: str) -> Callable[[float], Release]:
    """Makes the release of a number champion, by installing or promoting it."""

    def make_champion(number: float) -> Release:
        release, champion = released(number), registry.champion(environment)
        if champion is None:
            registry.install(release, "first")
        else:
            decision = decided(champion.id, release, run=f"run {number}")
            registry.promote(release, expected=champion.id, decision=decision, lease=None, token=None)
        return release

    return make_champion


@pytest.fixture
def decision() -> Callable[..., Decision]:
    def made(champion: Release, challenger: Release, outcome: Outcome = Outcome.PROMOTED, run: str = "run") -> Decision:
        return decided(champion.id, challenger, run=run, outcome=outcome)

    return made


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `registry_worker.py` on the registry in a process of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, str(WORKER), str(tmp_path), *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for child in started:
        child.kill()
        child.communicate()
