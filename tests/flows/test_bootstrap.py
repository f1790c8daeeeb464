"""The flow that gives a model its first idea of the problem."""

from collections.abc import Callable
from pathlib import Path

from core.environments.screen.draw import draw_samples
from core.store import open_store
from flows.server import prefect_server
from tests.flows.conftest import keep_screens


def test_fine_tuning_is_followed_by_grpo_and_neither_is_promoted(
    home_of: Callable[[str], Path], tmp_path: Path
) -> None:
    home = home_of("bootstrapped")
    draw_samples(tmp_path / "samples")
    keep_screens(tmp_path / "samples" / "tasks.csv", 4)
    store = open_store(f"duckdb:///{home / 'nightshift.duckdb'}")
    champion = store.champion("screen")
    with prefect_server(home):
        from flows.bootstrap import bootstrap

        done = bootstrap(dataset=str(tmp_path / "samples"), steps=2, home=str(home))

    assert done["sft"]["from"] == champion
    assert done["grpo"]["from"] == done["sft"]["challenger"]
    assert done["grpo"]["challenger"] != done["sft"]["challenger"]
    assert store.champion("screen") == champion
