"""What a step minimises: from the log-probabilities of a forward to a loss.

The two objectives over a closed answer set share a forward in which each prompt is encoded once however large its
group is: the answers are known, so a group is drawn from what that same forward says of them, and no second one is
needed. Free text (`core.learning.free_text`) draws first. All are plain torch; the trainer (`core.learning.trainer`)
only calls them.

Axes: M items of the training, N items of the batch, K answers, T tokens of an answer, G answers of a group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import torch
from torch import Tensor

from core.learning.entropy import EntropyBonus, mean_entropy
from core.learning.groups import draw_answers, exact_groups, group_advantages, groups_with_variance, sampled_groups
from core.learning.items import Targets
from core.learning.loss import answer_shares, closed_set_loss
from core.learning.scoring import score_tokens
from core.learning.token_loss import token_divergence, token_loss
from core.policy import Features, Policy
from core.schema import NightshiftError
from core.settings import LearningSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = [
    "ClosedSetObjective",
    "Drawn",
    "Figures",
    "Mismatch",
    "Objective",
    "TokenObjective",
    "alone",
    "answers_of_tokens",
    "reward_shares",
    "token_mask",
]

Figures: TypeAlias = "dict[str, Tensor]"
Drawn: TypeAlias = "dict[str, Tensor]"


@dataclass(frozen=True)
class Mismatch:
    """How far two computations of the same log-probabilities are apart."""

    nats: Tensor
    says: str
    "Which two, for a person."


class Objective(Protocol):
    """A loss over what the policy says of the answers."""

    over_processes: "Callable[[Tensor], Tensor]"
    "The mean of a scalar over all processes; the trainer sets it where there are several."
    entropy: EntropyBonus
    sampling: torch.Generator
    "What answers are drawn with."

    @property
    def forward(self) -> "Callable[[Features], Any]":
        """What the objective wants to know of a batch of features."""
        ...

    def draw(self, rows_N: Tensor, step: int, /) -> Drawn:
        """What the loss of the items `rows_N` needs besides the policy, each tensor with N as its first axis.

        `step` counts from 0.
        """
        ...

    def beside(self, drawn: Drawn, /) -> Features:
        """What of it `forward` needs, beside the items' features."""
        ...

    def __call__(self, scores: Any, drawn: Drawn, /) -> tuple[Tensor, Figures]:
        """The scalar loss of what was drawn, for which `forward` gave `scores`, and its parts, detached."""
        ...

    def mismatch(self, scores: Any, drawn: Drawn, step: int, /) -> Mismatch | None:
        """How far two computations of the same log-probabilities are apart; None where nothing is compared."""
        ...

    def state(self) -> tuple[Figures, dict[str, Any]]:
        """Tensors and numbers, besides weights and optimiser, that the next step depends on."""
        ...

    def restore(self, tensors: "Mapping[str, Tensor]", numbers: "Mapping[str, Any]", /) -> None:
        """Puts back what `state` gave."""
        ...

    def answers(self, scores: Any, /) -> Tensor:
        """Float[N, K]: the log-probabilities of whole answers; K is 0 in free text."""
        ...

    def with_more(self, targets: Targets, features: Sequence[Features], /) -> "Callable[[], None]":
        """What makes these the targets of all items, the last of which have these features. Asked of the champion."""
        ...


class _Known:
    """What objectives over a closed set have in common: the answers are known, so nothing is drawn beforehand."""

    _reference: Tensor
    "The champion's scores of all items."

    def draw(self, rows_N: Tensor, step: int) -> Drawn:  # noqa: ARG002
        return {"rows_N": rows_N}

    def beside(self, drawn: Drawn) -> Features:  # noqa: ARG002
        return {}

    def mismatch(self, scores: Tensor, drawn: Drawn, step: int) -> Mismatch | None:
        """Only before the first step are the champion's scores those of the weights that train."""
        if step > 0:
            return None
        nats = (scores.detach() - self._reference[drawn["rows_N"]]).abs().amax()
        return Mismatch(nats, "the trainer's forward differs from the champion's scores of the same items")

    def state(self) -> tuple[Figures, dict[str, Any]]:
        return {}, {}

    def restore(self, tensors: "Mapping[str, Tensor]", numbers: "Mapping[str, Any]") -> None:
        pass


