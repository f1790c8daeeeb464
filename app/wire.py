"""What goes over the wire: the bodies of requests and answers, strict about what comes in."""

from datetime import datetime
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from core.schema import Correction, Evidence, Example, Prediction

__all__ = [
    "MOST_PICTURES",
    "ApprovalRequest",
    "BatchAnswer",
    "BatchFields",
    "BatchItem",
    "BatchRequest",
    "ExplanationAnswer",
    "FeedbackAnswer",
    "FeedbackRequest",
    "Pictured",
    "PredictionAnswer",
    "PredictionFields",
    "PredictionPage",
    "PredictionRequest",
    "Problem",
    "ScreenFeedbackFields",
    "ScreenFeedbackRequest",
    "ScreenWord",
    "Text",
    "Word",
]

MOST_PICTURES = 16
"In one request."


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


class Pictured(Strict):
    """A body with a picture."""

    image_base64: str = Field(description="A PNG, JPEG or WebP file in base64.")


class PredictionRequest(Pictured, PredictionFields):
    """A picture in base64 and what is asked about it."""


class BatchRequest(Strict):
    """Several pictures, each with what is asked about it."""

    pictures: list[PredictionRequest] = Field(min_length=1, max_length=MOST_PICTURES)


class BatchFields(Strict):
    """What comes beside several pictures of a form."""

    work: list[Text] = Field(min_length=1, max_length=MOST_PICTURES, description="One for all, or one for each.")
    session: Text | None = Field(None, max_length=200, description="Groups pictures that belong together.")


class PredictionAnswer(BaseModel):
    """A stored prediction."""

    prediction_id: str
    environment: str
    verdict: JsonValue
    reason: str | None = Field(description="Why, where the environment gives reasons.")
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
                    "reason",
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


class PredictionPage(BaseModel):
    """Stored predictions, the newest first."""

    predictions: list[PredictionAnswer]
    before: int | None = Field(description="Give it back to get the page after this one; null on the last page.")


class BatchItem(BaseModel):
    """What became of one of several pictures: a prediction, or why there is none."""

    prediction: PredictionAnswer | None = None
    status: int = Field(200, description="The status that the picture would have been answered with alone.")
    detail: str | None = Field(None, description="What was wrong with it.")


class BatchAnswer(BaseModel):
    """What became of each picture, in the order in which they were sent."""

    answers: list[BatchItem]


class Word(BaseModel):
    """What a person said of a screen, where that stands."""

    correction_id: str
    label: JsonValue
    reason: str | None
    at: datetime


class ExplanationAnswer(BaseModel):
    """Why a prediction says what it says."""

    prediction_id: str
    environment: str
    work: str = Field(description="What the picture was held against.")
    media: tuple[str, ...] = Field(description="Ids of the pictures, to be had at /v1/media/{media_id}.")
    verdict: JsonValue
    from_person: bool
    probabilities: dict[str, float] | None = Field(
        description="The model's calibrated probability of each answer; null for free text."
    )
    evidence: tuple[Evidence, ...] = Field(
        description="Lines that decided it, strongest first: text, box (left, top, right, bottom as fractions of width "
        "and height), and weight in log-odds; a positive weight speaks for the first answer."
    )
    release: str
    word: Word | None = Field(description="The word of a person that stands for this screen and work.")

    @classmethod
    def of(
        cls,
        prediction: Prediction,
        example: Example,
        probabilities: dict[str, float] | None,
        standing: Correction | None,
    ) -> Self:
        word = standing and Word(
            correction_id=standing.id, label=standing.answer, reason=standing.reason, at=standing.at
        )
        return cls(
            prediction_id=prediction.id,
            environment=prediction.environment,
            work=example.ask,
            media=example.media,
            verdict=prediction.answer,
            from_person=prediction.from_person,
            probabilities=probabilities,
            evidence=prediction.evidence,
            release=prediction.release,
            word=word,
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


class ScreenFeedbackFields(Strict):
    """A person's word on a screen and the work it is held against, whether or not it was ever classified."""

    work: Text = Field(description="What the picture is held against: for screens, a description of the work.")
    label: Text = Field(max_length=200, description="One of the environment's answers, or `cannot_tell`.")
    reason: Text | None = Field(None, max_length=2000)
    session: Text | None = Field(None, max_length=200, description="Groups pictures that belong together.")


class ScreenFeedbackRequest(Pictured, ScreenFeedbackFields):
    """The same, with the picture in base64."""


class ScreenWord(BaseModel):
    """What was stored. It is committed by the time it is sent."""

    correction_id: str
    environment: str
    label: JsonValue
    at: datetime

    @classmethod
    def of(cls, correction: Correction) -> Self:
        return cls(
            correction_id=correction.id, environment=correction.environment, label=correction.answer, at=correction.at
        )


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
