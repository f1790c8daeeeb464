"""What a judge thinks, and what a policy tried while it trained."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from core.schema.base import Record

__all__ = ["Alternative", "Judgment", "Rollout", "Turn"]


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

    @property
    def verdict(self) -> JsonValue:
        """The answer that scored best; None where nothing is scored."""
        return max(self.scores, key=lambda each: each.score).answer if self.scores else None

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
    tokens: tuple[int, ...] = ()
    "What was sampled, the end token last where it came to one."
    token_logprobs: tuple[float, ...] = ()
    "Of each token under the policy at temperature 1 over the whole vocabulary."
    token_mask: tuple[bool, ...] = ()
    "Which of the tokens the policy chose, and so learns from."
    reward: float | None = None
    reward_parts: dict[str, float | None] = Field(default_factory=dict)
