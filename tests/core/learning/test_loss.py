import math

import pytest
import torch
from linear_policy import item

from core.learning import Targets, closed_set_loss, exact_groups
from core.settings import LearningSettings

SETTINGS = LearningSettings(gradient_weight=0.7, likelihood_weight=1.3, kl_weight=0.2, entropy_weight=0.05)


def log_softmax(rows):
    return torch.log_softmax(torch.tensor(rows, dtype=torch.float64), dim=-1)


def loss_of(items, logprobs_NK, reference_NK, settings=SETTINGS):
    targets = Targets.of(items, reference_NK)
    return closed_set_loss(logprobs_NK, exact_groups(logprobs_NK, targets.rewards_NK), targets, settings)


def written_from_the_formula(items, logprobs, references, settings):
    """The loss of the module's docstring, one example after another, without a tensor in sight."""
    total = 0.0
    mean_weight = sum(each.weight for each in items) / len(items)
    for each, log_p, log_c in zip(items, logprobs.tolist(), references.tolist(), strict=True):
        p = [math.exp(x) for x in log_p]
        rewards = [float(k == each.label) for k in range(len(p))] if each.label is not None else each.rewards
        scored = [k for k, reward in enumerate(rewards) if reward is not None]
        mass = sum(p[k] for k in scored)
        mean = sum(p[k] * rewards[k] for k in scored) / mass if scored else 0.0
        gradient = -sum(p[k] / mass * (rewards[k] - mean) * log_p[k] for k in scored)
        likelihood = 0.0 if each.label is None else -each.label_weight * log_p[each.label]
        kl = sum(p[k] * (log_p[k] - log_c[k]) for k in range(len(p)))
        entropy = -sum(p[k] * log_p[k] for k in range(len(p)))
        total += (each.weight / mean_weight) * (
            settings.gradient_weight * gradient
            + settings.likelihood_weight * likelihood
            + settings.kl_weight * kl
            - settings.entropy_weight * entropy
        )
    return total / len(items)


def mixed_items():
    return [
        item("judged", rewards=(0.9, 0.2, 0.1), origin="judged"),
        item("labelled", rewards=(0.9, None, 0.1), label=1, label_weight=2.0, weight=3.0),
        item("half scored", rewards=(None, 0.4, 0.8), origin="judged", weight=0.5),
        item("unscored", origin="judged"),
    ]


def test_the_loss_is_what_the_formula_says():
    logprobs = log_softmax([[0.1, 1.0, -0.3], [2.0, -1.0, 0.5], [0.3, 0.2, 0.1], [-1.0, 0.0, 1.0]])
    references = log_softmax([[0.0, 0.8, 0.1], [1.0, 0.0, 0.0], [0.3, 0.2, 0.1], [0.0, 0.0, 0.0]])
    loss, parts = loss_of(mixed_items(), logprobs, references)
    assert loss.item() == pytest.approx(written_from_the_formula(mixed_items(), logprobs, references, SETTINGS))
    assert parts["loss"].item() == loss.item()
    assert parts["unscored"].item() == pytest.approx(1 / 4)


def test_the_divergence_is_zero_where_policy_and_champion_agree():
    logprobs = log_softmax([[0.1, 1.0, -0.3], [2.0, -1.0, 0.5]])
    _, parts = loss_of(mixed_items()[:2], logprobs, logprobs.clone())
    assert parts["kl"].item() == 0


def test_a_label_overrides_every_reward():
    logprobs = log_softmax([[0.1, 1.0, -0.3]])
    cheated = item("asked", rewards=(1.0, 0.0, 1.0), label=1)
    plain = item("asked", rewards=(None, None, None), label=1)
    losses = [loss_of([each], logprobs, logprobs)[0].item() for each in (cheated, plain)]
    assert losses[0] == losses[1]


def test_an_item_without_any_reward_has_no_policy_gradient():
    logits = torch.tensor([[0.4, -0.2, 0.9]], requires_grad=True)
    logprobs = torch.log_softmax(logits, dim=-1)
    only_rewards = SETTINGS.model_copy(update={"kl_weight": 0.0, "entropy_weight": 0.0})
    loss, parts = loss_of([item("unscored", origin="judged")], logprobs, logprobs.detach(), only_rewards)
    loss.backward()
    assert logits.grad.abs().max() == 0
    assert math.isnan(parts["reward"]) and math.isnan(parts["zero_variance"])


def test_the_likelihood_still_pulls_where_the_policy_is_sure_and_wrong():
    logits = torch.tensor([[30.0, 0.0, 0.0]], dtype=torch.float64)
    pulls = {}
    for name, gradient_weight, likelihood_weight in (("policy gradient", 1.0, 0.0), ("likelihood", 0.0, 1.0)):
        weights = {"gradient_weight": gradient_weight, "likelihood_weight": likelihood_weight}
        only = SETTINGS.model_copy(update={**weights, "kl_weight": 0.0, "entropy_weight": 0.0})
        free = logits.clone().requires_grad_()
        logprobs = torch.log_softmax(free, dim=-1)
        loss_of([item("wrong", label=1)], logprobs, logprobs.detach(), only)[0].backward()
        pulls[name] = -free.grad[0, 1].item()
    assert pulls["policy gradient"] < 1e-9
    assert pulls["likelihood"] == pytest.approx(1.0)


def test_importance_counts_relative_to_the_batch_only():
    logprobs = log_softmax([[0.1, 1.0, -0.3], [2.0, -1.0, 0.5]])
    light, heavy = ([item("a", label=0, weight=w), item("b", label=1, weight=2 * w)] for w in (0.1, 7.0))
    assert loss_of(light, logprobs, logprobs)[0].item() == pytest.approx(loss_of(heavy, logprobs, logprobs)[0].item())


def test_groups_without_variance_are_counted_among_the_scored_ones():
    rows = [item("flat", rewards=(0.5, 0.5, 0.5), origin="judged"), item("labelled", label=0), item("unscored")]
    logprobs = log_softmax([[0.0, 0.1, 0.2]] * 3)
    _, parts = loss_of(rows, logprobs, logprobs)
    assert parts["zero_variance"].item() == pytest.approx(1 / 2)
    assert parts["label_accuracy"].item() == 0
