"""The packed forward gives what one plain forward per prompt and completion gives."""

import copy

import pytest
import torch
from PIL import Image
from torch import Tensor
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel

from core.policy.base import Features
from core.policy.vlm.packing import packed_logprobs
from core.policy.vlm.tiny import FAMILIES, tiny_vlm
from core.schema import NightshiftError

QUESTIONS = ("Yes or no?", "Is the person at work on the quarterly report, and would anybody else say so? Yes or no?")
SIZES = ((112, 84), (168, 112))


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def student(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[PreTrainedModel, object]:
    folder = tiny_vlm(request.param, tmp_path_factory.mktemp(request.param))
    return AutoModelForImageTextToText.from_pretrained(folder).eval(), AutoProcessor.from_pretrained(folder)


def prompts_of(processor: object, padding_side: str = "left") -> Features:
    """Two prompts of different length over pictures of different size and content."""
    generator = torch.Generator().manual_seed(3)
    pictures = [
        Image.fromarray(torch.randint(0, 255, (height, width, 3), generator=generator).byte().numpy())
        for width, height in SIZES
    ]
    texts = [
        processor.apply_chat_template(
            [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}],
            add_generation_prompt=True,
        )
        for question in QUESTIONS
    ]
    return dict(
        processor(
            text=texts,
            images=[[picture] for picture in pictures],
            padding=True,
            padding_side=padding_side,
            return_tensors="pt",
        )
    )


def plain_logprobs(model: PreTrainedModel, prompts: Features, completions_NGT: Tensor, mask_NGT: Tensor) -> Tensor:
    """One whole forward for each completion of both prompts: what packing is held to."""
    columns = []
    for g in range(completions_NGT.shape[1]):
        added = completions_NGT[:, g], mask_NGT[:, g].long()
        inputs = {
            **prompts,
            "input_ids": torch.cat([prompts["input_ids"], added[0]], dim=1),
            "attention_mask": torch.cat([prompts["attention_mask"], added[1]], dim=1),
        }
        if "mm_token_type_ids" in prompts:
            types = prompts["mm_token_type_ids"]
            inputs["mm_token_type_ids"] = torch.cat([types, torch.zeros_like(added[0])], dim=1)
        logits = model(**inputs, use_cache=False).logits[:, -added[0].shape[1] - 1 : -1]
        logprobs = torch.log_softmax(logits, dim=-1).gather(-1, added[0][..., None])[..., 0]
        columns.append(logprobs.masked_fill(~mask_NGT[:, g], 0.0))
    return torch.stack(columns, dim=1)


ONE_TOKEN = torch.tensor([[[300], [301], [300], [7 + 20]], [[301], [301], [301], [301]]])
THREE_TOKENS = torch.tensor(
    [
        [[300, 310, 320], [300, 310, 330], [340, 350, 360], [300, 310, 320]],
        [[301, 0, 0], [300, 310, 0], [340, 350, 360], [341, 310, 360]],
    ]
)


@pytest.mark.parametrize("completions_NGT", [ONE_TOKEN, THREE_TOKENS], ids=["one token", "three tokens"])
def test_packed_logprobs_equal_those_of_a_plain_forward(
    student: tuple[PreTrainedModel, object], completions_NGT: Tensor
) -> None:
    model, processor = student
    prompts, mask_NGT = prompts_of(processor), completions_NGT > 0
    packed = packed_logprobs(model, prompts, completions_NGT, mask_NGT)
    plain = plain_logprobs(model, prompts, completions_NGT, mask_NGT)
    torch.testing.assert_close(packed, plain, rtol=0, atol=1e-5)
    assert plain[mask_NGT].std() > 0.01


@pytest.mark.parametrize("completions_NGT", [ONE_TOKEN, THREE_TOKENS], ids=["one token", "three tokens"])
def test_packed_gradients_equal_those_of_a_plain_forward(
    student: tuple[PreTrainedModel, object], completions_NGT: Tensor
) -> None:
    model, processor = student
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


def test_padding_on_either_side_gives_the_same(student: tuple[PreTrainedModel, object]) -> None:
    model, processor = student
    mask_NGT = THREE_TOKENS > 0
    with torch.no_grad():
        left, right = (
            packed_logprobs(model, prompts_of(processor, side), THREE_TOKENS, mask_NGT) for side in ("left", "right")
        )
    torch.testing.assert_close(left, right, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("completions_NGT", "behind"), [(ONE_TOKEN, 0), (THREE_TOKENS, 3 * 2)])
def test_a_prompt_is_fed_once_and_only_distinct_chains_behind_it(
    student: tuple[PreTrainedModel, object], completions_NGT: Tensor, behind: int
) -> None:
    model, processor = student
    prompts, shapes = prompts_of(processor), []
    hook = model.model.register_forward_pre_hook(
        lambda _, __, inputs: shapes.append(inputs["input_ids"].shape), with_kwargs=True
    )
    with hook, torch.no_grad():
        packed_logprobs(model, prompts, completions_NGT, completions_NGT > 0)
    assert shapes == [(2, prompts["input_ids"].shape[1] + behind)]


def test_eager_attention_gives_the_same_as_sdpa(student: tuple[PreTrainedModel, object]) -> None:
    model, processor = student
    eager = copy.deepcopy(model)
    eager.set_attn_implementation("eager")
    mask_NGT = THREE_TOKENS > 0
    with torch.no_grad():
        with_sdpa, with_eager = (
            packed_logprobs(each, prompts_of(processor), THREE_TOKENS, mask_NGT) for each in (model, eager)
        )
    torch.testing.assert_close(with_sdpa, with_eager, rtol=0, atol=1e-5)


def test_attention_that_cannot_be_packed_is_refused(student: tuple[PreTrainedModel, object]) -> None:
    model, processor = student
    other = copy.deepcopy(model)
    other.config.get_text_config()._attn_implementation_internal = "flash_attention_2"
    with pytest.raises(NightshiftError, match="attn_implementation='sdpa'"):
        packed_logprobs(other, prompts_of(processor), THREE_TOKENS, THREE_TOKENS > 0)
