"""The flow that gives a model its first idea of the problem."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.environments.screen.draw import draw_samples
from core.schema import DatasetVersion, NightshiftError
from core.services import Workspace
from core.store import open_store
from flows.server import prefect_server
from tests.core.tiny_blip import tiny_blip
from tests.core.unlabelled import alike_domains, screen
from tests.flows.conftest import LABELS, keep_screens


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


def test_pictures_that_nobody_labelled_become_a_set_whose_stages_are_not_done_again(
    home_of: Callable[[str], Path], tmp_path: Path
) -> None:
    home = home_of("from-nothing")
    (tmp_path / "pictures").mkdir()
    for number in range(6):
        (tmp_path / "pictures" / f"{number}.png").write_bytes(screen(number))
    asked = {
        "source": str(tmp_path / "pictures"),
        "wanted": {
            "captioner": str(tiny_blip(tmp_path / "blip")),
            "caption_tokens": 5,
            "examples": 6,
            "validation": 0,
            "domains": str(alike_domains(tmp_path / "works.toml")),
            "least_similarity": -1,
        },
        "training": False,
        "home": str(home),
    }
    with prefect_server(home):
        from flows.bootstrap import bootstrap

        done = bootstrap(**asked)
        with pytest.raises(NightshiftError, match="and not both"):
            bootstrap(home=str(home))

    ws = Workspace.open(home)
    assert done["pictures"] == 5 and done["train"] >= 2
    (version,) = ws.store.get_many(DatasetVersion, [done["dataset_version"]])
    assert len(version.trained) == done["train"] and Path(done["card"]).is_file()
    assert len(ws.store.labels("screen")) == LABELS
