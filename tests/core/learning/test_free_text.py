"""Free text under the trainer: a tiny vision-language student writes, is rewarded, and writes otherwise."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from brackets import of_letters
from PIL import Image
from pydantic import JsonValue, ValidationError
from safetensors.torch import load_file, save_file

from core.learning import HeldOut, Rewarding, TrainingItem, train
from core.policy import Sampling
from core.policy.vlm.adapter import trainable_names
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.prompt import Prompt
from core.policy.vlm.tiny import tiny_vlm
from core.reward import Question, Reward
from core.schema import Example, NightshiftError
from core.services.bench.parity import free_text_parity
from core.settings import LearningSettings, VlmSettings
from tests.core.memory_library import MemoryLibrary

PROMPT = Prompt(system="Answer.", question="Look: {ask}")
LEARNING = LearningSettings(
    objective="dapo",
    groups="sampled",
    group_size=6,
    steps=20,
    batch_size=4,
    learning_rate=0.003,
    kl_weight=0.0,
    sync_steps=2,
    max_new_tokens=4,
    likelihood_weight=0.0,
    entropy_weight=0.0,
)
REWARDING = Rewarding(of_letters("abcdefghijklmnopqrstuvwxyz"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_larger_embeddings(tmp_path_factory.mktemp("base"), 3)


def with_larger_embeddings(folder: Path, factor: int) -> Path:
    """A tiny model in which an adapter can make one token likely: as it is made, all are about as likely."""
    tiny_vlm("qwen2_5_vl", folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.embed_tokens.weight"] *= factor
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


@pytest.fixture
def student(base: Path) -> VlmPolicy:
    return VlmPolicy.create(PROMPT, VlmSettings(model=str(base), rank=8))


@pytest.fixture(scope="module")
def library() -> MemoryLibrary:
    held, generator = MemoryLibrary(), np.random.default_rng(0)
    for number in range(2):
        pixels = generator.integers(0, 255, (60, 80 + 20 * number, 3)).astype(np.uint8)
        held.add(f"picture {number}", image=Image.fromarray(pixels))
    return held


@pytest.fixture(scope="module")
def items(library: MemoryLibrary) -> list[TrainingItem]:
    """One picture, two, and none."""
    pictures = tuple(library.images)
    asked = [(pictures[:1], "one"), (pictures, "two"), ((), "no picture"), ((), "nothing at all")]
    return [
        TrainingItem(example=Example.make("groups", media, ask, cluster=ask), origin="correction")
        for media, ask in asked
    ]


def encoded(student: VlmPolicy, items: list[TrainingItem], library: MemoryLibrary):
    return student.encode([item.example for item in items], library)


def trained(student, items, library, settings, out: Path, **others):
    return train(
        items, encoded(student, items, library), student, settings, seed=0, out=out, rewarding=REWARDING, **others
    )


def test_what_is_rewarded_is_written_more_often_and_the_base_keeps_its_bits(items, library, tmp_path):
    base = with_larger_embeddings(tmp_path / "base", 6)
    student = VlmPolicy.create(PROMPT, VlmSettings(model=str(base), rank=8))
    before = {name: weight.clone() for name, weight in student.model.state_dict().items()}
    held = [HeldOut(example=item.example.id, cluster=item.example.cluster, fold=0) for item in items]
    features = encoded(student, items, library)
    result = trained(student, items, library, LEARNING, tmp_path / "out", held_out=held, held_out_features=features)
    assert result.end["reward"] > result.start["reward"] + 0.3
    assert result.end["reward/letters"] == pytest.approx(result.end["reward"])
    assert set(result.crossfit_texts) == {item.example.id for item in items}
    after = VlmPolicy.load(result.weights).model.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert moved <= set(trainable_names(student.model))
    assert all(torch.equal(before[name], weight) for name, weight in student.model.state_dict().items())
    steps = [json.loads(line) for line in (result.directory / "steps.jsonl").read_text().splitlines()]
    assert {"reward/letters", "mismatch", "staleness", "tokens", "truncated", "zero_variance", "rollout_s"} <= set(
        steps[0]
    )
    # Generating token by token and scoring all of them at once are the same policy.
    assert max(step["mismatch"] for step in steps) < 1e-4
    # The weights that drew are those of the last refresh: after every second step.
    assert steps[0]["staleness"] == steps[2]["staleness"] == 0.0
    assert steps[1]["staleness"] > 0


def test_a_training_that_goes_on_from_a_checkpoint_comes_to_the_same_bits(base, items, library, tmp_path):
    """One that was stopped between two refreshes, so that the weights that draw are older than those that train."""
    settings = LEARNING.model_copy(update={"steps": 5, "sync_steps": 3, "checkpoint_steps": 2, "kl_weight": 0.1})

    def weights(out: Path, job: str, stopped: bool = False) -> bytes:
        student = VlmPolicy.create(PROMPT, VlmSettings(model=str(base), rank=8))
        rewarding = Rewarding(stopping_after(2 * 4 * settings.group_size)) if stopped else REWARDING
        features = encoded(student, items, library)
        result = train(items, features, student, settings, seed=0, out=out, rewarding=rewarding, job=job)
        return (result.weights / "adapter_model.safetensors").read_bytes()

    whole = weights(tmp_path / "whole", "one job")
    with pytest.raises(KeyboardInterrupt):
        weights(tmp_path / "stopped", "one job", stopped=True)
    assert [path.name for path in (tmp_path / "stopped.checkpoints" / "full").iterdir()] == ["checkpoint-2"]
    assert weights(tmp_path / "stopped", "one job") == whole


def stopping_after(texts: int) -> tuple[Reward, ...]:
    """The same rewards, until somebody presses Ctrl-C: behind the champion's own texts, and so many more."""
    (letters,) = REWARDING.rewards
    asked = 0

    def share(question: Question, answer: JsonValue) -> float | None:
        nonlocal asked
        asked += 1
        if asked > 4 * LEARNING.group_size + texts:
            raise KeyboardInterrupt
        return letters.function(question, answer)

    return (Reward(letters.name, letters.weight, share),)


