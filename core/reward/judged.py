"""The judge's score of the answer."""

from pydantic import JsonValue

from core.reward.base import Question

__all__ = ["judged"]


def judged(question: Question, answer: JsonValue) -> float | None:
    """0..1, or nothing where the judge was not asked, could not say, or was asked about other answers."""
    return None if question.judgment is None else question.judgment.score_of(answer)
