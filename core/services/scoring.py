"""How one answer of a release did."""

import math
from collections.abc import Sequence

from pydantic import JsonValue

from core.schema import Example, ItemScore

__all__ = ["score_item"]


def score_item(
    example: Example, expected: JsonValue, logprobs_K: Sequence[float], *, domain: str | None = None
) -> ItemScore:
    """How one closed-set answer did: 1 if it is exactly the expected one, else 0."""
    answers = example.answers or ()
    best = max(range(len(logprobs_K)), key=lambda k: logprobs_K[k])
    return ItemScore(
        example=example.id,
        cluster=example.cluster,
        score=float(answers[best] == expected),
        answer=answers[best],
        expected=expected,
        probability=math.exp(logprobs_K[best]),
        expected_probability=math.exp(logprobs_K[answers.index(str(expected))]),
        domain=domain,
    )
