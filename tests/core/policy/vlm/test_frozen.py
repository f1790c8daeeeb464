"""A student that is frozen for answering says what it said, and can no longer be trained."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModelForImageTextToText

from core.learning.scoring import answer
from core.policy.vlm.policy import VlmPolicy
from core.schema import Example, NightshiftError
from tests.core.memory_library import MemoryLibrary


@pytest.fixture
def taught(student: VlmPolicy) -> VlmPolicy:
    """A student whose adapter says something."""
    generator = torch.Generator().manual_seed(3)
    for name, weight in student.model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.05, generator=generator)
    return student


def test_it_answers_as_before_alone_and_in_company(
    taught: VlmPolicy, examples: list[Example], library: MemoryLibrary
) -> None:
    before = answer(taught, examples, library)
    taught.freeze()
    torch.testing.assert_close(answer(taught, examples, library), before, atol=1e-4, rtol=0)
    alone = torch.cat([answer(taught, [example], library) for example in examples])
    torch.testing.assert_close(alone, before, atol=1e-4, rtol=0)


def test_it_is_refused_to_train_and_to_save(taught: VlmPolicy, tmp_path: Path) -> None:
    taught.freeze()
    with pytest.raises(NightshiftError, match="frozen"):
        taught.optimizer(0.1, 8)
    with pytest.raises(NightshiftError, match="frozen"):
        taught.save(tmp_path)


def test_whoever_held_its_weights_can_no_longer_change_what_it_says(
    taught: VlmPolicy, examples: list[Example], library: MemoryLibrary
) -> None:
    held = list(taught.model.parameters())
    taught.freeze()
    before = answer(taught, examples, library)
    for weight in held:
        weight.data.mul_(2)
    assert torch.equal(answer(taught, examples, library), before)


def test_its_weights_are_neither_written_in_place_nor_trained(taught: VlmPolicy) -> None:
    taught.freeze()
    for weight in taught.model.parameters():
        with pytest.raises(RuntimeError, match="nference"):
            weight.mul_(2)
        with pytest.raises(RuntimeError, match="nference"):
            weight.requires_grad_()


def test_weights_that_were_tied_stay_one(taught: VlmPolicy) -> None:
    taught.freeze()
    assert taught.model.get_output_embeddings().weight is taught.model.get_input_embeddings().weight


def test_it_can_still_be_written_as_a_complete_model(taught: VlmPolicy, tmp_path: Path) -> None:
    taught.merge(tmp_path / "before")
    taught.freeze()
    taught.merge(tmp_path / "after")
    one, other = (
        AutoModelForImageTextToText.from_pretrained(tmp_path / name).state_dict() for name in ("before", "after")
    )
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
