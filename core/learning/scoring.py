"""Answer log-probabilities of encoded examples, batch by batch."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from core.policy import Features, Library, Policy
from core.schema import Example

__all__ = ["answer", "collate", "score", "score_tokens"]


def collate(policy: Policy, features: Sequence[Features]) -> Features:
    """N encoded examples as one batch, where the policy's weights are."""
    return {name: tensor.to(policy.model.device) for name, tensor in policy.collate(features).items()}


def score(policy: Policy, features: Sequence[Features], batch_size: int) -> Tensor:
    """Float[N, K] log-probabilities of the verdicts, without gradient, in evaluation mode, on the CPU."""
    return _score(policy, policy.verdict_logprobs, features, batch_size)


def score_tokens(policy: Policy, features: Sequence[Features], batch_size: int) -> Tensor:
    """Float[N, K, T] log-probabilities of the answers' tokens, likewise."""
    return _score(policy, policy.answer_token_logprobs, features, batch_size)


def answer(policy: Policy, examples: Sequence[Example], library: Library) -> Tensor:
    """Float[N, K] log-probabilities of N >= 1 examples, encoded and scored as many at once as the policy allows."""
    chunks = [examples[first : first + policy.at_once] for first in range(0, len(examples), policy.at_once)]
    return torch.cat([score(policy, policy.encode(chunk, library), policy.at_once) for chunk in chunks])


@torch.no_grad()
def _score(
    policy: Policy, forward: Callable[[Features], Tensor], features: Sequence[Features], batch_size: int
) -> Tensor:
    # Telling every module costs a tenth of a small student's verdict.
    if policy.model.training:
        policy.model.eval()
    batches = [collate(policy, features[first : first + batch_size]) for first in range(0, len(features), batch_size)]
    return torch.cat([forward(batch).float().cpu() for batch in batches])
