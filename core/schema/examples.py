"""What was seen, what was asked and answered, and what people say of it."""

from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from core.schema.base import Record, content_id

__all__ = ["ChosenBy", "Correction", "Evidence", "Example", "Label", "Media", "Prediction", "Session", "Variant"]


class Media(Record):
    """One image as it was taken in; its id is the hash of its normalised pixels."""

    kind: ClassVar[str] = "media"
    form: Literal["image", "video", "frame"] = "image"
    blob: str
    "Key of the stored file in the blob store."
    width: int
    height: int
    phash: str
    "64-bit perceptual hash, 16 hex digits; a small Hamming distance means near-duplicates."
    source: str | None = None
    session: str | None = None


class Example(Record):
    """A question about some inputs, with the answers that are allowed."""

    kind: ClassVar[str] = "example"
    environment: str
    media: tuple[str, ...]
    ask: str
    answers: tuple[str, ...] | None = None
    "The closed answer set; None where the answer is free text."
    answer_schema: dict[str, JsonValue] | None = None
    cluster: str = ""
    "Near-duplicates share a cluster; a cluster is golden or trained on, never both."
    parent: str | None = None
    "For a variant, the example it was made from."

    @classmethod
    def make(cls, environment: str, media: tuple[str, ...], ask: str, **fields: Any) -> "Example":
        """An example whose id follows from environment, inputs and question."""
        return cls(
            id=content_id(environment, list(media), ask), environment=environment, media=media, ask=ask, **fields
        )


class Evidence(BaseModel):
    """Something on an input that weighed in a verdict: a line of text and where it stands."""

    model_config = ConfigDict(frozen=True)
    text: str
    box: tuple[float, float, float, float] | None = None
    "Left, top, right, bottom, as fractions of width and height."
    weight: float = 0.0
    "How much it weighed, in log-odds toward the first answer; negative speaks against it."
    media: str | None = None


class ChosenBy(StrEnum):
    """How an item came before a person's eyes: what its label can be evidence of."""

    VOLUNTEERED = "volunteered"
    REVIEW_QUEUE = "review_queue"
    "The verdict was doubtful, or the reviewer searched for it."
    JUDGES = "judges"
    "A judge contradicts the verdict, or another judge."
    NOVELTY = "novelty"
    "It resembles nothing that people have answered."
    DRIFT = "drift"
    "It is of a kind that came lately and was not seen before."
    RANDOM_AUDIT = "random_audit"
    DISAGREEMENT = "disagreement"
    "Champion and a frozen challenger answer it differently."
    IMPORT = "import"
    DISPUTE = "dispute"
    "People's words contradicted each other on it: this one settles what is right."


class Prediction(Record):
    """What a release answered to an example."""

    kind: ClassVar[str] = "prediction"
    environment: str
    example: str
    answer: JsonValue
    reason: str | None = None
    "What the model wrote behind its answer, where it gives reasons."
    probability: float
    "The model's probability of `answer`."
    confidence: float
    "Calibrated probability that `answer` is right."
    answer_logprobs: tuple[float, ...] | None = None
    evidence: tuple[Evidence, ...] = ()
    release: str
    latency_ms: float
    from_person: bool = False
    "True when a person's correction answered; such answers never count in an evaluation."
    session: str | None = None
    "The sitting that the picture was sent in."


class Session(BaseModel):
    """Predictions that were made in one sitting, as the store has them."""

    model_config = ConfigDict(frozen=True)
    environment: str
    name: str
    started: AwareDatetime
    ended: AwareDatetime
    predictions: int


class Correction(Record):
    """A person's word on an example: an answer, `cannot_tell`, or the retraction of an earlier word."""

    kind: ClassVar[str] = "correction"
    environment: str
    example: str
    prediction: str | None = None
    answer: JsonValue
    "The right answer, or CANNOT_TELL; ignored when `retracts` is set."
    reviewer: str = "local"
    reason: str | None = None
    chosen_by: ChosenBy = ChosenBy.VOLUNTEERED
    chosen_probability: float | None = None
    "With what probability the item was put before the person, where that is known."
    retracts: str | None = None


class Label(BaseModel):
    """The word that stands for an example: its last correction that was not retracted."""

    model_config = ConfigDict(frozen=True)
    environment: str
    example: str
    answer: JsonValue
    correction: str
    prediction: str | None
    reviewer: str
    chosen_by: ChosenBy
    chosen_probability: float | None
    reason: str | None
    seq: int
    at: AwareDatetime


class Variant(Record):
    """An example made from another. Its id follows from the example and answer it is."""

    kind: ClassVar[str] = "variant"
    environment: str
    example: str
    parent: str
    how: str
    "The registered name of the way it was made."
    parameters: dict[str, JsonValue] = Field(default_factory=dict)
    answer: JsonValue
    "Its answer, known by construction from the parent's label; None when a judge must say."
    run: str | None = None
