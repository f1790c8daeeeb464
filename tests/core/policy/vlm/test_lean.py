"""A loaded model takes fewer operations and says what the plain one says."""

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import AutoModelForImageTextToText

from core.policy.vlm.adapter import AdapterConfig, adapt
from core.policy.vlm.foundation import load_model
from core.policy.vlm.lean import AdaptedLinear
from core.policy.vlm.policy import VlmPolicy
from core.schema import Example
from tests.core.memory_library import MemoryLibrary


def test_a_loaded_model_says_what_transformers_loads(
    student: VlmPolicy, folder: Path, examples: Sequence[Example], library: MemoryLibrary
) -> None:
    plain = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32).eval()
    batch = student.collate(student.encode([*examples, *examples], library))
    with torch.inference_mode():
        assert torch.allclose(load_model(folder, "float32")(**batch).logits, plain(**batch).logits, atol=1e-4)


def test_pictures_and_windows_of_one_size_are_attended_to_together(folders: dict[str, Path]) -> None:
    visual = load_model(folders["qwen2_5_vl"], "float32").base_model.visual
    grids = torch.tensor([[1, 8, 12], [1, 8, 12], [1, 16, 4]])
    patches = torch.randn(int(grids.prod(dim=1).sum()), 1176, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        together = visual(patches, grid_thw=grids).pooler_output
        visual.config._attn_implementation = "sdpa"
        one_by_one = visual(patches, grid_thw=grids).pooler_output
    assert torch.allclose(torch.cat(tuple(together)), torch.cat(tuple(one_by_one)), atol=1e-5)


def test_an_adapted_layer_and_its_gradients_are_those_of_peft(folders: dict[str, Path]) -> None:
    model = load_model(folders["qwen2_5_vl"], "float32")
    adapt(model, AdapterConfig(rank=4, alpha=8, targets=("q_proj",), last_blocks=1))
    layer = next(module for module in model.modules() if isinstance(module, AdaptedLinear))
    torch.nn.init.normal_(layer.lora_B["default"].weight)
    x, found = torch.randn(2, 3, 128), []
    for forward in (layer.forward, super(AdaptedLinear, layer).forward):
        layer.zero_grad()
        out = forward(x)
        out.square().sum().backward()
        found.append((out, layer.lora_A["default"].weight.grad, layer.lora_B["default"].weight.grad))
    assert all(torch.allclose(ours, theirs, rtol=1e-3, atol=1e-3) for ours, theirs in zip(*found, strict=True))


def test_an_adapter_in_float32_leaves_a_layer_in_bfloat16(folders: dict[str, Path]) -> None:
    model = load_model(folders["qwen2_5_vl"], "bfloat16")
    adapted = adapt(model, AdapterConfig(rank=4, alpha=8, targets=("q_proj",), last_blocks=1))
    layer = next(module for module in adapted.modules() if isinstance(module, AdaptedLinear))
    assert layer(torch.randn(2, 3, 128, dtype=torch.bfloat16)).dtype == torch.bfloat16
