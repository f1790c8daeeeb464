"""Completions sampled by transformers' own `generate`, for the price of one prompt a group.

Each prompt, pictures and all, goes through the model once, up to its last token; keys and values are then repeated for
the samples of its group, and `generate` goes on from there.

Axes: N prompts, S places of a prompt (padded on the left), G samples of a prompt, R = N G rows, T tokens, V vocabulary.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList

from core.policy.base import Completions, Features, Sampling
from core.policy.vlm.batches import TOKENS
from core.policy.vlm.packing import parts_of, prompt_positions

if TYPE_CHECKING:
    from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase

__all__ = ["never_sampled", "sampled"]


def never_sampled(tokenizer: "PreTrainedTokenizerBase", vocabulary: int) -> tuple[int, ...]:
    """Tokens that no completion may hold: control tokens (of pictures, of the chat), all but the end token, and rows
    of the vocabulary for which the tokenizer has no text."""
    control = set(tokenizer.added_tokens_decoder) - {tokenizer.eos_token_id}
    return tuple(sorted(control | set(range(vocabulary)) - set(tokenizer.get_vocab().values())))


@torch.no_grad()
def sampled(
    model: "PreTrainedModel",
    prompts: Features,
    samples: int,
    sampling: Sampling,
    *,
    end: int,
    never: Sequence[int],
    constraint: Callable[[int], LogitsProcessor] | None = None,
) -> Completions:
    """`samples` completions of each of the N prompts, by torch's random numbers; the same in any order of calls with
    the same state of these.

    `end` is the token that ends a completion, `never` are those that are not drawn, and `constraint` makes, of the
    length of the prompts, what bars more of them. Log-probabilities are those of the
    model at temperature 1 over the whole vocabulary.
    """
    backbone, _ = parts_of(model)
    ids_NS, seen_NS = prompts["input_ids"], prompts["attention_mask"]
    cache = _prefilled(backbone, prompts)
    cache.batch_repeat_interleave(samples)
    scores = _Scores(torch.tensor(never, dtype=torch.long, device=ids_NS.device))
    barring = [] if constraint is None else [constraint(ids_NS.shape[1])]
    with _own_settings(model), _positions_behind(backbone, prompts, samples):
        rows_RL = model.generate(
            ids_NS.repeat_interleave(samples, dim=0),
            attention_mask=seen_NS.repeat_interleave(samples, dim=0),
            past_key_values=cache,
            generation_config=_generation_config(sampling, end),
            logits_processor=LogitsProcessorList([scores, *barring]),
        )
    scores.note(rows_RL)
    tokens_RT = rows_RL[:, ids_NS.shape[1] :]
    ended_RT = (tokens_RT == end).long().cumsum(dim=-1)
    # The end token counts, what was filled up behind it does not.
    mask_RT = ended_RT - (tokens_RT == end).long() == 0
    logprobs_RT = torch.stack(scores.taken[: tokens_RT.shape[1]], dim=1)
    shape = len(ids_NS), samples, tokens_RT.shape[1]
    return Completions(
        tokens_NGT=tokens_RT.masked_fill(~mask_RT, 0).view(shape),
        mask_NGT=mask_RT.view(shape),
        logprobs_NGT=logprobs_RT.masked_fill(~mask_RT, 0.0).view(shape),
        ended_NG=(ended_RT[:, -1] > 0).view(shape[:2]),
    )


class _Scores(LogitsProcessor):
    """Notes what the model itself gave each token that is drawn, and keeps some from being drawn."""

    def __init__(self, never: Tensor) -> None:
        self._never = never
        self._logprobs_RV: Tensor | None = None
        self.taken: list[Tensor] = []
        "Float[R] for each token drawn so far."

    def __call__(self, rows_RL: Tensor, scores_RV: Tensor) -> Tensor:
        self.note(rows_RL)
        self._logprobs_RV = torch.log_softmax(scores_RV.float(), dim=-1)
        return scores_RV.index_fill(1, self._never, float("-inf"))

    def note(self, rows_RL: Tensor) -> None:
        """The last token of each row is what was drawn from the scores seen last."""
        if self._logprobs_RV is not None:
            self.taken.append(self._logprobs_RV.gather(1, rows_RL[:, -1:])[:, 0])


def _prefilled(backbone: "PreTrainedModel", prompts: Features) -> "DynamicCache":
    """Keys and values of all but the last token of each prompt."""
    real_NS = prompts["attention_mask"].bool()
    inputs: dict[str, Any] = {name: value for name, value in prompts.items() if name not in TOKENS}
    return backbone(
        **inputs,
        input_ids=prompts["input_ids"][:, :-1],
        attention_mask=prompts["attention_mask"][:, :-1],
        position_ids=prompt_positions(prompts, real_NS, backbone)[..., :-1],
        use_cache=True,
    ).past_key_values


@contextmanager
def _positions_behind(backbone: "PreTrainedModel", prompts: Features, samples: int) -> Iterator[None]:
    """A model with positions in time, height and width goes on from what it remembers of its last prompts: here how
    far the positions of each prompt are behind the number of its tokens (arXiv:2409.12191, section 2.1)."""
    if not hasattr(backbone, "rope_deltas"):
        yield
        return
    real_NS = prompts["attention_mask"].bool()
    furthest_N = prompt_positions(prompts, real_NS, backbone).masked_fill(~real_NS, 0).amax(dim=(0, 2))
    behind_N1 = (furthest_N + 1 - real_NS.sum(dim=-1))[:, None]
    backbone.rope_deltas = behind_N1.repeat_interleave(samples, dim=0)
    try:
        yield
    finally:
        # Whoever comes next with other prompts must not go on from these.
        backbone.rope_deltas = None


@contextmanager
def _own_settings(model: "PreTrainedModel") -> Iterator[None]:
    """Without what comes with the model's weights (a penalty on repetition, say), which would fill up ours."""
    before, training = model.generation_config, model.training
    model.generation_config = GenerationConfig()
    model.eval()
    try:
        yield
    finally:
        model.generation_config = before
        model.train(training)


def _generation_config(sampling: Sampling, end: int) -> GenerationConfig:
    length: dict[str, Any] = {"max_new_tokens": sampling.max_new_tokens, "eos_token_id": end, "pad_token_id": end}
    if sampling.temperature == 0:
        return GenerationConfig(**length, do_sample=False)
    return GenerationConfig(**length, do_sample=True, temperature=sampling.temperature, top_p=sampling.top_p, top_k=0)