class ClosedSetObjective(_Known):
    """Whole answers: `closed_set_loss` over exact or sampled groups."""

    def __init__(self, policy: Policy, targets: Targets, settings: LearningSettings, seed: int) -> None:
        """`targets` of the M items, on the policy's device."""
        self.forward = policy.answer_logprobs
        self.over_processes: Callable[[Tensor], Tensor] = alone
        self._targets, self._settings = targets, settings
        self._reference = targets.reference_NK
        self.entropy = EntropyBonus(settings, mean_entropy(targets.reference_NK))
        self.sampling = torch.Generator(device=policy.model.device).manual_seed(seed % 2**63)

    def __call__(self, logprobs_NK: Tensor, drawn: Drawn) -> tuple[Tensor, Figures]:
        targets = self._targets.take(drawn["rows_N"])
        if self._settings.groups == "exact":
            groups = exact_groups(logprobs_NK, targets.rewards_NK)
        else:
            groups = sampled_groups(logprobs_NK, targets.rewards_NK, self._settings.group_size, self.sampling)
        mean_weight = self.over_processes(targets.weights_N.mean())
        loss, figures = closed_set_loss(logprobs_NK, groups, targets, self._settings, self.entropy.weight, mean_weight)
        self.entropy.observe(float(self.over_processes(figures["entropy"])))
        return loss, figures

    def answers(self, logprobs_NK: Tensor) -> Tensor:
        return logprobs_NK

    def with_more(self, targets: Targets, features: Sequence[Features]) -> "Callable[[], None]":  # noqa: ARG002
        def change() -> None:
            self._targets, self._reference = targets, targets.reference_NK

        return change


