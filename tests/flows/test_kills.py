"""A night can be killed at any instant and asked for again, with the same outcome."""

import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from forked import Forked
from nights import outcome, run_night, run_night_that_dies, stages_done, store_of
from served_homes import at_length_in_each_environment

from core.services.night import STAGES

SEED = 7
SIGKILLED = -9
KILLS = 20
KILLS_A_NIGHT = 7


@pytest.fixture
def undisturbed_outcome(home_of: Callable[[str], Path], environment: str, tmp_path: Path) -> dict[str, Any]:
    home = home_of("undisturbed")
    ended = Forked(tmp_path / "undisturbed-says", run_night, str(home), environment, SEED).wait()
    assert ended.status == 0, ended.err
    assert set(ended.answer["seconds"]) >= set(STAGES[:-1])
    return outcome(home, environment)


@at_length_in_each_environment
@pytest.mark.parametrize("stages", [("train", "promote"), pytest.param(STAGES, marks=pytest.mark.soak)], ids=len)
@pytest.mark.timeout(1800)
def test_a_night_killed_inside_its_stages_ends_as_an_undisturbed_one(
    home_of: Callable[[str], Path],
    environment: str,
    undisturbed_outcome: dict[str, Any],
    stages: Sequence[str],
    tmp_path: Path,
) -> None:
    home = home_of("killed")

    for stage in stages:
        ended = Forked(tmp_path / stage, run_night_that_dies, str(home), environment, SEED, stage).wait()
        assert ended.status == SIGKILLED, f"{stage}: {ended.err}"
        assert stages_done(home) == list(STAGES[: STAGES.index(stage)])
        assert not training_left(home)
    ended = Forked(tmp_path / "at last", run_night, str(home), environment, SEED).wait()

    assert ended.status == 0, ended.err
    assert stages_done(home) == list(STAGES)
    assert outcome(home, environment) == undisturbed_outcome


@at_length_in_each_environment
def test_a_night_that_is_told_to_stop_gives_its_lease_back(
    home_of: Callable[[str], Path], environment: str, tmp_path: Path
) -> None:
    home = home_of("stopped")
    night = Forked(tmp_path, run_night, str(home), environment, SEED)
    while not list(home.glob("runs/*/training.job.json")):
        assert night.is_running, night.wait().err
        time.sleep(0.05)

    night.process.terminate()
    ended = night.wait(60)

    assert ended.status != 0
    assert ended.answer == {"error": "interrupted"}
    assert not training_left(home)
    store_of(home).lease(f"night/{environment}", "the next one", 1.0)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@at_length_in_each_environment
def test_a_night_killed_at_twenty_random_instants_ends_as_an_undisturbed_one(
    home_of: Callable[[str], Path], environment: str, undisturbed_outcome: dict[str, Any], tmp_path: Path
) -> None:
    generator = random.Random(SEED)
    kills = 0
    while kills < KILLS:
        home = home_of(f"killed-{kills}")
        of_this_home = 0
        # A night that is killed on its way out is done: to ask again would start the next one.
        while stages_done(home) != list(STAGES):
            night = Forked(tmp_path / home.name, run_night, str(home), environment, SEED)
            night.process.join(generator.uniform(0.5, 40.0) if of_this_home < KILLS_A_NIGHT else None)
            if night.is_running:
                night.kill()
                of_this_home += 1
            assert night.wait().status in (0, SIGKILLED)
        kills += of_this_home
        assert outcome(home, environment) == undisturbed_outcome


def training_left(home: Path, within_s: float = 10.0) -> bool:
    """Whether a training of this home outlives the night that started it by more than a moment."""
    deadline = time.monotonic() + within_s
    while any(str(home) in " ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])):
        if time.monotonic() > deadline:
            return True
        time.sleep(0.1)
    return False
