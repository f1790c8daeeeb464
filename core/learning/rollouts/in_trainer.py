"""Completions by transformers, in the trainer's process: nothing else to install, and nothing to keep in step."""

from collections.abc import Sequence

import torch

from core.learning.rollouts.base import Asked, RolloutEngine
from core.learning.scoring import collate
from core.policy import Completions, Policy, Sampling

__all__ = ["InTrainer"]


class InTrainer(RolloutEngine):
    """The policy's own `sample`."""

    name = "transformers"

    def refresh(self, policy: Policy) -> None:
        self._policy = policy

    def draw(self, asked: Sequence[Asked], samples: int, sampling: Sampling, seed: int) -> Completions:
        device = self._policy.model.device
        # Nobody else's random numbers depend on how many were drawn here, so a training goes on with the same ones.
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.manual_seed(seed)
            return self._policy.sample(collate(self._policy, [each.features for each in asked]), samples, sampling)

    def close(self) -> None:
        """Nothing was begun."""
