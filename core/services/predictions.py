"""What was answered, looked at again."""

import math
from typing import NamedTuple

from core.schema import Example, NightshiftError, Prediction
from core.services.workspace import Workspace

__all__ = ["Explanation", "NoPrediction", "explanation", "prediction", "prediction_page"]


class NoPrediction(NightshiftError):
    """There is no prediction of that id."""

    def __init__(self, id: str) -> None:
        super().__init__(f"there is no prediction {id!r} here")


class Explanation(NamedTuple):
    """A prediction, what it answered, and what else it might have."""

    prediction: Prediction
    example: Example
    probabilities: dict[str, float] | None
    "The model's calibrated probability of each answer, whatever a person said; None for free text."


def prediction(ws: Workspace, prediction_id: str) -> Prediction:
    """A stored prediction. Raises NoPrediction for an id that is not one."""
    found = ws.store.get(Prediction, prediction_id)
    if found is None:
        raise NoPrediction(prediction_id)
    return found


def explanation(ws: Workspace, prediction_id: str) -> Explanation:
    """Why a prediction says what it says. Raises NoPrediction for an id that is not one."""
    found = prediction(ws, prediction_id)
    (example,) = ws.store.get_many(Example, [found.example])
    probabilities = None
    if example.answers is not None and found.answer_logprobs is not None:
        probabilities = {
            answer: math.exp(logprob) for answer, logprob in zip(example.answers, found.answer_logprobs, strict=True)
        }
    return Explanation(found, example, probabilities)


def prediction_page(
    ws: Workspace, limit: int, *, before: int | None = None, **equals: object
) -> tuple[list[Prediction], int | None]:
    """The newest predictions with these columns, newest first, and the `before` of the next page; None on the last."""
    numbered = ws.store.page(Prediction, limit + 1, before_seq=before, **equals)
    page = numbered[:limit]
    return [found for _, found in page], page[-1][0] if len(numbered) > limit else None
