"""What goes over the wire: the bodies of requests and answers, strict about what comes in."""

from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from core.schema import Correction, Evidence, Prediction

__all__ = [
    "ApprovalRequest",
    "FeedbackAnswer",
    "FeedbackRequest",
    "PredictionAnswer",
    "PredictionFields",
    "PredictionRequest",
    "Problem",
]


def _text(value: str) -> str:
    """JSON can spell halves of characters and zeros, which no store keeps."""
    if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError("holds what is no character")
    return value


Text: TypeAlias = Annotated[str, AfterValidator(_text)]


class Problem(BaseModel):
    """What was wrong, in a sentence."""

    detail: str


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class PredictionFields(Strict):
    """What comes beside the picture."""

    work: Text = Field(description="What the picture is held against: for screens, a description of the work.")
    session: Text | None = Field(None, max_length=200, description="Groups pictures that belong together.")


class PredictionRequest(PredictionFields):
    """A picture in base64 and what is asked about it."""

    image_base64: str = Field(description="A PNG, JPEG or WebP file in base64.")


class PredictionAnswer(BaseModel):
    """A stored prediction."""

    prediction_id: str
    environment: str
    verdict: JsonValue
    probability: float = Field(description="The model's probability of the verdict.")
    confidence: float = Field(description="Calibrated probability that the verdict is right.")
    evidence: tuple[Evidence, ...] = Field(
        description="What decided it; a positive weight speaks for the first answer."
    )
    from_person: bool = Field(description="Whether a person's correction answered, and not the model.")
    release: str
    latency_ms: float
    session: str | None = Field(description="The sitting that the picture was sent in.")
    at: datetime

    @classmethod
    def of(cls, prediction: Prediction) -> Self:
        """As it is stored, without what only training needs."""
        return cls(
            prediction_id=prediction.id,
            verdict=prediction.answer,
            **prediction.model_dump(
                include={
                    "environment",
                    "probability",
                    "confidence",
                    "evidence",
                    "from_person",
                    "release",
                    "latency_ms",
                    "session",
                    "at",
                }
            ),
        )


class FeedbackRequest(Strict):
    """A person's word on a prediction, or its retraction."""

    prediction_id: Text = Field(min_length=1, max_length=64)
    label: Text | None = Field(None, max_length=200, description="One of the environment's answers, or `cannot_tell`.")
    reason: Text | None = Field(None, max_length=2000)
    undo: Literal[True] | None = Field(None, description="Takes back the last word on this prediction's example.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.label is None) == (self.undo is None):
            raise ValueError("give either a label or undo: true")
        if self.undo and self.reason is not None:
            raise ValueError("a reason belongs to a label")
        return self


class FeedbackAnswer(BaseModel):
    """What was stored. It is committed by the time it is sent."""

    correction_id: str
    prediction_id: str
    label: JsonValue = Field(description="The answer given; null when a word was taken back.")
    undone: str | None = Field(description="The correction that was taken back.")
    at: datetime

    @classmethod
    def of(cls, prediction_id: str, correction: Correction) -> Self:
        return cls(
            correction_id=correction.id,
            prediction_id=prediction_id,
            label=None if correction.retracts else correction.answer,
            undone=correction.retracts,
            at=correction.at,
        )


class ApprovalRequest(Strict):
    """A person's yes or no to the challenger that waits for it."""

    release: Text = Field(
        min_length=8, max_length=64, description="The challenger that was looked at, or how it begins."
    )
    approve: bool
    reason: Text = Field(min_length=1, max_length=2000)
