"""Rewards are small functions that may decline to answer, and one rule combines them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from core.policy import Library
from core.schema import Example, Judgment, NightshiftError

__all__ = ["Question", "Reward", "RewardFunction", "combine", "reward_parts"]


@dataclass(frozen=True)
class Question:
    """What a reward may look at besides the answer."""

    example: Example
    label: JsonValue = None
    "A person's answer or one known by construction; None where there is none."
    judgment: Judgment | None = None
    library: Library | None = None


RewardFunction = Callable[[Question, JsonValue], float | None]


@dataclass(frozen=True)
class Reward:
    """A named part of the reward. `function` answers within `range`, or None where it has nothing to say."""

    name: str
    weight: float
    function: RewardFunction
    range: tuple[float, float] = (0.0, 1.0)


def reward_parts(question: Question, answer: JsonValue, rewards: Sequence[Reward]) -> dict[str, float | None]:
    """Each part's value for `answer`. Raises NightshiftError where one leaves its declared range."""
    parts: dict[str, float | None] = {}
    for reward in rewards:
        value = reward.function(question, answer)
        if value is not None and not reward.range[0] <= value <= reward.range[1]:
            raise NightshiftError(f"reward {reward.name!r} gave {value}, outside its range {reward.range}")
        parts[reward.name] = value
    return parts


def combine(parts: dict[str, float | None], rewards: Sequence[Reward], *, label_says: float | None) -> float | None:
    """The weighted mean over the parts that answered; None where none did.

    `label_says` is 1 or 0 where a person has said whether the answer is right: that overrides every part.
    """
    if label_says is not None:
        return label_says
    answered = [(reward.weight, value) for reward in rewards if (value := parts[reward.name]) is not None]
    heaviest = max((weight for weight, _ in answered), default=0.0)
    if heaviest <= 0:
        return None
    # As shares of the heaviest: the product of a value and the least weights there are would be 0.
    shares = [(weight / heaviest, value) for weight, value in answered]
    return sum(share * value for share, value in shares) / sum(share for share, _ in shares)
