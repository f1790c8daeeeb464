from pathlib import Path

import pytest
import torch

from core.policy.vlm.adapter import trainable_names
from core.policy.vlm.policy import VlmPolicy
from core.schema import NightshiftError
from core.settings import VlmSettings
from tests.core.policy.vlm.conftest import PROMPT

TOWERS = {"qwen2_5_vl": "model.language_model", "qwen3_vl": "model.language_model", "smolvlm": "model.text_model"}


def test_exactly_the_configured_layers_of_the_language_tower_train(settings: VlmSettings, folder: Path) -> None:
    told = settings.model_copy(update={"targets": ("q_proj", "down_proj"), "last_blocks": 2})
    student = VlmPolicy.create(PROMPT, told)
    assert trainable_names(student.model) == tuple(
        f"{TOWERS[folder.name]}.layers.{block}.{layer}.lora_{side}.default.weight"
        for block in (2, 3)
        for layer in ("mlp.down_proj", "self_attn.q_proj")
        for side in "AB"
    )


def test_without_a_number_of_blocks_all_of_them_train(student: VlmPolicy) -> None:
    names = trainable_names(student.model)
    assert len(names) == 4 * 7 * 2
    assert not [name for name in names if "visual" in name or "vision" in name or "connector" in name]


def test_a_new_adapter_is_the_same_every_time_and_changes_nobody_elses_random_numbers(settings: VlmSettings) -> None:
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    one, other = VlmPolicy.create(PROMPT, settings), VlmPolicy.create(PROMPT, settings)
    assert torch.equal(torch.rand(4), expected)
    theirs = dict(other.model.named_parameters())
    assert all(torch.equal(weight, theirs[name]) for name, weight in one.model.named_parameters())


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"targets": ("q_proj", "query")}, "no layer 'query' in block 0; it has down_proj, gate_proj, k_proj"),
        ({"last_blocks": 9}, "last_blocks is 9; the language tower has 4 blocks"),
    ],
)
def test_layers_that_are_not_there_are_named(settings: VlmSettings, told: dict[str, object], message: str) -> None:
    with pytest.raises(NightshiftError, match=message):
        VlmPolicy.create(PROMPT, settings.model_copy(update=told))
