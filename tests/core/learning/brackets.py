"""Rewards for the free-text tests; the training process imports them by name."""

from core.reward import Question, Reward
from core.schema import NightshiftError


def of_letters(letters: str) -> tuple[Reward, ...]:
    """How much of a text is made of these letters, and whether it is empty, which is worth nothing."""
    wanted = set(letters)

    def share(question: Question, answer: object) -> float | None:  # noqa: ARG001
        if not isinstance(answer, str):
            raise NightshiftError(f"{answer!r} is no text")
        return sum(each in wanted for each in answer) / len(answer) if answer else 0.0

    return (Reward("letters", 1.0, share),)
