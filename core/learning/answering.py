"""What differs between a closed answer set and free text, as a training sees it: the objective and the figures."""

from collections.abc import Sequence
from typing import Protocol

import torch
from pydantic import JsonValue
from torch import Tensor

from core.learning.free_text import FreeTextObjective, rewards_of
from core.learning.groups import exact_groups
from core.learning.items import Targets, TrainingItem
from core.learning.live_items import LiveItems
from core.learning.loss import closed_set_loss
from core.learning.objectives import ClosedSetObjective, Objective, TokenObjective, reward_shares, token_mask
from core.learning.rewarding import Rewarding
from core.learning.rollouts import RolloutEngine, rollout_engine, sampling_of
from core.learning.scoring import collate, score, score_tokens
from core.learning.steps import without_nan
from core.policy import Completions, Features, Policy, Sampling
from core.settings import LearningSettings

__all__ = ["Answering", "ClosedSet", "FreeText"]

LOOKED_AT = 32
"""Items that say how a policy writes free text before and after a training."""


class Answering(Protocol):
    """The items of a training and how a policy answers them; made while the policy still is the champion."""

    def champion(self, rows: Sequence[int], /) -> Tensor:
        """Float[N, K]: what the champion gives the answers to these rows of the items; K is 0 in free text."""
        ...

    def objective(self, policy: Policy, live: LiveItems, seed: int, /) -> Objective:
        """What a training on these items minimises; `policy` is the champion."""
        ...

    def overall(self) -> dict[str, float | None]:
        """Figures over the items, by the policy as it is now."""
        ...

    def answers(self, features: Sequence[Features], /) -> list[JsonValue]:
        """What the policy says now of these examples, as evidence."""
        ...

    def close(self) -> None:
        """Ends what was begun."""
        ...


class ClosedSet:
    """Known answers: their log-probabilities are all there is to know."""

    def __init__(
        self, policy: Policy, items: Sequence[TrainingItem], features: Sequence[Features], settings: LearningSettings
    ) -> None:
        self._policy, self._items, self._features, self._settings = policy, items, features, settings
        self._champion_NK = self._score(features)

    def champion(self, rows: Sequence[int]) -> Tensor:
        return self._champion_NK[list(rows)]

    def objective(self, policy: Policy, live: LiveItems, seed: int) -> Objective:
        targets = live.targets().to(policy.model.device)
        if self._settings.objective == "closed_set":
            return ClosedSetObjective(policy, targets, self._settings, seed)
        token_mask(policy, self._settings)
        # The policy still is the champion: what it says now is the reference.
        features = [live.features_of(row) for row in range(len(live.items))]
        reference_MKT = score_tokens(policy, features, self._settings.batch_size).to(policy.model.device)
        return TokenObjective(policy, targets, reference_MKT, self._settings, seed)

    def overall(self) -> dict[str, float | None]:
        """Parts of the loss with exact groups."""
        logprobs_NK = self._score(self._features)
        targets = Targets.of(self._items, self._champion_NK)
        groups = exact_groups(logprobs_NK, targets.rewards_NK)
        _, parts = closed_set_loss(logprobs_NK, groups, targets, self._settings)
        return without_nan({name: float(value) for name, value in parts.items()})

    def answers(self, features: Sequence[Features]) -> list[JsonValue]:
        """K log-probabilities of each example."""
        logprobs: list[JsonValue] = self._score(features).tolist()
        return logprobs

    def close(self) -> None:
        pass

    def _score(self, features: Sequence[Features]) -> Tensor:
        return score(self._policy, features, self._settings.batch_size)


class FreeText:
    """Texts that the policy writes, and what rewards make of them."""

    def __init__(
        self,
        policy: Policy,
        items: Sequence[TrainingItem],
        features: Sequence[Features],
        settings: LearningSettings,
        rewarding: Rewarding,
        engine: RolloutEngine,
    ) -> None:
        self._policy, self._items, self._features, self._settings = policy, items, features, settings
        self._rewarding, self._engine = rewarding, engine
        # Sampling for it is what costs, and only an adaptive bonus wants to know.
        self._champion_entropy = (self.overall()["entropy"] or 0.0) if settings.entropy == "adaptive" else 0.0

    @classmethod
    def begin(
        cls,
        policy: Policy,
        items: Sequence[TrainingItem],
        features: Sequence[Features],
        settings: LearningSettings,
        rewarding: Rewarding,
    ) -> "FreeText":
        """With the engine that the settings name. Raises NightshiftError where it cannot be begun."""
        engine = rollout_engine(policy, settings, rewarding.library)
        try:
            return cls(policy, items, features, settings, rewarding, engine)
        except BaseException:
            engine.close()
            raise

    def champion(self, rows: Sequence[int]) -> Tensor:
        return torch.zeros(len(rows), 0)

    def objective(self, policy: Policy, live: LiveItems, seed: int) -> Objective:
        return FreeTextObjective(
            policy,
            live,
            self._rewarding,
            self._engine,
            self._settings,
            champion_entropy=self._champion_entropy,
            seed=seed,
        )

    @torch.no_grad()
    def overall(self) -> dict[str, float | None]:
        """Means over groups sampled for the first items: reward and its parts, entropy, tokens, cut off."""
        figures: list[dict[str, Tensor]] = []
        first = self._features[:LOOKED_AT]
        with torch.random.fork_rng(devices=self._accelerators()):
            torch.manual_seed(0)
            for start in range(0, len(first), self._settings.batch_size):
                features = first[start : start + self._settings.batch_size]
                batch, drawn = self._sample(features, self._settings.group_size, sampling_of(self._settings))
                scores = self._policy.completion_scores(batch, drawn.tokens_NGT, drawn.mask_NGT)
                rewards = rewards_of(self._policy, self._items[start : start + len(features)], drawn, self._rewarding)
                parts = {name: value.nanmean() for name, value in rewards.items() if name != "rewards_NG"}
                figures.append(
                    {
                        **reward_shares(rewards["rewards_NG"]),
                        **parts,
                        "entropy": scores.entropies_NGT[drawn.mask_NGT].mean(),
                        "tokens": drawn.mask_NGT.sum(dim=-1).float().mean(),
                        "truncated": (~drawn.ended_NG).float().mean(),
                    }
                )
        return without_nan(
            {name: float(torch.stack([each[name] for each in figures]).nanmean()) for name in figures[0]}
        )

    def answers(self, features: Sequence[Features]) -> list[JsonValue]:
        """As for a closed set where texts begin with a verdict, else the likeliest text, token by token."""
        if self._policy.verdicts is not None:
            logprobs: list[JsonValue] = score(self._policy, features, self._settings.batch_size).tolist()
            return logprobs
        greedy = Sampling(temperature=0.0, max_new_tokens=self._settings.max_new_tokens)
        said: list[JsonValue] = []
        for start in range(0, len(features), self._settings.batch_size):
            _, drawn = self._sample(features[start : start + self._settings.batch_size], 1, greedy)
            masks_NT, tokens_NT = drawn.mask_NGT[:, 0], drawn.tokens_NGT[:, 0]
            said += [self._policy.text_of(t[m].tolist()) for t, m in zip(tokens_NT, masks_NT, strict=True)]
        return said

    def close(self) -> None:
        self._engine.close()

    def _accelerators(self) -> list[torch.device]:
        device = self._policy.model.device
        return [device] if device.type == "cuda" else []

    def _sample(self, features: Sequence[Features], samples: int, sampling: Sampling) -> tuple[Features, Completions]:
        self._policy.model.eval()
        batch = collate(self._policy, features)
        return batch, self._policy.sample(batch, samples, sampling)
