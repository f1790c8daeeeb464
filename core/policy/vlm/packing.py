"""Token log-probabilities of many completions behind one prompt, for the price of one prompt.

A group of completions shares its prompt, picture and all. Here the prompt goes through the model once, and what the
completions add to it is packed behind it in the same sequence:

    prompt | completion 1 | completion 2 | ...

Each completion sees the prompt and itself, at the positions it would have had alone. The first token of a completion
needs nothing but the prompt's last hidden state and its last token is never fed, so one-token answers cost one
prefill and no packing, and completions that differ in their last token only are fed once. The vocabulary's logits
are computed at the scored places alone.

What all prompts begin with may be given as an `Opening`; then only what follows goes through the model.

Axes: N prompts, S places of a prompt (padded), P tokens of the opening, R = S - P places behind it, G completions, T
tokens of a completion, C distinct chains of fed tokens, F tokens of a chain (T - 1 at most), L = R + C F places of the
packed sequence, V vocabulary.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import pad

from core.policy.base import Features, TokenScores
from core.policy.vlm.opening import Opening
from core.schema import NightshiftError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

__all__ = ["packed_logprobs", "packed_scores", "parts_of", "prompt_positions"]


@dataclass(frozen=True)
class _Chains:
    """The distinct sequences of tokens that completions need fed, and which of them each completion continues."""

    tokens_NCF: Tensor
    real_NCF: Tensor
    of_completion_NG: Tensor


def packed_logprobs(
    model: "PreTrainedModel",
    prompts: Features,
    completions_NGT: Tensor,
    mask_NGT: Tensor,
    opening: Opening | None = None,
) -> Tensor:
    """Float[N, G, T] log-probabilities of each completion's tokens behind its prompt; 0 where `mask_NGT` is.

    Softmax over the whole vocabulary at temperature 1, in float32; differentiable in the trainable weights. `prompts`
    are the model's inputs for N prompts as its processor gives them, padded on either side. `mask_NGT` is true where
    a completion has a token; completions are filled up on the right. Raises NightshiftError for an attention
    implementation that cannot follow the packed mask.
    """
    logprobs_NMV, scored_at_NGT = _scored_places(model, prompts, completions_NGT, mask_NGT.bool(), opening)
    return _of_tokens(logprobs_NMV, scored_at_NGT, completions_NGT, mask_NGT.bool())


def packed_scores(
    model: "PreTrainedModel",
    prompts: Features,
    completions_NGT: Tensor,
    mask_NGT: Tensor,
    opening: Opening | None = None,
) -> TokenScores:
    """What `packed_logprobs` gives, and the entropy of the distribution behind each token."""
    mask_NGT = mask_NGT.bool()
    logprobs_NMV, scored_at_NGT = _scored_places(model, prompts, completions_NGT, mask_NGT, opening)
    entropies_NM = -(logprobs_NMV.exp() * logprobs_NMV).sum(dim=-1)
    entropies_NGT = entropies_NM.gather(1, scored_at_NGT.flatten(1)).view_as(scored_at_NGT)
    return TokenScores(
        logprobs_NGT=_of_tokens(logprobs_NMV, scored_at_NGT, completions_NGT, mask_NGT),
        entropies_NGT=entropies_NGT.masked_fill(~mask_NGT, 0.0),
    )


def _of_tokens(logprobs_NMV: Tensor, scored_at_NGT: Tensor, completions_NGT: Tensor, mask_NGT: Tensor) -> Tensor:
    rows_N11 = torch.arange(len(logprobs_NMV), device=logprobs_NMV.device)[:, None, None]
    logprobs_NGT = logprobs_NMV[rows_N11, scored_at_NGT, completions_NGT.masked_fill(~mask_NGT, 0)]
    return logprobs_NGT.masked_fill(~mask_NGT, 0.0)


def _scored_places(
    model: "PreTrainedModel", prompts: Features, completions_NGT: Tensor, mask_NGT: Tensor, opening: Opening | None
) -> tuple[Tensor, Tensor]:
    """Float[N, M, V] log-probabilities at the M places that are scored, and Int[N, G, T], which of them each token
    follows."""
    backbone, head = parts_of(model)
    real_NS = prompts["attention_mask"].bool()
    # Distinct chains are found where the numbers are read anyway: a group holds few completions of few tokens.
    chains = _distinct_chains(completions_NGT, mask_NGT)
    P = opening.length_in(prompts["input_ids"], real_NS) if opening is not None else 0
    # Places of the opening fall away: the first P columns, and where a prompt is padded on the left its next ones.
    real_NR = (real_NS & (real_NS.cumsum(dim=-1) > P))[:, P:]
    inputs = _pack(prompts, real_NS, real_NR, chains, backbone)
    cache = opening.cache(backbone, len(real_NS)) if opening is not None and P else None
    hidden_NLD = backbone(**inputs, past_key_values=cache, use_cache=cache is not None).last_hidden_state
    hidden_NMD = torch.cat([_last_of_prompt(hidden_NLD, real_NR), hidden_NLD[:, real_NR.shape[1] :]], dim=1)
    return torch.log_softmax(head(hidden_NMD).float(), dim=-1), _places(chains, completions_NGT.shape[-1])


def parts_of(model: "PreTrainedModel") -> "tuple[PreTrainedModel, torch.nn.Module]":
    """What turns inputs into hidden states and what turns those into logits; adapters stay in both."""
    whole = model.get_base_model() if hasattr(model, "get_base_model") else model
    return whole.base_model, whole.get_output_embeddings()


def _distinct_chains(completions_NGT: Tensor, mask_NGT: Tensor) -> _Chains:
    fed_NGF = completions_NGT[:, :, :-1]
    # A token is fed where another one follows that is to be scored.
    needed_NGF = mask_NGT[:, :, 1:]
    seen_N: list[dict[tuple[int, ...], int]] = []
    which_NG: list[list[int]] = []
    for fed_GF, lengths_G in zip(fed_NGF.tolist(), needed_NGF.sum(dim=-1).tolist(), strict=True):
        seen: dict[tuple[int, ...], int] = {}
        chains_G = [tuple(fed_F[:length]) for fed_F, length in zip(fed_GF, lengths_G, strict=True)]
        which_NG.append([seen.setdefault(chain, len(seen)) if chain else 0 for chain in chains_G])
        seen_N.append(seen)
    count, longest = max(map(len, seen_N)), max((len(chain) for seen in seen_N for chain in seen), default=0)
    shape = len(seen_N), count, longest
    device = completions_NGT.device
    tokens_NCF, real_NCF = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.bool)
    for row, seen in enumerate(seen_N):
        for chain, place in seen.items():
            tokens_NCF[row, place, : len(chain)] = torch.tensor(chain)
            real_NCF[row, place, : len(chain)] = True
    return _Chains(tokens_NCF.to(device), real_NCF.to(device), torch.tensor(which_NG, device=device))


def _pack(
    prompts: Features, real_NS: Tensor, real_NR: Tensor, chains: _Chains, backbone: "PreTrainedModel"
) -> Features:
    """The inputs of one forward behind the opening: the prompts alone where nothing is fed behind them."""
    P = real_NS.shape[1] - real_NR.shape[1]
    positions = prompt_positions(prompts, real_NS, backbone)
    inputs = {name: value for name, value in prompts.items() if name != "mm_token_type_ids"}
    ids_NR = prompts["input_ids"][:, P:]
    N, C, F = chains.tokens_NCF.shape
    if C * F == 0:
        seen = pad(real_NR.long(), (P, 0), value=1)
        return {**inputs, "input_ids": ids_NR, "position_ids": positions[..., P:], "attention_mask": seen}
    after = positions.masked_fill(~real_NS, 0).amax(dim=-1, keepdim=True)
    if after.ndim == 3:  # three axes of positions; the text behind an image starts after the furthest of them
        after = after.amax(dim=0, keepdim=True).expand(len(positions), -1, -1)
    steps_CF = torch.arange(1, F + 1, device=real_NS.device).repeat(C)
    return {
        **inputs,
        "input_ids": torch.cat([ids_NR, chains.tokens_NCF.reshape(N, C * F)], dim=1),
        "position_ids": torch.cat([positions[..., P:], after + steps_CF], dim=-1),
        "attention_mask": _attention_mask(real_NR, P, C, F, backbone),
    }


def prompt_positions(prompts: Features, real_NS: Tensor, backbone: "PreTrainedModel") -> Tensor:
    """Int[N, S], or Int[3, N, S] for a model with positions in time, height and width (arXiv:2409.12191, 2.1)."""
    if not hasattr(backbone, "get_rope_index"):
        return (real_NS.long().cumsum(dim=-1) - 1).clamp(min=0)
    positions_3NS, _ = backbone.get_rope_index(
        prompts["input_ids"],
        mm_token_type_ids=prompts["mm_token_type_ids"],
        image_grid_thw=prompts.get("image_grid_thw"),
        attention_mask=prompts["attention_mask"],
    )
    return torch.as_tensor(positions_3NS)


def _attention_mask(real_NR: Tensor, opening: int, chains: int, fed: int, backbone: "PreTrainedModel") -> Tensor:
    """[N, 1, L, P + L]: prompts are causal, a chain sees its prompt and itself, filled-up places see themselves.

    All of them see the P tokens of the opening.
    """
    R = real_NR.shape[1]
    device = real_NR.device
    chain_X = torch.arange(chains, device=device).repeat_interleave(fed)
    causal_LL = torch.ones(R + len(chain_X), R + len(chain_X), dtype=torch.bool, device=device).tril()
    causal_LL[R:, R:] &= chain_X[:, None] == chain_X
    sees_NLL = causal_LL & pad(real_NR, (0, len(chain_X)), value=True)[:, None, :]
    # A query without a single key would be a division of nothing by nothing.
    sees_NLL |= torch.eye(len(causal_LL), dtype=torch.bool, device=device)
    sees_N1LK = pad(sees_NLL, (opening, 0), value=True)[:, None]
    implementation = backbone.config.get_text_config()._attn_implementation
    if implementation == "sdpa":
        return sees_N1LK
    if implementation == "eager":
        bias = torch.zeros(sees_N1LK.shape, dtype=backbone.dtype, device=device)
        return bias.masked_fill(~sees_N1LK, torch.finfo(backbone.dtype).min)
    raise NightshiftError(
        f"attention implementation {implementation!r} cannot share one prompt among several answers of more than one "
        "token; load the model with attn_implementation='sdpa'"
    )


def _last_of_prompt(hidden_NLD: Tensor, real_NR: Tensor) -> Tensor:
    """Float[N, 1, D] hidden states at each prompt's last real place."""
    places_R = torch.arange(real_NR.shape[1], device=real_NR.device)
    last_N = places_R.masked_fill(~real_NR, -1).amax(dim=-1)
    return hidden_NLD[torch.arange(len(last_N), device=last_N.device), last_N][:, None]


def _places(chains: _Chains, tokens: int) -> Tensor:
    """Int[N, G, T]: which scored place each token follows: 0 is the prompt's end, the rest are the chains'."""
    fed = chains.tokens_NCF.shape[-1]
    steps_T = torch.arange(tokens, device=chains.of_completion_NG.device)
    behind_NGT = 1 + chains.of_completion_NG[..., None] * fed + (steps_T - 1).clamp(max=max(fed - 1, 0))
    return torch.where(steps_T == 0, 0, behind_NGT).clamp(max=chains.tokens_NCF[0].numel())
