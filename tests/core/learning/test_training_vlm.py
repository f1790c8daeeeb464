"""The vision-language student under the trainer: what moves, what does not, and what is kept of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from core.learning import TrainingItem, train
from core.learning.scoring import answer
from core.policy.vlm.adapter import trainable_names
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.prompt import Prompt
from core.policy.vlm.tiny import FAMILIES, tiny_vlm
from core.schema import Example, NightshiftError
from core.settings import LearningSettings, VlmSettings
from tests.core.memory_library import MemoryLibrary

PROMPT = Prompt(system="Answer.", question="The work: {ask}", answers=("on_task", "off_task"), words=("yes", "no"))
LEARNING = LearningSettings(steps=12, batch_size=4, learning_rate=0.005, kl_weight=0.0)


@pytest.fixture(params=sorted(FAMILIES))
def student(request: pytest.FixtureRequest, tmp_path: Path) -> VlmPolicy:
    return VlmPolicy.create(PROMPT, VlmSettings(model=str(tiny_vlm(request.param, tmp_path / "base")), rank=8))


@pytest.fixture
def library() -> MemoryLibrary:
    """Two dark and two bright pictures."""
    held, generator = MemoryLibrary(), np.random.default_rng(0)
    for number, shade in enumerate((20, 220, 40, 200)):
        pixels = generator.integers(shade - 20, shade + 20, (60, 80, 3)).astype(np.uint8)
        held.add(f"picture {number}", image=Image.fromarray(pixels))
    return held


@pytest.fixture
def items(library: MemoryLibrary) -> list[TrainingItem]:
    """Bright is on task."""
    examples = [
        Example.make("screen", (media,), "Look.", answers=PROMPT.answers, cluster=media) for media in library.images
    ]
    return [
        TrainingItem(example=example, rewards=(None, None), label=label, origin="correction")
        for example, label in zip(examples, (1, 0, 1, 0), strict=True)
    ]


def weights_of(student: VlmPolicy) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in student.model.state_dict().items()}


def test_only_the_adapter_moves_and_every_frozen_weight_keeps_its_bits(
    student: VlmPolicy, items: list[TrainingItem], library: MemoryLibrary, tmp_path: Path
) -> None:
    before, examples = weights_of(student), [item.example for item in items]
    features = student.encode(examples, library)
    result = train(items, features, student, LEARNING, seed=0, out=tmp_path / "out")
    challenger = VlmPolicy.load(result.weights)
    after = weights_of(challenger)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert moved <= set(trainable_names(challenger.model))
    assert all("lora_" in name for name in moved)
    assert set(result.trainable) == set(trainable_names(student.model))
    assert result.end["likelihood"] < 0.5 * result.start["likelihood"]
    # The champion is as it came, and what was saved is what was trained.
    assert all(torch.equal(before[name], weight) for name, weight in student.model.state_dict().items())
    assert answer(challenger, examples, library).argmax(dim=-1).tolist() == [1, 0, 1, 0]


def test_training_goes_on_from_a_saved_adapter_with_the_same_weights_every_time(
    student: VlmPolicy, items: list[TrainingItem], library: MemoryLibrary, tmp_path: Path
) -> None:
    features = student.encode([item.example for item in items], library)
    short = LEARNING.model_copy(update={"steps": 2})
    first = train(items, features, student, short, seed=0, out=tmp_path / "first")
    written = []
    for name in ("one", "two"):
        again = train(items, features, VlmPolicy.load(first.weights), short, seed=1, out=tmp_path / name)
        assert again.start["likelihood"] == first.end["likelihood"]
        written.append((again.weights / "adapter_model.safetensors").read_bytes())
    assert written[0] == written[1]
    assert written[0] != (first.weights / "adapter_model.safetensors").read_bytes()


def test_a_loss_that_is_no_number_stops_the_training_and_keeps_nothing(
    student: VlmPolicy, items: list[TrainingItem], library: MemoryLibrary, tmp_path: Path
) -> None:
    features = student.encode([item.example for item in items], library)
    wild = LEARNING.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(NightshiftError, match=r"no longer a number|weights that are no numbers"):
        train(items, features, student, wild, seed=0, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
