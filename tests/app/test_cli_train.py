"""`nightshift train` with a tiny vision-language student."""

from pathlib import Path

import pytest
from forked import nightshift

from core.environments.screen.draw import draw_samples
from core.policy.vlm.tiny import tiny_vlm


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings that choose the student; nothing else is there yet."""
    home = tmp_path_factory.mktemp("home")
    base = tiny_vlm("smolvlm", home / "base")
    (home / "nightshift.toml").write_text(
        f'policy = "vlm"\n[vlm]\nmodel = "{base}"\nrank = 2\nalpha = 4\n'
        "[learning]\nbatch_size = 4\nlearning_rate = 0.001\nthreads = 1\n"
    )
    return home


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("samples")
    draw_samples(directory)
    return directory


def test_a_folder_trains_a_challenger_of_the_student_that_the_settings_name(
    home: Path, samples: Path, tmp_path: Path
) -> None:
    at = ("--home", str(home), "--json")
    trained = nightshift(
        tmp_path, "train", "--method", "sft", "--environment", "screen", "--dataset", str(samples), "--steps", "2", *at
    )
    assert trained.status == 0, trained.err
    assert (trained.answer["method"], trained.answer["steps"], trained.answer["promoted"]) == ("sft", 2, False)
    assert trained.answer["challenger"]


def test_a_method_that_is_none_is_refused_with_those_there_are(home: Path, samples: Path, tmp_path: Path) -> None:
    ended = nightshift(tmp_path, "train", "--method", "magic", "--dataset", str(samples), "--home", str(home), "--json")
    assert ended.status == 1
    assert ended.answer["error"] == "there is no method 'magic'; there are: sft, grpo"
