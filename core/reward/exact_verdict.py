"""1 where the answer is exactly the label, else 0; nothing without a label."""

from pydantic import JsonValue

from core.reward.base import Question

__all__ = ["exact_verdict"]


def exact_verdict(question: Question, answer: JsonValue) -> float | None:
    """Compares with a person's label or one known by construction, never with a judge's; no normalising at all."""
    if question.label is None:
        return None
    return float(answer == question.label and type(answer) is type(question.label))
