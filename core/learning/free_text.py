"""GRPO over free text: groups are sampled by a rollout engine, rewarded as they come, and learnt from token by token.

A step, for N prompts with G completions each:

    draw          completions by the engine, with the weights of its last refresh (every `sync_steps` steps)
    reward        each completion's text by the environment's rewards; advantage = reward - mean of its group
    old           log-probabilities under the weights that drew, by the trainer's own forward
    reference     those under the champion's weights, where `kl_weight` is above 0
    loss          `core.learning.token_loss` over one packed forward, in which each prompt is encoded once

Right after a refresh the present weights are the ones that drew, and the step's own forward gives the old
log-probabilities. Engine and trainer are compared in every step, under the same weights: that is the mismatch.

Axes: M items, N items of the batch, G completions of a group, T tokens of a completion.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from core.learning.entropy import EntropyBonus
from core.learning.groups import group_advantages
from core.learning.items import Targets, TrainingItem
from core.learning.live_items import LiveItems
from core.learning.objectives import Drawn, Figures, Mismatch, alone, reward_shares
from core.learning.processes import process_number
from core.learning.reward_figures import PREFIX
from core.learning.rewarding import Rewarding
from core.learning.rollouts import Asked, RolloutEngine, sampling_of
from core.learning.scoring import collate
from core.learning.token_loss import token_divergence, token_loss
from core.learning.training_state import restore_trainable, trainable_weights
from core.policy import Completions, Features, Policy
from core.schema import content_id
from core.settings import LearningSettings

__all__ = ["FreeTextObjective", "rewards_of"]


class FreeTextObjective:
    """One of TRL's losses over tokens (`settings.objective`), on completions that the policy itself wrote."""

    def __init__(
        self,
        policy: Policy,
        live: LiveItems,
        rewarding: Rewarding,
        engine: RolloutEngine,
        settings: LearningSettings,
        *,
        champion_entropy: float,
        seed: int,
    ) -> None:
        """`policy` still is the champion."""
        self._policy, self._live = policy, live
        self._weights_M = live.targets().weights_N.to(policy.model.device)
        self._rewarding, self._engine, self._settings, self._seed = rewarding, engine, settings, seed
        self.over_processes: Callable[[Tensor], Tensor] = alone
        self.entropy = EntropyBonus(settings, champion_entropy)
        self.sampling = torch.Generator(device=policy.model.device).manual_seed(seed % 2**63)
        self._champion = trainable_weights(policy.model)
        self._drawing, self._refreshed_at = self._champion, -1

    def draw(self, rows_N: Tensor, step: int) -> Drawn:
        if self._refreshed_at < 0 or step - self._refreshed_at >= self._settings.sync_steps:
            self._refresh(step)
        rows = rows_N.tolist()
        asked = [Asked(self._live.items[row].example, self._live.features_of(row)) for row in rows]
        batch = collate(self._policy, [each.features for each in asked])
        began = time.perf_counter()
        drawn: Drawn = {"rows_N": rows_N}
        with self._weights(None if step == self._refreshed_at else self._drawing):
            seed = int(content_id(self._seed, step, process_number())[:15], 16)
            completions = self._engine.draw(asked, self._settings.group_size, sampling_of(self._settings), seed)
            if step != self._refreshed_at:
                drawn["old_NGT"] = self._logprobs(batch, completions)
        self._drawing_s = time.perf_counter() - began
        if self._settings.kl_weight > 0:
            with self._weights(self._champion):
                drawn["reference_NGT"] = self._logprobs(batch, completions)
        return {
            **drawn,
            "tokens_NGT": completions.tokens_NGT,
            "mask_NGT": completions.mask_NGT,
            "engine_NGT": completions.logprobs_NGT,
            "ended_NG": completions.ended_NG,
            **rewards_of(self._policy, [self._live.items[row] for row in rows], completions, self._rewarding),
        }

    def _refresh(self, step: int) -> None:
        self._drawing, self._refreshed_at = trainable_weights(self._policy.model), step
        self._engine.refresh(self._policy)

    @contextmanager
    def _weights(self, values: Mapping[str, Tensor] | None) -> Iterator[None]:
        """The policy with these weights; with its own where there are none to put in."""
        if values is None:
            yield
            return
        own = trainable_weights(self._policy.model)
        restore_trainable(self._policy.model, values)
        try:
            yield
        finally:
            restore_trainable(self._policy.model, own)

    @torch.no_grad()
    def _logprobs(self, batch: Features, completions: Completions) -> Tensor:
        return self._policy.completion_scores(batch, completions.tokens_NGT, completions.mask_NGT).logprobs_NGT

    def beside(self, drawn: Drawn) -> Features:
        """The completions, and behind those of an item that has one the answer that a person gave."""
        gold_N = [self._live.items[row].gold for row in drawn["rows_N"].tolist()]
        tokens_NGT, mask_NGT = drawn["tokens_NGT"], drawn["mask_NGT"]
        if self._settings.likelihood_weight > 0 and any(gold is not None for gold in gold_N):
            given = [[] if gold is None else self._policy.tokens_of(gold) for gold in gold_N]
            tokens_NGT, mask_NGT = _with_another(tokens_NGT, mask_NGT, given)
        return {"tokens_NGT": tokens_NGT, "mask_NGT": mask_NGT}

    def forward(self, batch: Features) -> tuple[Tensor, Tensor]:
        """Float[N, G or G + 1, T] log-probabilities and entropies of the tokens that `beside` gave."""
        features = {name: value for name, value in batch.items() if name not in ("tokens_NGT", "mask_NGT")}
        scores = self._policy.completion_scores(features, batch["tokens_NGT"], batch["mask_NGT"])
        return scores.logprobs_NGT, scores.entropies_NGT

    def answers(self, scores: tuple[Tensor, Tensor]) -> Tensor:
        """There are none to choose from."""
        return scores[0].new_zeros(len(scores[0]), 0)

    def with_more(self, targets: Targets, features: Sequence[Features]) -> Callable[[], None]:  # noqa: ARG002
        """What is drawn, and what the champion says of it, is found out step by step: only weights change."""

        def change() -> None:
            self._weights_M = targets.weights_N

        return change

    def mismatch(self, scores: tuple[Tensor, Tensor], drawn: Drawn, step: int) -> Mismatch:  # noqa: ARG002
        old_NGT = drawn.get("old_NGT", _sampled(scores[0], drawn).detach())
        nats = (old_NGT - drawn["engine_NGT"]).abs()[drawn["mask_NGT"]].mean()
        return Mismatch(
            nats,
            f"what rollout engine {self._engine.name!r} says of the tokens that it drew differs from what the trainer "
            "says of them under the same weights",
        )

    def __call__(self, scores: tuple[Tensor, Tensor], drawn: Drawn) -> tuple[Tensor, Figures]:
        """Parts: those of `closed_set_loss` that free text has. `policy_gradient` has the divergence in it; `kl`,
        `entropy` and `staleness` (how far the policy has gone since the last refresh) are means over tokens in nats;
        `tokens` is the mean length, `truncated` the share cut off, `rollout_s` the seconds of drawing."""
        settings, mask_NGT = self._settings, drawn["mask_NGT"]
        logprobs_NGT, entropies_NGT = (_sampled(each, drawn) for each in scores)
        old_NGT = drawn.get("old_NGT", logprobs_NGT.detach())
        weights_N = self._weights_M[drawn["rows_N"]]
        importance_N = weights_N / self.over_processes(weights_N.mean())
        if settings.objective == "closed_set":
            raise ValueError("closed_set is no loss over tokens")
        over_tokens = token_loss(
            settings.objective,
            logprobs_NGT,
            mask_NGT,
            settings.gradient_weight * group_advantages(drawn["rewards_NG"], settings.scale_rewards),
            longest=settings.max_new_tokens,
            drawn_with_NGT=old_NGT,
            engine_NGT=drawn["engine_NGT"],
            reference_NGT=drawn.get("reference_NGT"),
            beta=settings.kl_weight,
            weights_N=importance_N,
            tokens_a_process=self.over_processes(mask_NGT.sum().float()),
        )
        likelihood = self._likelihood(scores[0], drawn, importance_N)
        entropy = (importance_N[:, None, None] * entropies_NGT)[mask_NGT].mean()
        loss = over_tokens + settings.likelihood_weight * likelihood - self.entropy.weight * entropy
        self.entropy.observe(float(self.over_processes(entropy.detach())))
        moved_NGT = token_divergence(logprobs_NGT, drawn.get("reference_NGT", logprobs_NGT)).detach()
        figures = {
            "loss": loss,
            "policy_gradient": over_tokens,
            "likelihood": likelihood,
            "kl": moved_NGT[mask_NGT].mean(),
            "entropy": entropy,
            "staleness": (logprobs_NGT.detach() - old_NGT).abs()[mask_NGT].mean(),
            "tokens": mask_NGT.sum(dim=-1).float().mean(),
            "truncated": (~drawn["ended_NG"]).float().mean(),
            "rollout_s": torch.tensor(self._drawing_s, device=loss.device),
            **reward_shares(drawn["rewards_NG"]),
            **{name: value.nanmean() for name, value in drawn.items() if name.startswith(PREFIX)},
        }
        return loss, {name: value.detach() for name, value in figures.items()}

    def _likelihood(self, logprobs_NHT: Tensor, drawn: Drawn, importance_N: Tensor) -> Tensor:
        """Minus the mean log-probability of a token of the answers that people gave; 0 for an item without one."""
        groups = drawn["tokens_NGT"].shape[1]
        if logprobs_NHT.shape[1] == groups:
            return logprobs_NHT.new_zeros(())
        given = [self._live.items[row] for row in drawn["rows_N"].tolist()]
        lengths_N = [0 if item.gold is None else len(self._policy.tokens_of(item.gold)) for item in given]
        means_N = logprobs_NHT[:, groups].sum(dim=-1) / logprobs_NHT.new_tensor(lengths_N).clamp(min=1)
        label_weights_N = logprobs_NHT.new_tensor([item.label_weight for item in given])
        return -(importance_N * label_weights_N * means_N).mean()

    def state(self) -> tuple[Figures, dict[str, Any]]:
        return dict(self._drawing), {"refreshed_at": self._refreshed_at}

    def restore(self, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
        self._refreshed_at = numbers["refreshed_at"]
        device = self._policy.model.device
        self._drawing = {name: value.to(device) for name, value in tensors.items()}
        with self._weights(self._drawing):
            self._engine.refresh(self._policy)


def rewards_of(
    policy: Policy, items: Sequence[TrainingItem], completions: Completions, rewarding: Rewarding
) -> dict[str, Tensor]:
    """`rewards_NG`, and under `PREFIX` and its name the value of each part; NaN where there is none."""
    masks, tokens = completions.mask_NGT.cpu(), completions.tokens_NGT.cpu()
    texts = [
        [policy.text_of(t[m].tolist()) for t, m in zip(t_GT, m_GT, strict=True)]
        for t_GT, m_GT in zip(tokens, masks, strict=True)
    ]
    found = rewarding.of_groups(items, texts)
    device = completions.tokens_NGT.device

    def tensor(values: list[list[float | None]]) -> Tensor:
        return torch.tensor([[float("nan") if each is None else each for each in row] for row in values], device=device)

    parts = {
        PREFIX + reward.name: tensor([[parts[reward.name] for _, parts in group] for group in found])
        for reward in rewarding.rewards
    }
    return {"rewards_NG": tensor([[value for value, _ in group] for group in found]), **parts}


def _sampled(values_NHT: Tensor, drawn: Drawn) -> Tensor:
    """Float[N, G, T] of the sampled completions alone."""
    _, G, T = drawn["tokens_NGT"].shape
    return values_NHT[:, :G, :T]


def _with_another(tokens_NGT: Tensor, mask_NGT: Tensor, given: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """One more completion of each prompt; one without tokens where nothing was given."""
    N, G, T = tokens_NGT.shape
    longest = max(T, *(len(each) for each in given))
    tokens, mask = tokens_NGT.new_zeros(N, G + 1, longest), mask_NGT.new_zeros(N, G + 1, longest)
    tokens[:, :G, :T], mask[:, :G, :T] = tokens_NGT, mask_NGT
    for n, each in enumerate(given):
        tokens[n, G, : len(each)] = torch.tensor(each, dtype=tokens.dtype)
        mask[n, G, : len(each)] = True
    return tokens, mask
