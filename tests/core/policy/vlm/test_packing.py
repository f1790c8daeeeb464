"""The packed forward gives what one plain forward per prompt and completion gives."""

import copy

import pytest
import torch
from plain import ONE_TOKEN, THREE_TOKENS, plain_logprobs, prompts_of
from torch import Tensor
from transformers import PreTrainedModel

from core.policy.vlm.packing import packed_logprobs
from core.schema import NightshiftError


@pytest.mark.parametrize("completions_NGT", [ONE_TOKEN, THREE_TOKENS], ids=["one token", "three tokens"])
def test_packed_logprobs_equal_those_of_a_plain_forward(
    bare: tuple[PreTrainedModel, object], completions_NGT: Tensor
) -> None:
    model, processor = bare
    prompts, mask_NGT = prompts_of(processor), completions_NGT > 0
    packed = packed_logprobs(model, prompts, completions_NGT, mask_NGT)
    plain = plain_logprobs(model, prompts, completions_NGT, mask_NGT)
    torch.testing.assert_close(packed, plain, rtol=0, atol=1e-5)
    assert plain[mask_NGT].std() > 0.01


@pytest.mark.parametrize("completions_NGT", [ONE_TOKEN, THREE_TOKENS], ids=["one token", "three tokens"])
def test_packed_gradients_equal_those_of_a_plain_forward(
    bare: tuple[PreTrainedModel, object], completions_NGT: Tensor
) -> None:
    model, processor = bare
    prompts, mask_NGT = prompts_of(processor), completions_NGT > 0
    weights_NGT = torch.randn(completions_NGT.shape, generator=torch.Generator().manual_seed(5))
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gradients = []
    for logprobs in (packed_logprobs, plain_logprobs):
        total = (weights_NGT * logprobs(model, prompts, completions_NGT, mask_NGT)).sum()
        found = torch.autograd.grad(total, parameters, allow_unused=True)
        gradients.append(torch.cat([g.flatten() for g in found if g is not None]))
    packed, plain = gradients
    assert packed.shape == plain.shape
    assert (packed - plain).norm() / plain.norm() < 1e-5


def test_padding_on_either_side_gives_the_same(bare: tuple[PreTrainedModel, object]) -> None:
    model, processor = bare
    mask_NGT = THREE_TOKENS > 0
    with torch.no_grad():
        left, right = (
            packed_logprobs(model, prompts_of(processor, side), THREE_TOKENS, mask_NGT) for side in ("left", "right")
        )
    torch.testing.assert_close(left, right, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("completions_NGT", "behind"), [(ONE_TOKEN, 0), (THREE_TOKENS, 3 * 2)])
def test_a_prompt_is_fed_once_and_only_distinct_chains_behind_it(
    bare: tuple[PreTrainedModel, object], completions_NGT: Tensor, behind: int
) -> None:
    model, processor = bare
    prompts, shapes = prompts_of(processor), []
    hook = model.model.register_forward_pre_hook(
        lambda _, __, inputs: shapes.append(inputs["input_ids"].shape), with_kwargs=True
    )
    with hook, torch.no_grad():
        packed_logprobs(model, prompts, completions_NGT, completions_NGT > 0)
    assert shapes == [(2, prompts["input_ids"].shape[1] + behind)]


def test_eager_attention_gives_the_same_as_sdpa(bare: tuple[PreTrainedModel, object]) -> None:
    model, processor = bare
    eager = copy.deepcopy(model)
    eager.set_attn_implementation("eager")
    mask_NGT = THREE_TOKENS > 0
    with torch.no_grad():
        with_sdpa, with_eager = (
            packed_logprobs(each, prompts_of(processor), THREE_TOKENS, mask_NGT) for each in (model, eager)
        )
    torch.testing.assert_close(with_sdpa, with_eager, rtol=0, atol=1e-5)


def test_attention_that_cannot_be_packed_is_refused(bare: tuple[PreTrainedModel, object]) -> None:
    model, processor = bare
    other = copy.deepcopy(model)
    other.config.get_text_config()._attn_implementation_internal = "flash_attention_2"
    with pytest.raises(NightshiftError, match="attn_implementation='sdpa'"):
        packed_logprobs(other, prompts_of(processor), THREE_TOKENS, THREE_TOKENS > 0)
