"""How noisy a step's gradient is with sampled groups, beside exact ones."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.services.bench.variance import GROUP_SIZES, gradient_noise


def noise(seed: int, *, items: int = 6, batch: int = 4, steps: int = 4000) -> dict[str, dict[str, dict[str, float]]]:
    generator = torch.Generator().manual_seed(seed)
    logprobs_NK = torch.log_softmax(torch.randn(items, 3, generator=generator, dtype=torch.float64), dim=-1)
    rewards_NK = torch.rand(items, 3, generator=generator, dtype=torch.float64)
    # Of a table of logits: d log p_k / d logits = onehot_k - p.
    blocks = torch.eye(3, dtype=torch.float64) - logprobs_NK.exp()[:, None]
    gradients_NKP = torch.stack(
        [torch.nn.functional.pad(b, (3 * i, 3 * (items - 1 - i))) for i, b in enumerate(blocks)]
    )
    return gradient_noise(logprobs_NK, rewards_NK, gradients_NKP, batch=batch, steps=steps, seed=seed)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**16))
def test_sampled_groups_are_noisier_than_exact_ones_and_less_so_the_larger_they_are(seed: int) -> None:
    found = noise(seed)
    of_sampled = [found["sampled"][str(size)] for size in GROUP_SIZES]
    ratios = [each["trace_ratio"] for each in of_sampled]
    assert ratios == sorted(ratios, reverse=True) and ratios[-1] > 1
    cosines = [each["cosine"] for each in of_sampled]
    assert cosines == sorted(cosines) and cosines[-1] < found["exact"]["cosine"] <= 1


def test_what_sampling_adds_falls_as_one_over_the_answers_less_one() -> None:
    found = noise(0, steps=40_000)["sampled"]
    added = {size: found[str(size)]["sampling_alone"] * (size - 1) for size in (5, 16)}
    assert added[5] == pytest.approx(added[16], rel=0.15)


def test_both_kinds_of_group_expect_the_same_gradient() -> None:
    assert all(each["expected_rel_diff"] < 0.06 for each in noise(1, steps=40_000)["sampled"].values())
