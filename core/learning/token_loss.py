"""GRPO's losses over the tokens of completions, in plain torch.

For a token with log-probability l, under the weights it was drawn with o, under the reference c, in a completion
with advantage A (`core.learning.groups.group_advantages`):

    ratio         exp(l - o)
    surrogate     -min(ratio A, clip(ratio, 1 - e, 1 + e) A)     arXiv:2402.03300 (GRPO), equation 3
    correction    min(exp(o - s), CORRECTION) surrogate          s by the engine that drew: truncated importance
                                                                 sampling (Ionides, J. Comput. Graph. Stat. 17, 2008)
    divergence    exp(c - l) - (c - l) - 1                       there, equation 4: never negative, KL in expectation
    token loss    surrogate + beta ratio divergence

The ratio before the divergence is 1 where the present weights drew, but has a gradient: with it the divergence's
gradient is that of KL(policy || reference) in expectation (arXiv:2512.02556, section 3.1), which is TRL's default.

The kinds differ in how token losses are averaged, and are named as TRL names them:

    grpo      mean over each completion's tokens, then over completions
    bnpo      mean over all tokens of the batch (of this process)
    dr_grpo   sum over tokens, divided by completions times the longest a completion may be (arXiv:2503.20783)
    dapo      mean over all tokens of the batch on all processes (arXiv:2503.14476, equation 8)
"""

from typing import Literal, TypeAlias

import torch
from torch import Tensor

__all__ = ["CLIP", "TokenLoss", "token_divergence", "token_loss"]

TokenLoss: TypeAlias = Literal["grpo", "bnpo", "dr_grpo", "dapo"]

CLIP = 0.2
CORRECTION = 2.0
"""A token counts at most this many times for being likelier by the trainer's arithmetic than by the engine's."""


def token_loss(
    kind: TokenLoss,
    logprobs_NGT: Tensor,
    mask_NGT: Tensor,
    advantages_NG: Tensor,
    *,
    longest: int,
    drawn_with_NGT: Tensor | None = None,
    engine_NGT: Tensor | None = None,
    reference_NGT: Tensor | None = None,
    beta: float = 0.0,
    weights_N: Tensor | None = None,
    tokens_a_process: Tensor | None = None,
) -> Tensor:
    """The scalar loss of G completions of N prompts.

    `longest` is the most tokens a completion may have. `drawn_with_NGT` are log-probabilities under the weights that
    drew; left out, the present ones did. `engine_NGT` are those that the engine which drew reports of the same weights;
    left out, it computes as the trainer does. `weights_N` weigh prompts, 1 each where left out. `tokens_a_process` is
    the number of tokens of the whole batch over the number of processes; left out, there is one process.
    """
    drawn_with_NGT = logprobs_NGT.detach() if drawn_with_NGT is None else drawn_with_NGT
    ratios_NGT = (logprobs_NGT - drawn_with_NGT).exp()
    advantages_NG1 = advantages_NG[..., None]
    losses_NGT = -torch.minimum(ratios_NGT * advantages_NG1, ratios_NGT.clamp(1 - CLIP, 1 + CLIP) * advantages_NG1)
    if engine_NGT is not None:
        losses_NGT = losses_NGT * (drawn_with_NGT - engine_NGT).exp().clamp(max=CORRECTION)
    if reference_NGT is not None and beta > 0:
        losses_NGT = losses_NGT + beta * ratios_NGT * token_divergence(logprobs_NGT, reference_NGT)
    if weights_N is not None:
        losses_NGT = losses_NGT * weights_N[:, None, None]
    losses_NGT = losses_NGT * mask_NGT
    if kind == "grpo":
        return (losses_NGT.sum(dim=-1) / mask_NGT.sum(dim=-1).clamp(min=1)).mean()
    if kind == "dr_grpo":
        return losses_NGT.sum() / (mask_NGT[..., 0].numel() * longest)
    tokens = tokens_a_process if kind == "dapo" and tokens_a_process is not None else mask_NGT.sum()
    return losses_NGT.sum() / tokens.clamp(min=1)


def token_divergence(logprobs_NGT: Tensor, reference_NGT: Tensor) -> Tensor:
    """Float[N, G, T] estimates of KL(policy || reference) from the tokens that were drawn ("k3")."""
    ahead_NGT = reference_NGT - logprobs_NGT
    return ahead_NGT.exp() - ahead_NGT - 1
