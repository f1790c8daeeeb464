"""What each part of a reward says of a step, by its name: what is trained on is their mix, in which one can hide."""

from collections.abc import Sequence

import torch
from torch import Tensor

from core.learning.items import TrainingItem

__all__ = ["PREFIX", "rewards_by_name"]

PREFIX = "reward/"


def rewards_by_name(items: Sequence[TrainingItem], logprobs_NK: Tensor) -> dict[str, float]:
    """`reward/<name>`: the part's expectation under the policy, over the answers it scored, as a mean over the items of
    which it scored any. A part that scored none of them is left out."""
    found = {}
    for name in sorted({name for item in items for name in item.reward_parts}):
        none = (None,) * logprobs_NK.shape[1]
        told = [item.reward_parts.get(name, none) for item in items]
        parts_NK = torch.tensor([[float("nan") if part is None else part for part in parts] for parts in told])
        scored_NK = ~parts_NK.isnan()
        scored_N = scored_NK.any(dim=1)
        if scored_N.any():
            shares_NK = torch.softmax(logprobs_NK.detach().float().cpu().masked_fill(~scored_NK, float("-inf")), dim=1)
            expected_N = (shares_NK * parts_NK).nansum(dim=1)
            found[PREFIX + name] = float(expected_N[scored_N].mean())
    return found
