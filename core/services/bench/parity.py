"""Our token losses against stock TRL's: the same student, completions, rewards and reference on both sides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from core.learning import TrainingItem
from core.learning.free_text import FreeTextObjective
from core.learning.items import Targets
from core.learning.live_items import LiveItems
from core.learning.objectives import TokenObjective, answers_of_tokens
from core.learning.rewarding import Rewarding
from core.learning.rollouts import Asked, RolloutEngine
from core.learning.rollouts.base import Sampled, completions_of
from core.learning.scoring import collate, score_tokens
from core.learning.stock import StockGRPOTrainer, loss_and_gradients, stock_trainer
from core.policy import Completions, Library, Policy, Sampling
from core.policy.vlm.policy import VlmPolicy
from core.settings import LearningSettings

__all__ = ["Parity", "free_text_parity", "parity"]

MOVE = 0.2
"""Deviation of the noise that moves a student away from its reference, so that the divergence is not 0."""


@dataclass(frozen=True)
class Parity:
    """One update by both sides."""

    loss: float
    trl_loss: float
    gradient: Tensor
    "All gradients of trainable weights, in one vector."
    trl_gradient: Tensor

    @property
    def loss_rel_diff(self) -> float:
        return abs(self.loss - self.trl_loss) / abs(self.trl_loss)

    @property
    def grad_rel_diff(self) -> float:
        """Norm of the difference over the norm of TRL's."""
        return float((self.gradient - self.trl_gradient).norm() / self.trl_gradient.norm())


def parity(
    student: Callable[[], VlmPolicy],
    items: Sequence[TrainingItem],
    library: Library,
    settings: LearningSettings,
    *,
    seed: int,
    scratch: Path,
) -> Parity:
    """Both losses and gradients for one batch of all `items`, each with the same drawn answers on both sides.

    `student` makes the reference, the same at each call; both sides then train the same student moved away from it.
    """
    ours, theirs = student(), student()
    features = ours.encode([item.example for item in items], library)
    reference_MKT = score_tokens(ours, features, len(items))
    generator = torch.Generator().manual_seed(seed)
    drawn_NG = torch.randint(len(items[0].rewards), (len(items), settings.group_size), generator=generator)
    for policy in (ours, theirs):
        _move(policy, seed)
    targets = Targets.of(items, answers_of_tokens(reference_MKT))
    objective = TokenObjective(ours, targets, reference_MKT, settings, seed)
    logprobs_NKT = ours.answer_token_logprobs(collate(ours, features))
    loss, _ = objective.loss(logprobs_NKT, torch.arange(len(items)), drawn_NG)
    loss.backward()
    trainer = stock_trainer(
        theirs, items, library, settings, seed=seed, output_dir=scratch, completions=_completions(theirs, drawn_NG)
    )
    return Parity(float(loss.detach()), *_both(ours, trainer, len(items)))


def free_text_parity(
    student: Callable[[], VlmPolicy],
    items: Sequence[TrainingItem],
    library: Library,
    rewarding: Rewarding,
    completions: Sequence[Sequence[Sequence[int]]],
    settings: LearningSettings,
    *,
    seed: int,
    scratch: Path,
) -> Parity:
    """The same in free text, with `completions[i]` the tokens of the group of item i on both sides.

    TRL's reference is the model without its adapter: here that is the student as `student` makes it.
    """
    ours, theirs = student(), student()
    features = ours.encode([item.example for item in items], library)
    objective = FreeTextObjective(
        ours,
        LiveItems(items, features, torch.zeros(len(items), 0), settings, seed),
        rewarding,
        _Given(completions),
        settings,
        champion_entropy=0.0,
        seed=seed,
    )
    for policy in (ours, theirs):
        _move(policy, seed)
    drawn = objective.draw(torch.arange(len(items)), 0)
    loss, _ = objective(objective.forward({**collate(ours, features), **objective.beside(drawn)}), drawn)
    loss.backward()
    trainer = stock_trainer(
        theirs,
        items,
        library,
        settings,
        seed=seed,
        output_dir=scratch,
        rewarding=rewarding,
        completions=[tokens for group in completions for tokens in group],
    )
    return Parity(float(loss.detach()), *_both(ours, trainer, len(items)))


class _Given(RolloutEngine):
    """Draws what was written down."""

    name = "given"

    def __init__(self, completions: Sequence[Sequence[Sequence[int]]]) -> None:
        self._completions = completions

    def refresh(self, policy: Policy) -> None:
        self._policy = policy

    def draw(self, asked: Sequence[Asked], samples: int, sampling: Sampling, seed: int) -> Completions:  # noqa: ARG002
        device = self._policy.model.device
        given = [[Sampled(tokens, [0.0] * len(tokens), True) for tokens in group] for group in self._completions]
        drawn = completions_of(given, device)
        batch = collate(self._policy, [each.features for each in asked])
        with torch.no_grad():
            scores = self._policy.completion_scores(batch, drawn.tokens_NGT, drawn.mask_NGT)
        return replace(drawn, logprobs_NGT=scores.logprobs_NGT)

    def close(self) -> None:
        """Nothing was begun."""


def _both(ours: VlmPolicy, trainer: StockGRPOTrainer, items: int) -> tuple[float, Tensor, Tensor]:
    """TRL's loss, our gradients, and TRL's."""
    gradients = [weight.grad.flatten() for weight in ours.model.parameters() if weight.grad is not None]
    trl_loss, trl_gradient = loss_and_gradients(trainer, range(items))
    return trl_loss, torch.cat(gradients), trl_gradient


def _completions(policy: VlmPolicy, drawn_NG: Tensor) -> list[list[int]]:
    """The tokens of the drawn answers, group by group."""
    tokens_KT, mask_KT = policy.answer_tokens.tokens_KT, policy.answer_tokens.mask_KT
    return [tokens_KT[answer][mask_KT[answer]].tolist() for answer in drawn_NG.flatten().tolist()]


@torch.no_grad()
def _move(policy: VlmPolicy, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for weight in policy.model.parameters():
        if weight.requires_grad:
            weight += MOVE * torch.randn(weight.shape, generator=generator)
