"""A training that is killed goes on from its checkpoints, and comes to the same bits. Real processes, real kills."""

import json
import os
import random
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from linear_policy import LinearPolicy, item, new_policy, vector_of
from PIL import Image

from core.learning import (
    HeldOut,
    TrainingItem,
    TrainingJob,
    load_features,
    load_items,
    read_steps,
    run_training,
    save_features,
    save_items,
    train,
)
from core.learning.checkpoints import checkpoints_directory
from core.learning.process import run
from core.learning.training_state import changing_weights, read_tensors
from core.policy import Features, Policy
from core.policy.reader.background import Activity, Background
from core.policy.reader.policy import ReaderPolicy
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.prompt import Prompt
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Example, NightshiftError
from core.settings import LearningSettings, VlmSettings
from tests.core.memory_library import MemoryLibrary

LONG_S = 300
EVERY = 4
SAMPLED = LearningSettings(
    steps=14,
    batch_size=8,
    learning_rate=0.05,
    threads=1,
    groups="sampled",
    entropy="adaptive",
    checkpoint_steps=EVERY,
    collapse_zero_variance=1.0,
)
YES_OR_NO = ("on_task", "off_task")

WriteJob = Callable[[Path], TrainingJob]


def job_of(
    directory: Path,
    student: str,
    champion: Policy,
    items: Sequence[TrainingItem],
    features: Sequence[Features],
    *,
    folds: int,
    settings: LearningSettings = SAMPLED,
) -> TrainingJob:
    """A job over these items, of which the first two of each fold are held out."""
    directory.mkdir()
    (directory / "champion").mkdir()
    champion.save(directory / "champion")
    save_items(directory / "items.json", items)
    save_features(directory / "features.safetensors", features)
    save_features(directory / "held_out.safetensors", features[: 2 * folds])
    held_out = tuple(
        HeldOut(example=each.example.id, cluster=each.example.cluster, fold=i % folds)
        for i, each in enumerate(items[: 2 * folds])
    )
    return TrainingJob(
        policy=f"doomed:{student}",
        champion=directory / "champion",
        items=directory / "items.json",
        features=directory / "features.safetensors",
        held_out=held_out,
        held_out_features=directory / "held_out.safetensors" if held_out else None,
        settings=settings,
        seed=5,
        out=directory / "out",
    )


def linear_job(directory: Path) -> TrainingJob:
    items = [item(f"screen {i}", cluster=f"cluster {i}", label=i % 3) for i in range(12)]
    return job_of(directory, "DoomedLinear", new_policy(), items, [vector_of(each.example) for each in items], folds=2)


def reader_job(directory: Path) -> TrainingJob:
    works = Activity(name="letter", screens=("a letter",), works=("Write a letter.",))
    plays = Activity(name="film", screens=("a film",), works=("Watch a film.",))
    champion = ReaderPolicy.create(YES_OR_NO, Background(activities=(works, plays)), adapted_layers=1)
    generator = torch.Generator().manual_seed(0)
    sizes = {"match": (9,), "legible": (), "topic": (2,), "screen": (384,), "work": (384,)}
    sizes |= {"document": (384,), "lines": (4, 384), "passages": (2, 384), "wanted": (5, 384), "ruled_out": (3, 384)}
    items = labelled_screens([f"{i:064d}" for i in range(12)])
    features = [{name: torch.rand(size, generator=generator) for name, size in sizes.items()} for _ in items]
    for each in features[::2]:
        each["ruled_out"] = each["ruled_out"][:0]
    return job_of(directory, "DoomedReader", champion, items, features, folds=2)


def vlm_job(directory: Path, settings: LearningSettings) -> TrainingJob:
    prompt = Prompt(system="Answer.", question="The work: {ask}", answers=YES_OR_NO, words=("yes", "no"))
    base = tiny_vlm("qwen2_5_vl", directory.with_name(f"{directory.name}-base"))
    champion = VlmPolicy.create(prompt, VlmSettings(model=str(base), rank=4))
    library, generator = MemoryLibrary(), np.random.default_rng(0)
    for number, shade in enumerate((20, 220, 40, 200)):
        pixels = generator.integers(shade - 20, shade + 20, (60, 80, 3)).astype(np.uint8)
        library.add(f"picture {number}", image=Image.fromarray(pixels))
    items = labelled_screens(list(library.images))
    features = champion.encode([each.example for each in items], library)
    return job_of(directory, "DoomedVlm", champion, items, features, folds=1, settings=settings)


def vlm_tokens_job(directory: Path) -> TrainingJob:
    settings = {"steps": 9, "batch_size": 4, "learning_rate": 0.005, "objective": "dr_grpo"}
    return vlm_job(directory, SAMPLED.model_copy(update=settings))


