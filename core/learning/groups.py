"""Groups of answers to one example, and what each answer is worth beside the others of its group.

Axes: N examples, K answers of the closed set, G sampled answers of a group. A group over a closed set is kept as a
weight per answer: its probability where the group is exact, its share of the sample where it is sampled. Both then
go through the same loss.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import one_hot

__all__ = [
    "Groups",
    "RewardScale",
    "draw_answers",
    "exact_groups",
    "group_advantages",
    "groups_with_variance",
    "sampled_groups",
    "weighted_groups",
]

RewardScale: TypeAlias = Literal["none", "group", "batch"]
"""What advantages are divided by: nothing, or the deviation of the group's or the whole batch's rewards."""

SCALE_FLOOR = 1e-4
"""Added to a deviation before it divides, as TRL adds it."""


@dataclass(frozen=True)
class Groups:
    """N groups over K answers. Nothing here carries a gradient."""

    weights_NK: Tensor
    "Share of the group each answer has; sums to 1 over scored answers, all 0 where nothing was scored."
    advantages_NK: Tensor
    "Reward minus the group's mean; 0 in groups without variance and for unscored answers."
    mean_rewards_N: Tensor
    "Mean reward of the group; NaN where nothing was scored."
    has_variance_N: Tensor
    "False where all rewards of a group are equal: such a group is dropped, that is, it moves nothing."


def exact_groups(logprobs_NK: Tensor, rewards_NK: Tensor) -> Groups:
    """All K answers, each weighted by its present probability.

    A_k = r_k - sum_j p_j r_j. The policy gradient sum_k p_k A_k grad log p_k is then the gradient of the expected
    reward itself, without sampling noise. Where rewards are missing (NaN) the probabilities are renormalised over
    the answers that have one, which gives the gradient of the expected reward given such an answer.
    """
    scored_NK = ~torch.isnan(rewards_NK)
    weights_NK = torch.softmax(logprobs_NK.detach().masked_fill(~scored_NK, float("-inf")), dim=-1)
    return weighted_groups(torch.nan_to_num(weights_NK, nan=0.0), rewards_NK)


def sampled_groups(logprobs_NK: Tensor, rewards_NK: Tensor, group_size: int, generator: torch.Generator) -> Groups:
    """`group_size` answers drawn from the policy, each worth its reward minus the group's mean.

    The mean is not divided into the group's deviation (Dr. GRPO, arXiv:2503.20783, section 3.1: that would blow up
    groups whose rewards hardly differ). As each answer is part of the mean it is compared with, the gradient is in
    expectation (G - 1) / G of the exact one (section 3.2 there). Answers without a reward leave the group.
    """
    drawn_NG = draw_answers(logprobs_NK, group_size, generator)
    counts_NK = one_hot(drawn_NG, logprobs_NK.shape[1]).sum(dim=1).to(logprobs_NK.dtype)
    counts_NK = counts_NK.masked_fill(torch.isnan(rewards_NK), 0.0)
    return weighted_groups(counts_NK / counts_NK.sum(dim=-1, keepdim=True).clamp(min=1.0), rewards_NK)


def draw_answers(logprobs_NK: Tensor, group_size: int, generator: torch.Generator) -> Tensor:
    """Int[N, G] answers drawn independently from each row's distribution."""
    return torch.multinomial(logprobs_NK.detach().exp(), group_size, replacement=True, generator=generator)


def group_advantages(rewards_NG: Tensor, scale: RewardScale = "none") -> Tensor:
    """Float[N, G]: reward minus the mean of the group, scaled; 0 where a reward is missing (NaN), and in groups in
    which all rewards are equal.

    "group" divides by the group's deviation (arXiv:2402.03300, section 4.1.2), which blows small noise up to full
    size; "batch" by that of all N G rewards; "none" by nothing (arXiv:2503.20783). Deviations are of a sample (n - 1).
    """
    advantages_NG = rewards_NG - rewards_NG.nanmean(dim=1, keepdim=True)
    if scale == "group":
        advantages_NG = advantages_NG / (_deviation(rewards_NG) + SCALE_FLOOR)
    elif scale == "batch":
        advantages_NG = advantages_NG / (_deviation(rewards_NG.reshape(1, -1)) + SCALE_FLOOR)
    return advantages_NG.nan_to_num(nan=0.0).masked_fill(~groups_with_variance(rewards_NG)[:, None], 0.0)


def groups_with_variance(rewards_NG: Tensor) -> Tensor:
    """Bool[N]: false where all rewards of a group are equal, or it has none: such a group moves nothing."""
    missing_NG = rewards_NG.isnan()
    highest_N = rewards_NG.masked_fill(missing_NG, float("-inf")).amax(dim=1)
    # Compared exactly: a deviation of rounding errors must not count as variance.
    return highest_N > rewards_NG.masked_fill(missing_NG, float("inf")).amin(dim=1)


def _deviation(rewards_NG: Tensor) -> Tensor:
    """Float[N, 1] deviations over the rewards that are there; NaN with fewer than two."""
    count_N1 = (~rewards_NG.isnan()).sum(dim=1, keepdim=True)
    squares_NG = (rewards_NG - rewards_NG.nanmean(dim=1, keepdim=True)) ** 2
    return (squares_NG.nansum(dim=1, keepdim=True) / (count_N1 - 1)).sqrt()


def weighted_groups(weights_NK: Tensor, rewards_NK: Tensor) -> Groups:
    """Groups in which each answer has the given share; shares of unscored answers must be 0."""
    in_group_NK = weights_NK > 0
    known_NK = torch.nan_to_num(rewards_NK, nan=0.0)
    means_N = (weights_NK * known_NK).sum(dim=-1)
    highest_N = known_NK.masked_fill(~in_group_NK, float("-inf")).amax(dim=-1)
    lowest_N = known_NK.masked_fill(~in_group_NK, float("inf")).amin(dim=-1)
    # Compared exactly: a deviation of rounding errors must not count as variance.
    has_variance_N = highest_N > lowest_N
    advantages_NK = (known_NK - means_N[:, None]).masked_fill(torch.isnan(rewards_NK), 0.0)
    return Groups(
        weights_NK=weights_NK,
        advantages_NK=advantages_NK.masked_fill(~has_variance_N[:, None], 0.0),
        mean_rewards_N=means_N.masked_fill(~in_group_NK.any(dim=-1), float("nan")),
        has_variance_N=has_variance_N,
    )
