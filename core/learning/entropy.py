"""The weight of the entropy bonus: fixed, or moved a little each step towards a measured target.

A target in nats that suits every task does not exist: an answer of one word has a fraction of the entropy of a page.
So what is held is a share of the entropy the champion has on the same items, which is measured before the first step.
"""

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from core.settings import LearningSettings

__all__ = ["EntropyBonus", "mean_entropy"]

STEP = 0.01
"""How far the weight moves in one step."""
LARGEST = 1.0


class EntropyBonus:
    """The weight that the next step takes."""

    def __init__(self, settings: "LearningSettings", champion_entropy: float) -> None:
        """`champion_entropy` is what the champion has on the same items, in nats."""
        self.weight = settings.entropy_weight
        self._adapts = settings.entropy == "adaptive"
        self.target = settings.entropy_share * champion_entropy
        "In nats."

    def observe(self, entropy: float) -> None:
        """Moves the weight up where a step's mean entropy was below the target, else down."""
        if self._adapts:
            step = STEP if entropy < self.target else -STEP
            self.weight = min(max(self.weight + step, 0.0), LARGEST)


def mean_entropy(logprobs_NK: Tensor) -> float:
    """Mean over N of the entropy of K answers, in nats."""
    return float(-(logprobs_NK.exp() * logprobs_NK).sum(dim=-1).mean())