def labelled_screens(media: Sequence[str]) -> list[TrainingItem]:
    examples = [Example.make("screen", (each,), "Look.", answers=YES_OR_NO, cluster=each) for each in media]
    return [
        TrainingItem(example=example, rewards=(0.2, 0.7), label=i % 2 if i % 3 else None, origin="correction")
        for i, example in enumerate(examples)
    ]


def outcome(job: TrainingJob) -> dict[str, bytes]:
    """Every byte that must not depend on when or how often the training was started."""
    files = [*sorted((job.out / "full").iterdir()), job.out / "crossfit.json"]
    return {path.name: path.read_bytes() for path in files}


def figures(job: TrainingJob) -> list[dict[str, object]]:
    """The step log without what a clock says."""
    return [{name: value for name, value in step.items() if name != "seconds"} for step in read_steps(job.out)]


class Trainings:
    """Starts a job's training process, and knows how many steps each began."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, job: TrainingJob) -> None:
        self.job, self._patch = job, monkeypatch
        self._counts = job.out.with_name("counts")
        monkeypatch.setenv("DOOMED_COUNTS", str(self._counts))

    def steps_begun(self) -> int:
        """By the last process."""
        return len(self._counts.read_text()) if self._counts.exists() else 0

    def killed(self, **doom: str) -> None:
        with self._patch.context() as patch:
            for name, value in doom.items():
                patch.setenv(name, value)
            self._counts.unlink(missing_ok=True)
            with pytest.raises(NightshiftError, match="SIGKILL"):
                run_training(self.job, LONG_S)
        assert not self.job.out.exists()

    def to_the_end(self) -> None:
        self._counts.unlink(missing_ok=True)
        run_training(self.job, LONG_S)


def train_in_place(job: TrainingJob) -> None:
    """Without a process of its own, which comes to the same bits sooner."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOOMED_COUNTS", os.devnull)
        run(job)


@pytest.fixture(
    scope="module",
    params=[reader_job, linear_job, vlm_tokens_job],
    ids=lambda write: write.__name__,
)
def undisturbed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[WriteJob, TrainingJob]:
    directory = tmp_path_factory.mktemp("undisturbed")
    job = request.param(directory / "job")
    train_in_place(job)
    return request.param, job


