"""What prompts begin with is put through the model once, and nothing else changes."""

import pytest
import torch
from plain import ONE_TOKEN, THREE_TOKENS, plain_logprobs, prompts_of
from transformers import PreTrainedModel

from core.policy.vlm.opening import Opening
from core.policy.vlm.packing import packed_logprobs

BOTH = pytest.mark.parametrize("completions_NGT", [ONE_TOKEN, THREE_TOKENS], ids=["one token", "three tokens"])


def opening_of(model: PreTrainedModel, prompts: dict) -> Opening:
    """The first tokens that the prompts share, as many as stand before a picture in every one of them."""
    real = [
        ids[mask.bool()].tolist() for ids, mask in zip(prompts["input_ids"], prompts["attention_mask"], strict=True)
    ]
    shared = 0
    while len({each[shared] for each in real}) == 1 and real[0][shared] != model.config.image_token_id:
        shared += 1
    assert shared > 3
    return Opening(model, real[0][: shared - 1])


@BOTH
@pytest.mark.parametrize("side", ["left", "right"])
def test_an_opening_changes_no_logprob(bare, completions_NGT, side) -> None:
    model, processor = bare
    prompts, mask_NGT = prompts_of(processor, side), completions_NGT > 0
    opening = opening_of(model, prompts)
    assert opening.length_in(prompts["input_ids"], prompts["attention_mask"].bool()) == len(opening.tokens_P) > 0
    with torch.no_grad():
        plain = packed_logprobs(model, prompts, completions_NGT, mask_NGT)
        behind = packed_logprobs(model, prompts, completions_NGT, mask_NGT, opening)
    torch.testing.assert_close(behind, plain, rtol=0, atol=1e-5)


@BOTH
def test_gradients_flow_through_the_opening(bare, completions_NGT) -> None:
    model, processor = bare
    prompts, mask_NGT = prompts_of(processor), completions_NGT > 0
    opening = opening_of(model, prompts)
    weights_NGT = torch.randn(completions_NGT.shape, generator=torch.Generator().manual_seed(5))
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gradients = []
    for logprobs in (
        packed_logprobs(model, prompts, completions_NGT, mask_NGT, opening),
        plain_logprobs(model, prompts, completions_NGT, mask_NGT),
    ):
        found = torch.autograd.grad((weights_NGT * logprobs).sum(), parameters, allow_unused=True)
        gradients.append(torch.cat([g.flatten() for g in found if g is not None]))
    behind, plain = gradients
    assert behind.shape == plain.shape
    assert (behind - plain).norm() / plain.norm() < 1e-5


def test_a_weight_that_changed_shows_at_once_however_it_was_written(bare) -> None:
    model, processor = bare
    prompts = prompts_of(processor)
    opening = opening_of(model, prompts)
    with torch.no_grad():
        before = packed_logprobs(model, prompts, ONE_TOKEN, ONE_TOKEN > 0, opening)
        for each in model.parameters():
            each.data.mul_(1.1)
        changed = packed_logprobs(model, prompts, ONE_TOKEN, ONE_TOKEN > 0, opening)
        whole = packed_logprobs(model, prompts, ONE_TOKEN, ONE_TOKEN > 0)
        for each in model.parameters():
            each.data.div_(1.1)
    torch.testing.assert_close(changed, whole, rtol=0, atol=1e-5)
    assert not torch.allclose(before, changed, atol=1e-4)


def test_prompts_that_begin_otherwise_are_fed_whole(bare) -> None:
    model, processor = bare
    prompts = prompts_of(processor)
    opening = opening_of(model, prompts)
    real_NS = prompts["attention_mask"].bool()
    assert Opening(model, [*opening.tokens_P[:-1].tolist(), 1]).length_in(prompts["input_ids"], real_NS) == 0
    assert opening.length_in(prompts["input_ids"][:, : len(opening.tokens_P)], real_NS[:, : len(opening.tokens_P)]) == 0


def test_a_family_that_is_not_known_to_look_backward_has_no_opening(bare) -> None:
    model, processor = bare
    prompts = prompts_of(processor)
    tokens = opening_of(model, prompts).tokens_P.tolist()
    known, model.config.model_type = model.config.model_type, "paligemma"
    try:
        assert len(Opening(model, tokens).tokens_P) == 0
    finally:
        model.config.model_type = known


def test_a_batch_puts_its_system_message_through_the_model_once(student, examples, library) -> None:
    features, fed = student.encode(examples, library), []
    alone, together = student.collate(features[:1]), student.collate(features)
    hook = student.model.base_model.register_forward_pre_hook(
        lambda _, __, inputs: fed.append(tuple(inputs["input_ids"].shape)), with_kwargs=True
    )
    with hook, torch.inference_mode():
        student.answer_logprobs(alone)
        student.answer_logprobs(together)
    first, opening, rest = fed
    assert first == tuple(alone["input_ids"].shape)
    assert opening[0] == 1 and opening[1] > 3
    assert rest == (len(features), together["input_ids"].shape[1] - opening[1])
