"""The nouns every other package speaks in.

Each noun is an immutable pydantic model. Where a thing has content, its id is the hash of that content, so
that writing the same thing twice is a no-op; events that have no content of their own carry a time-ordered
UUID. Nothing here imports anything else of ours.
"""

import hashlib
import json
import os
import time
import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

__all__ = [
    "CANNOT_TELL",
    "Alternative",
    "Checkpoint",
    "ChosenBy",
    "Correction",
    "DatasetVersion",
    "Decision",
    "Evaluation",
    "Evidence",
    "Example",
    "Frozen",
    "GateResult",
    "ItemScore",
    "Judgment",
    "Label",
    "Media",
    "NightshiftError",
    "Outcome",
    "Prediction",
    "Promotion",
    "Record",
    "Release",
    "Rollout",
    "Run",
    "Session",
    "StageResult",
    "Turn",
    "Variant",
    "content_id",
    "new_id",
    "now",
]

CANNOT_TELL = "cannot_tell"
"""The answer of a person who looked and could not decide: stored, never trained on, never scored."""


class NightshiftError(Exception):
    """Something a user can cause or mend. The message says what was wrong, with which value, and what is right."""


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def new_id() -> str:
    """A time-ordered UUID (version 7, RFC 9562 section 5.7), as 32 hex digits."""
    unix_ms = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (unix_ms & (2**48 - 1)) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value).hex


def content_id(*parts: JsonValue | tuple[JsonValue, ...]) -> str:
    """SHA-256 of the canonical JSON of `parts`, as 64 hex digits."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Record(BaseModel):
    """Anything the store keeps. `kind` names its table."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    id: str
    at: AwareDatetime = Field(default_factory=now)


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
    RANDOM_AUDIT = "random_audit"
    DISAGREEMENT = "disagreement"
    "Champion and a frozen challenger answer it differently."
    IMPORT = "import"


class Prediction(Record):
    """What a release answered to an example."""

    kind: ClassVar[str] = "prediction"
    environment: str
    example: str
    answer: JsonValue
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
    parameters: dict[str, JsonValue] = {}
    answer: JsonValue
    "Its answer, known by construction from the parent's label; None when a judge must say."
    run: str | None = None


class Alternative(BaseModel):
    """One candidate answer with a judge's score in 0..1."""

    model_config = ConfigDict(frozen=True)
    answer: JsonValue
    score: float


class Judgment(Record):
    """What a judge thinks of the candidates for an example, or why it could not say."""

    kind: ClassVar[str] = "judgment"
    environment: str
    example: str
    judge: str
    prompt_version: str
    scores: tuple[Alternative, ...] = ()
    unscored: str | None = None
    "Why there are no scores; an unscored judgment is neutral, never a zero."
    rationale: str | None = None
    transient: bool = False
    "Unscored for a reason that may pass; such a judgment is an event and answers nothing."
    position_bias: float | None = None
    "By how much the answer that stood first was favoured, -0.5..0.5 of two; None where places play no part."
    calls: int = 0
    tokens: int = 0
    cost_usd: float | None = 0.0
    "None where the price is not known."
    latency_ms: float = 0.0

    def score_of(self, answer: JsonValue) -> float | None:
        """The score of `answer` in 0..1, or None where the judge did not score it."""
        return next((s.score for s in self.scores if s.answer == answer), None)


class Turn(BaseModel):
    """One message or tool call of a rollout."""

    model_config = ConfigDict(frozen=True)
    role: Literal["system", "user", "assistant", "tool"]
    content: JsonValue
    media: tuple[str, ...] = ()


class Rollout(Record):
    """One answer a policy gave while training, with what the loss needs to know of it."""

    kind: ClassVar[str] = "rollout"
    environment: str
    example: str
    run: str
    turns: tuple[Turn, ...] = ()
    answer: JsonValue
    token_logprobs: tuple[float, ...] = ()
    token_mask: tuple[bool, ...] = ()
    reward: float | None = None
    reward_parts: dict[str, float | None] = {}


class Checkpoint(Record):
    """Saved weights: the id is the hash of every file in the folder."""

    kind: ClassVar[str] = "checkpoint"
    environment: str
    policy: str
    "Registered name of the policy class that loads it."
    parent: str | None = None
    run: str | None = None


