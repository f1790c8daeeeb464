"""`nightshift ablate`: one part of the learning taken out at a time."""

import json
from pathlib import Path

import pytest
from few_screens import SCREENS, few_screens
from forked import nightshift

from core.services.ablation import ARMS

SETTINGS = """
[learning]
steps = 4
refresh_steps = 1
batch_size = 8
variants_per_correction = 0

[gate]
folds = 2
hostile_screens = 0
golden_share = 0.0
"""
FIGURES = {
    "about", "n", "accuracy", "ci95", "balanced_accuracy", "auroc", "ece", "abstaining", "hard", "from_full",
    "by_split", "latency_ms", "training",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return few_screens(tmp_path_factory.mktemp("samples"))


def test_arms_are_trained_and_measured_and_leave_only_readings_and_what_was_asked_for(
    home: Path, folder: Path, tmp_path: Path
) -> None:
    (home / "nightshift.toml").write_text(SETTINGS)
    out = tmp_path / "figures"

    ended = nightshift(
        tmp_path,
        *("ablate", "--dataset", str(folder), "--splits", "1", "--seed", "1", "--out", str(out)),
        *("--arms", "zero_shot,prompt,full,without_semi_online", "--home", str(home), "--json"),
    )

    assert ended.status == 0, ended.err
    found = ended.answer
    assert (found["n"], found["applications"], found["splits"]) == (2 * SCREENS, SCREENS, 1)
    assert list(found["arms"]) == ["zero_shot", "prompt", "full", "without_semi_online"]
    assert found["left_out"] == {}
    for arm in found["arms"].values():
        assert set(arm) == FIGURES
        assert arm["n"] == SCREENS and 0 <= arm["accuracy"] <= 1
    full = found["arms"]["full"]
    assert full["from_full"] is None and full["training"]["items"] > 0
    heard = {name: found["arms"][name]["training"]["words_entered"] for name in ("full", "without_semi_online")}
    assert heard["full"] > 0 == heard["without_semi_online"]
    assert found["arms"]["zero_shot"]["training"] is None
    changed = found["arms"]["prompt"]["from_full"]["accuracy"]
    assert changed == pytest.approx(found["arms"]["prompt"]["accuracy"] - full["accuracy"])
    assert {path.name for path in out.iterdir()} == {"ablation.json", "ablation.md", "ablation-confidence.png"}
    assert json.loads((out / "ablation.json").read_text()) == found
    assert (out / "ablation.md").read_text().count("\n| ") == 1 + len(found["arms"])
    assert {path.name for path in home.iterdir()} <= {"nightshift.toml", "cache", "commands"}


@pytest.mark.soak
def test_every_arm_is_trained(home: Path, folder: Path, tmp_path: Path) -> None:
    (home / "nightshift.toml").write_text(SETTINGS)
    ended = nightshift(
        tmp_path, "ablate", "--dataset", str(folder), "--splits", "1", "--seed", "1", "--home", str(home), "--json"
    )
    assert ended.status == 0, ended.err
    trained = {name for name, arm in ended.answer["arms"].items() if arm["training"] is not None}
    assert trained == {arm.name for arm in ARMS if arm.classifier == "challenger"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--arms", "full,magic"), "there is no arm 'magic'; there are: zero_shot, prompt, full"),
        (("--arms", ""), "no arm is left to measure"),
    ],
)
def test_arms_that_cannot_be_run_are_refused(
    home: Path, folder: Path, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    ended = nightshift(tmp_path, "ablate", "--dataset", str(folder), *arguments, "--home", str(home), "--json")
    assert ended.status == 1
    assert said in ended.answer["error"]


def test_a_folder_that_is_not_there_is_refused(home: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    ended = nightshift(tmp_path, "ablate", "--dataset", str(nowhere), "--home", str(home), "--json")
    assert (ended.status, ended.answer) == (1, {"error": f"there is no folder {nowhere}"})
