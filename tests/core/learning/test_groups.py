import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.learning import exact_groups, sampled_groups
from core.learning.groups import weighted_groups

NAN = float("nan")


def logits_and_rewards(answers=4):
    number = st.floats(-4, 4, width=32)
    reward = st.one_of(st.just(NAN), st.floats(-1, 1, width=32))
    return st.tuples(
        st.lists(number, min_size=answers, max_size=answers), st.lists(reward, min_size=answers, max_size=answers)
    )


def policy_gradient(logits, groups):
    logprobs_NK = torch.log_softmax(logits, dim=-1)
    (groups.weights_NK * groups.advantages_NK * logprobs_NK).sum().backward()
    return logits.grad


@given(logits_and_rewards())
@settings(max_examples=60, deadline=None)
def test_the_exact_group_gives_the_gradient_of_the_expected_reward_over_the_scored_answers(drawn):
    values, rewards = drawn
    rewards_K = torch.tensor(rewards, dtype=torch.float64)
    logits = torch.tensor([values], dtype=torch.float64, requires_grad=True)
    estimate = policy_gradient(logits, exact_groups(torch.log_softmax(logits, -1), rewards_K[None]))

    scored = ~torch.isnan(rewards_K)
    truth = torch.zeros_like(estimate)
    if scored.any():
        again = logits.detach().clone().requires_grad_()
        among_scored = torch.softmax(again[0, scored], dim=-1)
        (among_scored * rewards_K[scored]).sum().backward()
        truth = again.grad
    assert torch.allclose(estimate, truth, atol=1e-9)


@given(logits_and_rewards())
@settings(max_examples=60, deadline=None)
def test_the_weighted_advantages_of_a_group_sum_to_nothing(drawn):
    values, rewards = drawn
    logprobs_NK = torch.log_softmax(torch.tensor([values]), -1)
    rewards_NK = torch.tensor([rewards])
    for groups in (
        exact_groups(logprobs_NK, rewards_NK),
        sampled_groups(logprobs_NK, rewards_NK, 5, torch.Generator().manual_seed(1)),
    ):
        assert (groups.weights_NK * groups.advantages_NK).sum().abs() < 1e-6
        assert torch.isfinite(groups.advantages_NK).all()


@pytest.mark.parametrize("group_size", [2, 5])
def test_sampled_groups_expect_the_exact_gradient_shrunk_by_their_own_share_in_the_mean(group_size):
    groups_drawn = 200_000
    logits = torch.tensor([0.5, -1.0, 0.2, 1.1], dtype=torch.float64)
    rewards_K = torch.tensor([1.0, 0.0, 0.4, 0.7], dtype=torch.float64)
    logprobs_NK = torch.log_softmax(logits, -1).expand(groups_drawn, -1)
    groups = sampled_groups(
        logprobs_NK, rewards_K.expand(groups_drawn, -1), group_size, torch.Generator().manual_seed(0)
    )
    # d log p_k / d logits = onehot_k - p, so each group's gradient is known in closed form.
    pushes_NK = groups.weights_NK * groups.advantages_NK
    gradients_NK = pushes_NK - pushes_NK.sum(-1, keepdim=True) * logprobs_NK.exp()

    single = logits[None].clone().requires_grad_()
    exact = policy_gradient(single, exact_groups(torch.log_softmax(single, -1), rewards_K[None]))[0]
    expected = (group_size - 1) / group_size * exact
    deviation = gradients_NK.std(dim=0) / math.sqrt(groups_drawn)
    assert ((gradients_NK.mean(dim=0) - expected).abs() < 5 * deviation).all()


def test_a_group_without_variance_moves_nothing_and_is_known_as_such():
    logprobs_NK = torch.log_softmax(torch.randn(3, 3, generator=torch.Generator().manual_seed(0)), -1)
    rewards_NK = torch.tensor([[0.7, 0.7, 0.7], [NAN, 0.1, NAN], [1.0, 0.0, 0.3]])
    groups = exact_groups(logprobs_NK, rewards_NK)
    assert groups.has_variance_N.tolist() == [False, False, True]
    assert groups.advantages_NK[:2].tolist() == [[0, 0, 0], [0, 0, 0]]


def test_missing_rewards_are_neutral_and_never_a_zero():
    logprobs_NK = torch.log(torch.tensor([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2]]))
    groups = exact_groups(logprobs_NK, torch.tensor([[0.8, NAN, 0.4], [NAN, NAN, NAN]]))
    assert groups.mean_rewards_N[0].item() == pytest.approx((0.5 * 0.8 + 0.2 * 0.4) / 0.7)
    assert groups.advantages_NK[0, 1] == 0 and groups.weights_NK[0, 1] == 0
    assert torch.isnan(groups.mean_rewards_N[1])
    assert groups.weights_NK[1].tolist() == [0, 0, 0]


def test_a_sample_that_drew_one_answer_only_has_no_variance():
    logprobs_NK = torch.log_softmax(torch.tensor([[50.0, 0.0, 0.0]]), -1)
    groups = sampled_groups(logprobs_NK, torch.tensor([[0.3, 0.9, 0.1]]), 5, torch.Generator().manual_seed(0))
    assert not groups.has_variance_N.any()
    assert groups.mean_rewards_N.item() == pytest.approx(0.3)


def test_the_same_generator_draws_the_same_sample():
    logprobs_NK = torch.log_softmax(torch.randn(50, 4, generator=torch.Generator().manual_seed(3)), -1)
    rewards_NK = torch.rand(50, 4, generator=torch.Generator().manual_seed(4))
    first, second = (
        sampled_groups(logprobs_NK, rewards_NK, 5, torch.Generator().manual_seed(9)).weights_NK for _ in range(2)
    )
    assert torch.equal(first, second)


def gradient_of(logits_NK, groups):
    """Of the policy-gradient part of the loss, in the logits."""
    logits_NK = logits_NK.detach().requires_grad_()
    logprobs_NK = torch.log_softmax(logits_NK, dim=-1)
    return torch.autograd.grad(-(groups.weights_NK * groups.advantages_NK * logprobs_NK).sum(), logits_NK)[0]


@pytest.mark.parametrize("group_size", [2, 3, 5])
def test_the_exact_gradient_is_what_sampled_ones_are_worth_on_average(group_size):
    """Over every group that can be drawn, weighted by its probability: no sampling error in this test."""
    logits_NK = torch.tensor([[0.3, -0.2, 0.9]], dtype=torch.float64)
    rewards_NK = torch.tensor([[0.2, 1.0, 0.5]], dtype=torch.float64)
    logprobs_K = torch.log_softmax(logits_NK, dim=-1)[0]
    exact_NK = gradient_of(logits_NK, exact_groups(logprobs_K[None], rewards_NK))
    expected_NK, spread_NK = torch.zeros_like(exact_NK), torch.zeros_like(exact_NK)
    for drawn in itertools.product(range(3), repeat=group_size):
        counts_NK = torch.bincount(torch.tensor(drawn), minlength=3)[None].double()
        sampled_NK = gradient_of(logits_NK, weighted_groups(counts_NK / group_size, rewards_NK))
        probability = math.exp(sum(float(logprobs_K[k]) for k in drawn))
        expected_NK += probability * sampled_NK
        spread_NK += probability * sampled_NK**2
    # Each answer is part of the mean it is compared with, which takes 1 / G of the gradient away.
    torch.testing.assert_close(expected_NK, (group_size - 1) / group_size * exact_NK)
    # The exact group has no variance; the sampled one has, even when scaled up to the same expectation.
    assert ((spread_NK - expected_NK**2) > 0.001).all()