class Release(Record):
    """The named checkpoints that serve together. Its id follows from theirs."""

    kind: ClassVar[str] = "release"
    environment: str
    checkpoints: dict[str, str]
    "Role (for example `policy`) to checkpoint id."

    @classmethod
    def make(cls, environment: str, checkpoints: dict[str, str]) -> "Release":
        """A release whose id follows from the checkpoints in it."""
        return cls(id=content_id(environment, dict(checkpoints)), environment=environment, checkpoints=checkpoints)


class DatasetVersion(Record):
    """A manifest: which content ids a night saw. The id is the hash of the sorted ids."""

    kind: ClassVar[str] = "dataset_version"
    environment: str
    items: dict[str, tuple[str, ...]]
    "Role (train, golden, variants, ...) to sorted content ids."

    @classmethod
    def make(cls, environment: str, items: dict[str, tuple[str, ...]]) -> "DatasetVersion":
        """A manifest with its ids sorted, whose own id follows from them."""
        sorted_items = {role: tuple(sorted(ids)) for role, ids in sorted(items.items())}
        return cls(
            id=content_id(environment, {role: list(ids) for role, ids in sorted_items.items()}),
            environment=environment,
            items=sorted_items,
        )


class Run(Record):
    """One night: what it was asked to do and with what."""

    kind: ClassVar[str] = "run"
    environment: str
    seed: int
    config: dict[str, JsonValue] = {}
    versions: dict[str, str] = {}
    trigger: str = "request"


class StageResult(Record):
    """What one stage of a run left behind: ids and figures, small enough for a row."""

    kind: ClassVar[str] = "stage_result"
    run: str
    stage: str
    result: dict[str, JsonValue]
    seconds: float


class ItemScore(BaseModel):
    """How one release did on one example. `score` is 1 or 0 where there is a right answer, else real-valued."""

    model_config = ConfigDict(frozen=True)
    example: str
    cluster: str
    score: float
    answer: JsonValue = None
    expected: JsonValue = None
    probability: float | None = None
    "Probability the release gave to `answer`."
    expected_probability: float | None = None
    "Probability the release gave to `expected`."
    weight: float = 1.0
    "Inverse of how much likelier than at random the item was to be looked at."
    was_wrong: bool = False
    "The champion's live answer was corrected by a person."
    chosen_by: ChosenBy | None = None
    "How the item came before a person's eyes; None where `weight` says all there is to say of that."
    fresh: bool = True
    "No gate has counted the item for this champion before. Of a frozen challenger: labelled after it was frozen."
    domain: str | None = None


class Evaluation(Record):
    """A release on a suite, example by example."""

    kind: ClassVar[str] = "evaluation"
    environment: str
    release: str
    suite: str
    run: str | None = None
    scores: tuple[ItemScore, ...] = ()
    hostile: tuple[ItemScore, ...] = ()
    "Screens with text that tries to turn the verdict: score 1 where the verdict holds, 0 where it turns."
    latency_ms_p50: float | None = None
    weights_bytes: int | None = None
    "Memory that the weights take while they serve."


class GateResult(BaseModel):
    """One gate's figure against its bound."""

    model_config = ConfigDict(frozen=True)
    name: str
    value: float | None
    bound: float | None
    passed: bool | None
    "None: not assessable, which neither passes nor blocks."
    note: str = ""


class Outcome(StrEnum):
    """What a gate can say."""

    PROMOTED = "promoted"
    REFUSED = "refused"
    UNDECIDED = "undecided"


class Decision(Record):
    """Every gate's figure for one challenger, and what follows."""

    kind: ClassVar[str] = "decision"
    environment: str
    run: str
    champion: str
    challenger: str
    gates: tuple[GateResult, ...]
    outcome: Outcome
    reason: str = ""
    "Plain words for the operator."
    more_examples_needed: int | None = None
    looks: int = 0
    "How many decisions about this champion have looked at its evidence, this one included."
    spent: float = 0.0
    "What of the primary claim's level these looks have spent, as far as evidence was not renewed since."


class Frozen(Record):
    """A promising challenger that waits for evidence, or, where `ends` is set, the end of such a wait."""

    kind: ClassVar[str] = "frozen"
    environment: str
    champion: str
    "The champion it is compared with; with another champion the wait is over."
    challenger: str
    run: str
    upto_seq: int
    "Only words of people later than this are evidence."
    ends: str | None = None
    why: str = ""


class Promotion(Record):
    """A change of champion, and why."""

    kind: ClassVar[str] = "promotion"
    environment: str
    release: str
    previous: str | None
    action: Literal["install", "promote", "rollback"]
    decision: str | None = None
    token: int | None = None
    reason: str = ""
    by: str = "nightshift"
