"""What free text is worth while training: an environment's rewards, asked about each completion as it is drawn."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from core.learning.items import TrainingItem
from core.policy import Library
from core.reward import Question, Reward, combine, reward_parts
from core.schema import NightshiftError

__all__ = ["Rewarding", "rewards_at"]


@dataclass(frozen=True)
class Rewarding:
    """A reward stack, and where it may look at pictures."""

    rewards: Sequence[Reward]
    library: Library | None = None

    def of(self, item: TrainingItem, text: str) -> tuple[float | None, dict[str, float | None]]:
        """The reward of `text` as an answer to the item, None where no part has anything to say; and each part's.

        Unlike in a closed set a label does not override the parts: a right answer can be said in more than one way, so
        what a label makes an answer worth is a reward's to say (`Question.label`).
        """
        label = item.gold
        if label is None and item.label is not None:
            label = (item.example.answers or ())[item.label]
        question = Question(example=item.example, label=label, library=self.library)
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
