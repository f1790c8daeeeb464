"""The items of a training, which may change between its rounds.

Axes: M rows, which only ever become more, so that a row that was drawn stays what it was; K answers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from core.learning.items import Targets, TrainingItem
from core.learning.replay import Replay
from core.policy import Features
from core.settings import LearningSettings

__all__ = ["Change", "Entering", "LiveItems"]


@dataclass(frozen=True)
class Change:
    """What a round has that the one before it had not."""

    items: Sequence[TrainingItem]
    features: Sequence[Features]
    leaves: frozenset[str] = frozenset()
    "Examples that are trained on no longer."


Entering: TypeAlias = Callable[[int], Change | None]
"""What changes after so many steps."""


class LiveItems:
    """All items so far, and which of them replay draws from."""

    def __init__(
        self,
        items: Sequence[TrainingItem],
        features: Sequence[Features],
        reference_MK: Tensor,
        settings: LearningSettings,
        seed: int,
    ) -> None:
        """`reference_MK` are the champion's log-probabilities of the items."""
        self.items = list(items)
        self._features: tuple[Sequence[Features], list[Features]] = (features, [])
        self._reference_MK, self._settings, self._seed = reference_MK, settings, seed
        self._parents = {item.example.id: item.example.parent for item in items}
        self._live = list(range(len(items)))
        self._weights = torch.zeros(0)
        self._draw_anew()

    def draw(self, count: int, round_number: int) -> list[int]:
        """`count` rows, by the priorities of what is live."""
        return [self._live[place] for place in self._replay.draw(count, round_number).tolist()]

    def features_of(self, row: int) -> Features:
        """The encoded features of a row."""
        first, entered = self._features
        return first[row] if row < len(first) else entered[row - len(first)]

    def take_in(self, change: Change, reference_NK: Tensor) -> tuple[int, int]:
        """How many of people's words entered, and how many left. `reference_NK` is of the items that enter.

        An item takes the place of what there was of the same example. With an example all that was made from it leaves.
        Raises NightshiftError where nothing would be left.
        """
        self._parents.update({item.example.id: item.example.parent for item in change.items})
        gone = change.leaves | {item.example.id for item in change.items}
        stay = [row for row in self._live if gone.isdisjoint(self._line(self.items[row]))]
        left = sum(
            self.items[row].example.id in change.leaves and self.items[row].label is not None for row in self._live
        )
        entered = range(len(self.items), len(self.items) + len(change.items))
        self.items.extend(change.items)
        self._features[1].extend(change.features)
        self._reference_MK = torch.cat([self._reference_MK, reference_NK])
        self._live = [*stay, *entered]
        self._draw_anew()
        return sum(item.origin == "correction" for item in change.items), left

    def targets(self) -> Targets:
        """Of all M rows; weights have the importance of the live ones in them."""
        return replace(Targets.of(self.items, self._reference_MK), weights_N=self._weights)

    def _line(self, item: TrainingItem) -> set[str]:
        """The item's example and its ancestors."""
        line: set[str] = set()
        example: str | None = item.example.id
        while example is not None and example not in line:
            line.add(example)
            example = self._parents.get(example)
        return line

    def _draw_anew(self) -> None:
        self._replay = Replay(
            [self.items[row] for row in self._live],
            seed=self._seed,
            family_cap=self._settings.family_cap,
            importance_exponent=self._settings.importance_exponent,
            application_share=self._settings.application_share,
            reviewer_share=self._settings.reviewer_share,
        )
        weights = torch.tensor([item.weight for item in self.items], dtype=torch.float32)
        weights[self._live] *= torch.as_tensor(self._replay.importance_N, dtype=torch.float32)
        self._weights = weights
