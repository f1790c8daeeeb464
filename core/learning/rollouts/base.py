"""What draws completions while a policy trains: the trainer's own process, or an engine beside it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch

from core.policy import Completions, Features, Policy, Sampling
from core.schema import Example

__all__ = ["Asked", "RolloutEngine", "Sampled", "completions_of"]


class Asked(NamedTuple):
    """One prompt, as a policy encodes it and as an engine that encodes for itself needs it."""

    example: Example
    features: Features


class RolloutEngine(ABC):
    """Draws from the policy as it was when it was last refreshed; base weights are never changed."""

    name: ClassVar[str]

    @abstractmethod
    def refresh(self, policy: Policy) -> None:
        """From now on draws from `policy` as it is now. Raises NightshiftError where the engine cannot take it."""

    @abstractmethod
    def draw(self, asked: Sequence[Asked], samples: int, sampling: Sampling, seed: int) -> Completions:
        """`samples` completions of each prompt, on the policy's device; the same for the same seed.

        The caller has put the policy's weights back to where they were when the engine was refreshed. Raises
        NightshiftError where the engine is gone, or answers with something that the policy could not have said.
        """

    @abstractmethod
    def close(self) -> None:
        """Ends what the engine began."""


class Sampled(NamedTuple):
    """One completion as an engine reports it."""

    tokens: Sequence[int]
    logprobs: Sequence[float]
    ended: bool


def completions_of(sampled: Sequence[Sequence[Sampled]], device: torch.device) -> Completions:
    """G completions of each of N prompts as tensors."""
    longest = max(1, max(len(each.tokens) for group in sampled for each in group))
    shape = len(sampled), len(sampled[0]), longest
    tokens_NGT, logprobs_NGT = torch.zeros(shape, dtype=torch.long), torch.zeros(shape)
    mask_NGT, ended_NG = torch.zeros(shape, dtype=torch.bool), torch.zeros(shape[:2], dtype=torch.bool)
    for n, group in enumerate(sampled):
        for g, each in enumerate(group):
            length = len(each.tokens)
            tokens_NGT[n, g, :length] = torch.tensor(each.tokens, dtype=torch.long)
            logprobs_NGT[n, g, :length] = torch.tensor(each.logprobs)
            mask_NGT[n, g, :length] = True
            ended_NG[n, g] = each.ended
    return Completions(*(tensor.to(device) for tensor in (tokens_NGT, mask_NGT, logprobs_NGT, ended_NG)))
