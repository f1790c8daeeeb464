"""The rounds of a training: what each draws is settled as it begins, and so is what it draws from.

A loader fetches one batch ahead, so a round's draws are made a step before the round is trained on. What changes with
it (targets, and the weights that follow from the replay) is therefore kept until its own first step.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.utils.data import Sampler

from core.learning.live_items import Change, Entering, LiveItems
from core.learning.objectives import Objective
from core.learning.scoring import score
from core.learning.training_state import changing_weights, restore_weights
from core.policy import Policy
from core.settings import LearningSettings

__all__ = ["Rounds"]


class Rounds(Sampler[int]):
    """Gives out the numbers of all draws, from 0; `drawn` says which row each of them is."""

    def __init__(
        self,
        policy: Policy,
        objective: Objective,
        live: LiveItems,
        settings: LearningSettings,
        entering: Entering | None,
    ) -> None:
        """`policy` still is the champion."""
        self.drawn: list[int] = []
        self._policy, self._objective, self._live, self._settings = policy, objective, live, settings
        self._entering = entering
        self._champion = _copied(policy) if entering else {}
        self._to_come: list[tuple[int, Callable[[], None], dict[str, float]]] = []

    def __len__(self) -> int:
        return self._settings.steps * self._settings.batch_size

    def __iter__(self) -> Iterator[int]:
        self.drawn.clear()
        for number, first in enumerate(range(0, self._settings.steps, self._settings.refresh_steps)):
            change = self._entering(first) if self._entering and first else None
            if change is not None:
                self._take_in(first, change)
            steps = min(self._settings.refresh_steps, self._settings.steps - first)
            start = len(self.drawn)
            self.drawn += self._live.draw(steps * self._settings.batch_size, number)
            yield from range(start, len(self.drawn))

    def begin(self, steps_done: int) -> Mapping[str, float]:
        """Makes the changes that are due, and says of one that is due just now how many words entered and left."""
        now: dict[str, float] = {}
        while self._to_come and self._to_come[0][0] <= steps_done:
            step, change, words = self._to_come.pop(0)
            change()
            now = words if step == steps_done else {}
        return now

    def _take_in(self, step: int, change: Change) -> None:
        with self._as_champion():
            said_NK = torch.zeros(len(change.features), len(self._policy.answers or ()))
            if change.features and self._policy.answers is not None:
                said_NK = score(self._policy, change.features, self._settings.batch_size)
            entered, left = self._live.take_in(change, said_NK)
            made = self._objective.with_more(self._live.targets().to(self._policy.model.device), change.features)
        self._to_come.append((step, made, {"words_entered": float(entered), "words_left": float(left)}))

    @contextmanager
    def _as_champion(self) -> Iterator[None]:
        """The policy is the champion inside, and afterwards what it was, to the bit."""
        now = _copied(self._policy)
        restore_weights(self._policy.model, self._champion)
        try:
            yield
        finally:
            restore_weights(self._policy.model, now)


def _copied(policy: Policy) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in changing_weights(policy.model).items()}