@pytest.mark.soak
def test_a_training_killed_at_random_steps_comes_to_the_same_bits_without_beginning_again(
    undisturbed: tuple[WriteJob, TrainingJob], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_job, expected = undisturbed
    challengers, steps = 1 + len({each.fold for each in expected.held_out}), expected.settings.steps
    generator, done = random.Random(write_job.__name__), 0
    training = Trainings(monkeypatch, expected.model_copy(update={"out": tmp_path / "out"}))
    for _ in range(2):
        left = challengers * steps - done
        training.killed(DOOMED_AT=str(generator.randint(EVERY + 1, max(EVERY + 1, 2 * left // 3))))
        # What was lost is less than what lies between two checkpoints.
        done += training.steps_begun() - 1
        done -= done % steps % EVERY
    training.to_the_end()
    assert training.steps_begun() == challengers * steps - done < challengers * steps
    assert outcome(training.job) == outcome(expected)
    assert figures(training.job) == figures(expected)
    assert not checkpoints_directory(training.job.out).exists()


@pytest.fixture(scope="module")
def linear(tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    """Done without disturbance: 3 challengers of 14 steps."""
    job = linear_job(tmp_path_factory.mktemp("linear") / "job")
    train_in_place(job)
    return job


@pytest.mark.parametrize(
    ("opened", "left"),
    [
        ("manifest.json:4", 42 - 4),  # the second of all, sealed and not renamed
        # The first of a fold, half there.
        pytest.param("numbers.json:14", 42 - 14, marks=pytest.mark.soak),
    ],
)
def test_a_checkpoint_that_was_being_written_is_ignored(
    linear: TrainingJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: str, left: int
) -> None:
    training = Trainings(monkeypatch, linear.model_copy(update={"out": tmp_path / "out"}))
    training.killed(DOOMED_IN=opened)
    assert list(checkpoints_directory(training.job.out).glob("*/*.partial"))
    training.to_the_end()
    assert training.steps_begun() == left
    assert outcome(training.job) == outcome(linear)
    assert figures(training.job) == figures(linear)


class Interrupted(LinearPolicy):
    """Is interrupted as step `at` begins."""

    at, begun = 0, 0

    def answer_logprobs(self, batch: Features) -> torch.Tensor:
        self.begun += torch.is_grad_enabled()
        if self.at and self.begun == self.at:
            raise KeyboardInterrupt
        return super().answer_logprobs(batch)


def train_here(out: Path, *, at: int = 0, job: str = "one job", settings: LearningSettings = SAMPLED) -> int:
    """Trains in this process, where a start costs nothing; how many steps were begun."""
    items = [item(f"screen {i}", label=i % 3) for i in range(12)]
    features = [vector_of(each.example) for each in items]
    policy = cast("Interrupted", new_policy(Interrupted))
    policy.at = at
    with pytest.raises(KeyboardInterrupt) if at else nullcontext():
        train(items, features, policy, settings, seed=5, out=out, job=job)
    return policy.begun


def weights(out: Path) -> bytes:
    return (out / "full/model.safetensors").read_bytes()


def test_a_damaged_checkpoint_gives_way_to_the_one_before_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    train_here(tmp_path / "expected")
    train_here(tmp_path / "out", at=10)
    newest = checkpoints_directory(tmp_path / "out") / "full/checkpoint-8/tensors.safetensors"
    newest.write_bytes(newest.read_bytes()[:-1] + b"?")
    assert train_here(tmp_path / "out") == SAMPLED.steps - 4
    assert weights(tmp_path / "out") == weights(tmp_path / "expected")
    assert "checkpoint-8 is not used: tensors.safetensors is damaged" in caplog.text


def test_without_a_checkpoint_that_is_whole_a_training_begins_again(tmp_path: Path) -> None:
    train_here(tmp_path / "out", at=10)
    before, newest = sorted(checkpoints_directory(tmp_path / "out").glob("full/checkpoint-*"))
    (before / "manifest.json").write_text("{}")
    (newest / "scaler.pt").write_bytes(b"")
    assert train_here(tmp_path / "out") == SAMPLED.steps


def test_a_checkpoint_of_another_job_is_not_used(tmp_path: Path) -> None:
    train_here(tmp_path / "out", at=10, job="another job")
    assert train_here(tmp_path / "out") == SAMPLED.steps


def test_a_training_without_a_job_leaves_no_checkpoints(tmp_path: Path) -> None:
    train_here(tmp_path / "out", at=10, job="")
    assert not checkpoints_directory(tmp_path / "out").exists()


def test_a_training_that_stops_itself_leaves_neither_result_nor_checkpoints(tmp_path: Path) -> None:
    collapsing = SAMPLED.model_copy(update={"collapse_entropy": 9.0, "collapse_steps": 6})
    with pytest.raises(NightshiftError, match="training stopped at step 6"):
        train_here(tmp_path / "out", settings=collapsing)
    assert list(tmp_path.iterdir()) == []


def test_a_collapse_is_counted_on_where_a_training_goes_on(tmp_path: Path) -> None:
    collapsing = SAMPLED.model_copy(update={"collapse_entropy": 9.0, "collapse_steps": 6})
    train_here(tmp_path / "out", at=6, settings=collapsing)
    with pytest.raises(NightshiftError, match="training stopped at step 6"):
        train_here(tmp_path / "out", settings=collapsing)


def test_a_disk_that_takes_no_checkpoint_does_not_stop_the_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints_directory(tmp_path / "out").write_text("not a folder")
    assert train_here(tmp_path / "out") == SAMPLED.steps
    assert "no checkpoint of step 4 could be kept" in caplog.text


def test_a_checkpoint_holds_no_frozen_weight_and_nothing_that_could_run(tmp_path: Path) -> None:
    job = vlm_tokens_job(tmp_path / "job")
    items, features = load_items(job.items), load_features(job.features)
    steps = 0

    def interrupt(batch: Features) -> torch.Tensor:
        nonlocal steps
        steps += torch.is_grad_enabled()
        if steps == EVERY + 1:
            raise KeyboardInterrupt
        return VlmPolicy.answer_token_logprobs(student, batch)

    student = VlmPolicy.load(job.champion)
    student.answer_token_logprobs = interrupt  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        train(items, features, student, job.settings, seed=5, out=job.out, job="a job")
    (checkpoint,) = checkpoints_directory(job.out).glob("full/checkpoint-*")
    names = json.loads((checkpoint / "manifest.json").read_text())["files"]
    assert sorted(names) == ["numbers.json", "tensors.safetensors", "trainer_state.json"]
    assert set(read_tensors(checkpoint, "weights")) == set(changing_weights(student.model))
    whole = sum(path.stat().st_size for path in (tmp_path / "job-base").glob("*.safetensors"))
    assert (checkpoint / "tensors.safetensors").stat().st_size < whole / 3
