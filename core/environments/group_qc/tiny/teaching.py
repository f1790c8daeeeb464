"""Teaching a vision-language model from nothing: every weight, by the likelihood of given texts.

For tiny models with random weights, which have to know a language before anything can be learnt on them. A model that
somebody trained is adapted instead (`core.learning.training`), and only its adapter changes.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from core.learning.scoring import collate
from core.policy import Features, Policy
from core.policy.vlm.policy import VlmPolicy

__all__ = ["teach"]

WARM_UP = 0.05
"Share of the steps in which the rate rises to its height; then it falls as a cosine."
CLIPPED_AT = 1.0


def teach(
    policy: VlmPolicy,
    features: Sequence[Features],
    texts: Sequence[Sequence[str]],
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    kinds: Sequence[object] | None = None,
    told: Callable[[int, float], None] = lambda *_: None,
) -> None:
    """Trains all weights of the base model, in place; its adapter stays as it is.

    `texts[i]` are what the model is to say of `features[i]`, each by itself; all that are said of one prompt are learnt
    in one step, for the price of one prompt. `kinds[i]` is what kind of lesson that is: each kind is taught as often as
    any other, however few of it there are; None takes all lessons as they come. `told` hears of every step (from 1) and
    its loss in nats a token. The same arguments give the same weights on the same machine.
    """
    weights = [weight for name, weight in policy.model.named_parameters() if "lora_" not in name]
    adapter = [weight for name, weight in policy.model.named_parameters() if "lora_" in name]
    tokens = [[policy.tokens_of(text) for text in said] for said in texts]
    optimizer = torch.optim.AdamW(weights, lr=learning_rate, weight_decay=0.01)
    rate = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share_of_rate(step, steps))
    generator = torch.Generator().manual_seed(seed)
    there = Counter(kinds or ())
    weights_N = torch.tensor([1 / there[kind] for kind in kinds] if kinds else [1.0] * len(features))
    _trainable(weights, True)
    _trainable(adapter, False)
    try:
        policy.model.train()
        for step in range(1, steps + 1):
            rows = torch.multinomial(weights_N, batch_size, replacement=True, generator=generator).tolist()
            loss = _nats_a_token(policy, [features[row] for row in rows], [tokens[row] for row in rows])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, CLIPPED_AT)
            optimizer.step()
            rate.step()
            optimizer.zero_grad(set_to_none=True)
            told(step, float(loss.detach()))
    finally:
        policy.model.eval()
        _trainable(weights, False)
        _trainable(adapter, True)


def _nats_a_token(policy: Policy, features: Sequence[Features], tokens: Sequence[Sequence[Sequence[int]]]) -> Tensor:
    N, G = len(tokens), max(map(len, tokens))
    T = max(len(each) for said in tokens for each in said)
    tokens_NGT, mask_NGT = torch.zeros(N, G, T, dtype=torch.long), torch.zeros(N, G, T, dtype=torch.bool)
    for n, said in enumerate(tokens):
        for g, each in enumerate(said):
            tokens_NGT[n, g, : len(each)] = torch.tensor(each)
            mask_NGT[n, g, : len(each)] = True
    device = policy.model.device
    scores = policy.completion_scores(collate(policy, features), tokens_NGT.to(device), mask_NGT.to(device))
    return -scores.logprobs_NGT.sum() / mask_NGT.sum().to(device)


def _share_of_rate(step: int, steps: int) -> float:
    rising = max(1, round(WARM_UP * steps))
    if step < rising:
        return (step + 1) / rising
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, steps - rising)))


def _trainable(weights: Sequence[torch.nn.Parameter], is_trained: bool) -> None:
    for weight in weights:
        weight.requires_grad_(is_trained)
