"""What a release is worth, and who serves."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from core.schema.base import Record
from core.schema.examples import ChosenBy

__all__ = ["Decision", "Evaluation", "Frozen", "GateResult", "ItemScore", "Outcome", "Promotion"]


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
