"""The loss of a closed answer set, in plain torch.

For one example with log-probabilities l_k of the policy and c_k of the champion, group weights w_k and advantages
A_k (`core.learning.groups`) and, where a person spoke, the label y with weight u:

    policy gradient   -sum_k w_k A_k l_k        REINFORCE over the group, arXiv:2402.03300 (GRPO) with one update per
                                                group, so that its ratio is 1 and its clip idle; with exact groups
                                                w_k = p_k, and the gradient is that of -E_p[r] in full
    likelihood        -u l_y                    where the student is surest and wrong p_y is near 0, and with it the
                                                policy gradient; this term is not
    divergence        sum_k p_k (l_k - c_k)     KL(policy || champion), exact over the closed set, in place of the
                                                sampled estimator of arXiv:2402.03300, equation 4
    entropy           -sum_k p_k l_k            subtracted: a bonus

Advantages are not divided by the group's deviation (Dr. GRPO, arXiv:2503.20783). The loss of a batch is the mean of
its examples' losses, weighted by the importance of each, where the weights of a batch have mean 1. A group without
variance stays in that mean with nothing to say, so that what is expected of a step does not hang on who is in it.
"""

import torch
from torch import Tensor

from core.learning.groups import Groups
from core.learning.items import Targets
from core.settings import LearningSettings

__all__ = ["PARTS", "answer_shares", "closed_set_loss"]

PARTS = (
    "loss",
    "policy_gradient",
    "likelihood",
    "kl",
    "entropy",
    "reward",
    "zero_variance",
    "unscored",
    "label_accuracy",
    "label_share",
    "answer_share",
)
"""Names of the figures that come with the loss."""


def closed_set_loss(
    logprobs_NK: Tensor,
    groups: Groups,
    targets: Targets,
    settings: LearningSettings,
    entropy_weight: float | None = None,
    mean_weight: Tensor | None = None,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The scalar loss of N examples, and the parts it is made of as detached scalars.

    Parts: `loss`; `policy_gradient`, `likelihood`, `kl`, `entropy` in nats, before their weights; `reward` (mean
    over scored groups, NaN without one); `zero_variance` (share of scored groups that have none); `unscored` (share
    of groups in which nothing was scored); `label_accuracy` (share of labels the policy finds most probable, NaN
    without one); `answer_share` (mean probability of the answer that has most of it over the batch); `label_share`
    (share of labels that are this answer, NaN without one). `entropy_weight` is that of the settings if left out,
    `mean_weight` (of the items of the whole batch, on all processes) that of these N.
    """
    importance_N = targets.weights_N / (targets.weights_N.mean() if mean_weight is None else mean_weight)
    probabilities_NK = logprobs_NK.exp()
    labelled_N = targets.labels_N >= 0
    label_logprobs_N = logprobs_NK.gather(1, targets.labels_N.clamp(min=0)[:, None]).squeeze(1)
    per_item = {
        "policy_gradient": -(groups.weights_NK * groups.advantages_NK * logprobs_NK).sum(dim=-1),
        "likelihood": -(targets.label_weights_N * label_logprobs_N.masked_fill(~labelled_N, 0.0)),
        "kl": (probabilities_NK * (logprobs_NK - targets.reference_NK)).sum(dim=-1),
        "entropy": -(probabilities_NK * logprobs_NK).sum(dim=-1),
    }
    means = {name: (importance_N * value_N).mean() for name, value_N in per_item.items()}
    loss = (
        settings.gradient_weight * means["policy_gradient"]
        + settings.likelihood_weight * means["likelihood"]
        + settings.kl_weight * means["kl"]
        - (settings.entropy_weight if entropy_weight is None else entropy_weight) * means["entropy"]
    )
    parts = {"loss": loss, **means, **_shares(logprobs_NK, groups, targets.labels_N)}
    return loss, {name: value.detach() for name, value in parts.items()}


def _shares(logprobs_NK: Tensor, groups: Groups, labels_N: Tensor) -> dict[str, Tensor]:
    scored_N = ~torch.isnan(groups.mean_rewards_N)
    return {
        "reward": groups.mean_rewards_N[scored_N].mean(),
        "zero_variance": (~groups.has_variance_N[scored_N]).float().mean(),
        "unscored": (~scored_N).float().mean(),
        **answer_shares(logprobs_NK.detach(), labels_N),
    }


def answer_shares(logprobs_NK: Tensor, labels_N: Tensor) -> dict[str, Tensor]:
    """`label_accuracy`, `label_share` and `answer_share` of `closed_set_loss`."""
    labels = labels_N[labels_N >= 0]
    shares_K = logprobs_NK.exp().mean(dim=0)
    return {
        "label_accuracy": (logprobs_NK.argmax(dim=-1)[labels_N >= 0] == labels).float().mean(),
        "label_share": (labels == shares_K.argmax()).float().mean(),
        "answer_share": shares_K.amax(),
    }
