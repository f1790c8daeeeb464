"""`nightshift simulate`: an operator's days and nights, replayed on a labelled folder."""

from pathlib import Path

import pytest
from forked import nightshift

from core.environments.screen.draw import draw_samples

SETTINGS = """
[learning]
steps = 8
batch_size = 8
variants_per_correction = 1

[gate]
folds = 2
hostile_screens = 0
"""
SUITES = {"corrected", "live", "unseen", "hard", "all"}


@pytest.mark.soak
def test_a_folder_is_replayed_under_this_homes_settings_and_leaves_only_readings_behind(
    home: Path, tmp_path: Path
) -> None:
    (home / "nightshift.toml").write_text(SETTINGS)
    folder = tmp_path / "samples"
    draw_samples(folder)

    ended = nightshift(
        tmp_path,
        *("simulate", "--dataset", str(folder), "--corrections", "7", "--nights", "2", "--seed", "1"),
        *("--home", str(home), "--json"),
        NIGHTSHIFT_STORE=f"duckdb:///{tmp_path / 'not-this-one.duckdb'}",
    )

    assert ended.status == 0, ended.err
    found = ended.answer
    assert found["feedback"] == 7
    assert [night["steps"] for night in found["nights"]] == [8, 8]
    assert sum(night["ingested"] for night in found["nights"]) == 7
    for release in ("before", "challenger", "after"):
        assert set(found[release]) >= SUITES
        for suite in found[release].values():
            assert (suite["accuracy"] is None) == (suite["n"] == 0)
    assert found["before"]["live"]["n"] + found["before"]["unseen"]["n"] + 7 == 26
    assert found["seconds"] > 0
    assert {path.name for path in home.iterdir()} <= {"nightshift.toml", "cache", "commands"}
    assert not (tmp_path / "not-this-one.duckdb").exists()


def test_a_rule_about_a_category_that_is_not_there_is_refused_with_those_there_are(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "samples"
    draw_samples(folder)

    ended = nightshift(
        tmp_path,
        *("simulate", "--dataset", str(folder), "--relabel", "beekeeping=on_task", "--home", str(home), "--json"),
    )

    assert ended.status == 1
    assert "beekeeping" in ended.answer["error"] and "gaming" in ended.answer["error"]