class TokenObjective(_Known):
    """The tokens of answers drawn from the policy: TRL's loss of the same name (`settings.objective`).

    With `likelihood_weight` and `entropy_weight` 0 and items of equal weight it is TRL's loss and nothing else.
    """

    def __init__(
        self, policy: Policy, targets: Targets, reference_MKT: Tensor, settings: LearningSettings, seed: int
    ) -> None:
        """`reference_MKT` are the champion's token log-probabilities of the M items' answers."""
        self._policy = policy
        self.forward = policy.answer_token_logprobs
        self.over_processes: Callable[[Tensor], Tensor] = alone
        self._targets, self._reference, self._settings = targets, reference_MKT, settings
        self.entropy = EntropyBonus(settings, mean_entropy(targets.reference_NK))
        self._mask_KT = token_mask(policy, settings).to(policy.model.device)
        self.sampling = torch.Generator(device=policy.model.device).manual_seed(seed % 2**63)

    def __call__(self, logprobs_NKT: Tensor, drawn: Drawn) -> tuple[Tensor, Figures]:
        drawn_NG = draw_answers(answers_of_tokens(logprobs_NKT), self._settings.group_size, self.sampling)
        return self.loss(logprobs_NKT, drawn["rows_N"], drawn_NG)

    def answers(self, logprobs_NKT: Tensor) -> Tensor:
        return answers_of_tokens(logprobs_NKT)

    def with_more(self, targets: Targets, features: Sequence[Features]) -> "Callable[[], None]":
        said_NKT = [score_tokens(self._policy, features, self._settings.batch_size)] if features else []
        reference_MKT = torch.cat([self._reference, *(each.to(self._reference) for each in said_NKT)])

        def change() -> None:
            self._targets, self._reference = targets, reference_MKT

        return change

    def loss(self, logprobs_NKT: Tensor, rows_N: Tensor, drawn_NG: Tensor) -> tuple[Tensor, Figures]:
        """The loss for the given answers, Int[N, G], in place of drawn ones.

        Figures are those of `closed_set_loss`, but that `policy_gradient` has the divergence in it, and `kl` is its
        mean over the tokens drawn.
        """
        if self._settings.objective == "closed_set":
            raise ValueError("closed_set is no loss over tokens")
        targets = self._targets.take(rows_N)
        importance_N = targets.weights_N / self.over_processes(targets.weights_N.mean())
        rewards_NG = targets.rewards_NK.gather(1, drawn_NG)
        reference_NKT = self._reference[rows_N]
        over_tokens = token_loss(
            self._settings.objective,
            take_answers(logprobs_NKT, drawn_NG),
            self._mask_KT[drawn_NG],
            self._settings.gradient_weight * group_advantages(rewards_NG, self._settings.scale_rewards),
            longest=self._mask_KT.shape[1],
            reference_NGT=take_answers(reference_NKT, drawn_NG),
            beta=self._settings.kl_weight,
            weights_N=importance_N,
            tokens_a_process=self.over_processes(self._mask_KT[drawn_NG].sum().float()),
        )
        answers_NK = answers_of_tokens(logprobs_NKT)
        likelihood_N = -(targets.label_weights_N * _labels(logprobs_NKT.sum(dim=-1), targets.labels_N))
        entropy_N = -(answers_NK.exp() * answers_NK).sum(dim=-1)
        likelihood, entropy = ((importance_N * each_N).mean() for each_N in (likelihood_N, entropy_N))
        loss = over_tokens + self._settings.likelihood_weight * likelihood - self.entropy.weight * entropy
        self.entropy.observe(float(self.over_processes(entropy.detach())))
        moved_NKT = token_divergence(logprobs_NKT.detach(), reference_NKT)
        figures = {
            "loss": loss,
            "policy_gradient": over_tokens,
            "likelihood": likelihood,
            "kl": take_answers(moved_NKT, drawn_NG)[self._mask_KT[drawn_NG]].mean(),
            "entropy": entropy,
            **reward_shares(rewards_NG),
            **answer_shares(answers_NK.detach(), targets.labels_N),
        }
        return loss, {name: value.detach() for name, value in figures.items()}


def token_mask(policy: Policy, settings: LearningSettings) -> Tensor:
    """Bool[K, T]: which places hold a token of each answer. Raises NightshiftError where answers have no tokens."""
    if policy.answer_mask_KT is None:
        raise NightshiftError(
            f"learning.objective {settings.objective!r} is a loss over tokens, and policy {policy.name!r} scores "
            'whole answers; it needs "closed_set"'
        )
    return policy.answer_mask_KT


def alone(value: Tensor) -> Tensor:
    """The mean over all processes where there is one."""
    return value


def answers_of_tokens(logprobs_NKT: Tensor) -> Tensor:
    """Float[N, K]: log-probabilities of whole answers, normalised over the closed set."""
    return torch.log_softmax(logprobs_NKT.sum(dim=-1), dim=-1)


def take_answers(values_NKT: Tensor, drawn_NG: Tensor) -> Tensor:
    """Float[N, G, T]: the values of the drawn answers."""
    return values_NKT.gather(1, drawn_NG[..., None].expand(-1, -1, values_NKT.shape[-1]))


def _labels(values_NK: Tensor, labels_N: Tensor) -> Tensor:
    """Float[N]: the label's value, 0 where there is no label."""
    return values_NK.gather(1, labels_N.clamp(min=0)[:, None]).squeeze(1).masked_fill(labels_N < 0, 0.0)


def reward_shares(rewards_NG: Tensor) -> Figures:
    """`reward`, `zero_variance` and `unscored` of `closed_set_loss`, of sampled groups."""
    scored_N = (~rewards_NG.isnan()).any(dim=1)
    return {
        "reward": rewards_NG.nanmean(dim=1)[scored_N].mean(),
        "zero_variance": (~groups_with_variance(rewards_NG))[scored_N].float().mean(),
        "unscored": (~scored_N).float().mean(),
    }
