"""`nightshift variants ablate` and `nightshift bench variants`."""

from pathlib import Path

import pytest
from few_screens import few_screens
from forked import nightshift

SETTINGS = """
[learning]
steps = 4
refresh_steps = 1
batch_size = 8
variants_per_correction = 4

[variants]
picture_seconds = 0
off = ["translated"]

[gate]
folds = 2
hostile_screens = 0
golden_share = 0.0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return few_screens(tmp_path_factory.mktemp("samples"))


@pytest.mark.soak
def test_each_kind_is_left_out_in_turn_and_its_worth_comes_with_an_interval(
    home: Path, folder: Path, tmp_path: Path
) -> None:
    (home / "nightshift.toml").write_text(SETTINGS)

    ended = nightshift(
        tmp_path,
        *("variants", "ablate", "--dataset", str(folder), "--splits", "1", "--seed", "1"),
        *("--kinds", "reworded,neighbour", "--home", str(home), "--json"),
    )

    assert ended.status == 0, ended.err
    found = ended.answer
    assert list(found["kinds"]) == ["reworded", "neighbour"]
    assert found["kinds"]["reworded"]["variants"] > 0
    unused = found["kinds"]["neighbour"]
    assert unused["variants"] == 0 and unused["accuracy"]["accuracy"] == unused["probability"]["difference"] == 0
    assert not unused["does_harm"]
    for worth in found["kinds"].values():
        low, high = worth["probability"]["ci95"]
        assert low <= worth["probability"]["difference"] <= high
    assert found["setting"] == {"variants.off": ["translated", *found["harmful"]]}
    assert {path.name for path in home.iterdir()} <= {"nightshift.toml", "cache", "commands"}


@pytest.mark.parametrize("kind", ["magic", "translated"])
def test_a_kind_that_is_none_or_is_off_is_refused(home: Path, folder: Path, tmp_path: Path, kind: str) -> None:
    (home / "nightshift.toml").write_text(SETTINGS)
    ended = nightshift(
        tmp_path, "variants", "ablate", "--dataset", str(folder), "--kinds", kind, "--home", str(home), "--json"
    )
    assert ended.status == 1
    assert f"there is no kind of variant {kind!r} that is on; there are: reworded, other_work" in ended.answer["error"]


@pytest.mark.soak
def test_the_benchmark_counts_what_is_made_and_read(home: Path, tmp_path: Path) -> None:
    ended = nightshift(
        tmp_path, "bench", "variants", "--screens", "3", "--processes", "2", "--home", str(home), "--json"
    )
    assert ended.status == 0, ended.err
    found = ended.answer
    assert found["made"] == sum(kind["n"] for kind in found["kinds"].values()) > 0
    assert found["made_per_s"] > 0 and found["read_per_s"] > 0
    assert (found["kinds"]["reworded"]["read_ms"], found["kinds"]["occluded"]["read_ms"] is None) == (None, False)
    assert found["processes"]["made_per_s"] > 0 and found["processes"]["pictures_per_s"] > 0