def test_a_persons_answer_is_learnt_where_no_reward_speaks(student, items, library, tmp_path):
    settings = LEARNING.model_copy(update={"steps": 15, "likelihood_weight": 1.0, "learning_rate": 0.01})
    silent = Rewarding((Reward("silent", 1.0, lambda *_: None),))
    told = [item.model_copy(update={"gold": "yes"}) for item in items]
    features = encoded(student, items, library)
    result = train(told, features, student, settings, seed=0, out=tmp_path / "out", rewarding=silent)
    challenger = VlmPolicy.load(result.weights)
    greedy = Sampling(temperature=0, max_new_tokens=4)
    said = challenger.generate([item.example for item in items], library, run="", samples=1, sampling=greedy)
    assert [rollout.answer for rollout in said] == ["yes"] * 4
    assert result.end["unscored"] == 1.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"rollouts": "vllm", "objective": "closed_set"}, "would never be asked"),
        ({"rollouts": "vllm_server"}, "nobody would draw"),
        ({"rollout_url": "http://127.0.0.1:1/v1"}, "would stand idle"),
        ({"rollouts": "vllm_server", "rollout_url": "http://me:secret@127.0.0.1:1/v1"}, "rollout_key_env"),
    ],
)
def test_settings_that_would_go_wrong_are_refused(changes, says):
    with pytest.raises(ValidationError, match=says):
        LearningSettings.model_validate({**LEARNING.model_dump(), **changes})


def test_free_text_without_a_loss_over_tokens_or_without_rewards_is_refused(student, items, library, tmp_path):
    features = encoded(student, items, library)
    with pytest.raises(NightshiftError, match='objective = "dapo"'):
        train(items, features, student, LearningSettings(), seed=0, out=tmp_path / "out", rewarding=REWARDING)
    with pytest.raises(NightshiftError, match="what a text is worth"):
        train(items, features, student, LEARNING, seed=0, out=tmp_path / "out")


def test_a_rollout_server_that_is_not_there_is_named(student, items, library, tmp_path):
    settings = LEARNING.model_copy(update={"rollouts": "vllm_server", "rollout_url": "http://127.0.0.1:9/v1"})
    with pytest.raises(NightshiftError, match=r"does not answer at http://127.0.0.1:9/v1/models"):
        trained(student, items, library, settings, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("loss", ["grpo", "dapo"])
def test_loss_and_gradient_are_those_of_trl(base, items, library, tmp_path, monkeypatch, loss):
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")
    settings = LEARNING.model_copy(update={"objective": loss, "group_size": 3, "kl_weight": 0.1, "max_new_tokens": 6})
    written = [["yes", "no off", "A1"], ["0 1 2", "B", "at work"]]

    def student() -> VlmPolicy:
        return VlmPolicy.create(PROMPT, VlmSettings(model=str(base), rank=8))

    tokens = [[student().tokens_of(text) for text in group] for group in written]
    found = free_text_parity(student, items[:2], library, REWARDING, tokens, settings, seed=1, scratch=tmp_path)
    assert abs(found.trl_loss) > 1e-3
    assert found.loss_rel_diff < 1e-4
    assert found.grad_rel_diff < 1e-4
