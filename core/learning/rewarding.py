"""What free text is worth while training: an environment's rewards, asked about each completion as it is drawn."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from core.learning.items import TrainingItem
from core.learning.teacher import Teacher
from core.policy import Library
from core.reward import Question, Reward, combine, reward_parts
from core.schema import Judgment, NightshiftError

__all__ = ["Earned", "Rewarding", "rewards_at"]


Earned = tuple[float | None, dict[str, float | None]]
"""The reward of a text, None where no part has anything to say; and each part's."""


@dataclass(frozen=True)
class Rewarding:
    """A reward stack, where it may look at pictures, and whom it may ask."""

    rewards: Sequence[Reward]
    library: Library | None = None
    teacher: Teacher | None = None

    def of_groups(self, items: Sequence[TrainingItem], texts: Sequence[Sequence[str]]) -> list[list[Earned]]:
        """What each of the texts sampled for each item is worth as an answer to it.

        Unlike in a closed set a label does not override the parts: a right answer can be said in more than one way, so
        what a label makes an answer worth is a reward's to say (`Question.label`).
        """
        judgments = self._judgments(items, texts)
        return [
            [self._of(item, text, judgment) for text in said]
            for item, said, judgment in zip(items, texts, judgments, strict=True)
        ]

    def _judgments(self, items: Sequence[TrainingItem], texts: Sequence[Sequence[str]]) -> list[Judgment | None]:
        """One for all texts of an item; of none, where a teacher is not asked."""
        if self.teacher is None:
            return [None] * len(items)
        return self.teacher.judgments(
            [(item.example, sorted(set(said))) for item, said in zip(items, texts, strict=True)]
        )

    def _of(self, item: TrainingItem, text: str, judgment: Judgment | None) -> Earned:
        label = item.gold
        if label is None and item.label is not None:
            label = (item.example.answers or ())[item.label]
        question = Question(example=item.example, label=label, judgment=judgment, library=self.library)
        parts = reward_parts(question, text, self.rewards)
        return combine(parts, self.rewards, label_says=None), parts


def rewards_at(place: str, arguments: Mapping[str, JsonValue]) -> tuple[Reward, ...]:
    """The rewards that the function at `package.module:function` makes of `arguments`.

    Raises NightshiftError where there is no such function, or it makes something else.
    """
    module, _, name = place.partition(":")
    try:
        make = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise NightshiftError(f"no rewards at {place!r} (expected package.module:function): {error}") from error
    rewards = tuple(make(**arguments))
    if not rewards or not all(isinstance(each, Reward) for each in rewards):
        raise NightshiftError(f"{place!r} gave no rewards; it must return one or more of core.reward.Reward")
    return rewards
