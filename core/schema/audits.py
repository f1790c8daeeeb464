"""What is found where judges are held against people."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from core.schema.base import Record

__all__ = ["Agreement", "JudgeAudit"]


class Agreement(BaseModel):
    """How far a judge agrees with people on N examples, over those that it scores."""

    model_config = ConfigDict(frozen=True)
    n: int
    scored: int
    accuracy: float | None = None
    kappa: float | None = None
    "Cohen's kappa."
    kappa_ci95: tuple[float, float] | None = None


class JudgeAudit(Record):
    """A judge held against people's feedback that it was not tuned on."""

    kind: ClassVar[str] = "judge_audit"
    environment: str
    judge: str
    prompt_version: str
    upto_seq: int
    "The last word of a person that was looked at."
    overall: Agreement
    by_category: dict[str, Agreement]
    ece: float | None = None
    "Expected calibration error of the judge's confidence."
    position_bias: float | None = None
    left_out: int = 0
    "Labels that may have been seen by whoever tuned the judge."
    champion: str
    compared: int
    "Scored examples that the champion was not trained on."
    wins: int
    "Of those, where the judge alone is right."
    losses: int
    "Of those, where the champion alone is right."
    share: float
    "0..1: the part of its weight in the reward that it has earned."
    calls: int
    cached: int
    tokens: int = 0
    "Of the judgments looked at, whenever they were asked for; so are the dollars of one judgment."
    cost_usd: float | None = 0.0
    "Of what was asked for in this audit; None where a price is not known."
    usd_per_judgment: float | None = None
    seconds: float
