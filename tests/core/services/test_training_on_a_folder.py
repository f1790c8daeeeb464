"""`train`: a challenger from a labelled folder, for either student."""

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image, ImageDraw

from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Checkpoint, DatasetVersion, Example, NightshiftError, Release
from core.services import (
    Classifier,
    Workspace,
    evaluate_folder,
    import_folder,
    merge,
    night,
    night_result,
    nights,
    train_on_folder,
)
from core.services.night.ingest import is_golden, trained_on
from core.services.night.record import begin
from core.services.training import learning_settings
from core.settings import LearningSettings
from tests.core.services.conftest import write_rows


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A labelled folder of small pictures that need no reading: where a bright box stands says the answer."""
    directory = tmp_path_factory.mktemp("shapes")
    (directory / "images").mkdir()
    rows = []
    for number in range(10):
        picture = Image.new("RGB", (96, 64), (10 + 20 * number, 30, 60))
        left = 4 if number % 2 else 52
        ImageDraw.Draw(picture).rectangle((left, 4 + 4 * number, left + 40, 24 + 4 * number), fill="white")
        picture.save(directory / "images" / f"{number}.png")
        label = "on_task" if number % 2 else "off_task"
        rows.append({"file": f"{number}.png", "task_description": "Move the box to the left.", "label": label})
    write_rows(directory / "tasks.csv", rows)
    return directory


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_vlm("qwen3_vl", tmp_path_factory.mktemp("base"))


class Trained(NamedTuple):
    """A home in which the champion was fine-tuned, and what came out trained further."""

    ws: Workspace
    champion: str
    tuned: dict[str, Any]
    further: dict[str, Any]
    told: list[tuple[int, int]]


@pytest.fixture(scope="module")
def vlm(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A home whose champion is an untrained tiny vision-language student."""
    home = tmp_path_factory.mktemp("vlm-home")
    (home / "nightshift.toml").write_text(
        f'policy = "vlm"\n[vlm]\nmodel = "{base}"\nrank = 4\nalpha = 8\nmax_pixels = 16384\n'
        "[learning]\nsteps = 1\nbatch_size = 4\nlearning_rate = 0.001\nthreads = 1\n[gate]\ngolden_share = 0.4\n"
        "folds = 2\n"
    )
    return Workspace.open(home)


@pytest.fixture(scope="module")
def trained(vlm: Workspace, shapes: Path) -> Trained:
    told: list[tuple[int, int]] = []
    champion = vlm.store.champion("screen")
    assert champion is not None
    lease = vlm.store.lease("night/screen", "a test", 300.0)
    tuned = train_on_folder(
        vlm, "screen", "sft", shapes, lease, steps=2, progress=lambda now, of: told.append((now, of))
    )
    further = train_on_folder(vlm, "screen", "grpo", shapes, lease, release=tuned["challenger"])
    lease.release()
    return Trained(vlm, champion, tuned, further, told)


def test_a_folder_gives_a_challenger_that_is_not_promoted(trained: Trained, shapes: Path) -> None:
    ws, tuned = trained.ws, trained.tuned
    assert ws.store.champion("screen") == trained.champion
    assert (tuned["from"], tuned["steps"], tuned["promoted"]) == (trained.champion, 2, False)
    assert tuned["items"] + tuned["golden_left_out"] == 10
    assert tuned["trainable"]
    assert all("lora_" in name for name in tuned["trainable"])
    assert (10, 10) in trained.told
    assert evaluate_folder(ws, "screen", shapes, release=tuned["challenger"])["n"] == 10


def test_grpo_goes_on_from_the_release_it_is_given(trained: Trained) -> None:
    checkpoint = trained.ws.store.get(Checkpoint, trained.further["checkpoint"])
    assert checkpoint is not None
    assert trained.further["from"] == trained.tuned["challenger"]
    assert checkpoint.parent == trained.tuned["checkpoint"]
    newest = trained.ws.registry.challenger("screen")
    assert newest is not None
    assert newest.id == trained.further["challenger"] != trained.tuned["challenger"]


def test_golden_clusters_are_left_out_and_what_was_seen_is_known_to_later_nights(trained: Trained) -> None:
    ws, tuned = trained.ws, trained.tuned
    (challenger,) = ws.store.get_many(Release, [tuned["challenger"]])
    seen = ws.store.get_many(Example, sorted(trained_on(ws, challenger)))
    assert len(seen) == tuned["items"]
    assert not [example for example in seen if is_golden(example.cluster, ws.settings.gate.golden_share)]
    (version,) = ws.store.find(DatasetVersion)
    assert len(version.items["golden"]) == tuned["golden_left_out"] > 0


def test_a_training_is_no_night(trained: Trained) -> None:
    assert nights(trained.ws, "screen") == []
    assert begin(trained.ws, "screen", seed=1).id not in (trained.tuned["run"], trained.further["run"])


def test_supervised_fine_tuning_is_likelihood_alone_and_grpo_the_loss_of_the_nights() -> None:
    told = LearningSettings(groups="sampled")
    tuned = learning_settings(told, "sft", steps=7)
    assert (tuned.gradient_weight, tuned.kl_weight, tuned.entropy_weight, tuned.steps) == (0.0, 0.0, 0.0, 7)
    assert learning_settings(told, "grpo") == told


def test_a_step_count_that_is_none_is_refused() -> None:
    with pytest.raises(NightshiftError, match="training with learning_rate"):
        learning_settings(LearningSettings(), "sft", learning_rate=-1.0)


def test_a_merged_release_is_a_model_without_adapter(vlm: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "merged"
    assert merge(vlm, "screen", out) == vlm.store.champion("screen")
    assert (out / "model.safetensors").exists()
    with pytest.raises(NightshiftError, match="is not empty"):
        merge(vlm, "screen", out)


def test_a_release_without_adapter_cannot_be_merged(tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match="'reader' has no adapter"):
        merge(Workspace.open(tmp_path / "home"), "screen", tmp_path / "merged")


def test_the_vlm_student_classifies_without_reading(vlm: Workspace) -> None:
    classifier = Classifier.of_champion(vlm, "screen")
    assert isinstance(classifier.policy, VlmPolicy)
    assert not classifier.policy.reads


@pytest.mark.soak
def test_a_night_runs_from_its_first_stage_to_its_last_with_the_student(vlm: Workspace, shapes: Path) -> None:
    ws = vlm
    import_folder(ws, "screen", shapes)
    run, lease = begin(ws, "screen", seed=2), ws.store.lease("night/screen", "a test", 300.0)
    for stage in ("ingest", "make_variants", "judge", "train", "evaluate", "gate", "frozen", "promote", "report"):
        getattr(night, stage)(ws, run, lease)
    lease.release()
    done = night_result(ws, run.id)
    assert done["outcome"] in ("promoted", "refused", "undecided")
    (challenger,) = ws.store.get_many(Release, [done["challenger"]])
    assert isinstance(Classifier.of_release(ws, challenger).policy, VlmPolicy)
