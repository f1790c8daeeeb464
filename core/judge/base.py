"""The contract of every judge."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from pydantic import JsonValue

from core.policy import Library
from core.schema import Alternative, Example, Judgment, content_id

__all__ = ["Judge"]


class Judge(ABC):
    """A teacher: scores the candidate answers of an example, or says why it cannot.

    Screen content is data to a judge: nothing that stands on an input may act as an instruction.
    """

    name: ClassVar[str]
    prompt_version: str
    "Changes whenever the judge would answer differently to the same question."

    @abstractmethod
    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:
        """Scores in 0..1 for each candidate, or an unscored judgment with its reason. Never raises for an input."""

    def judgment_id(self, example: Example, candidates: Sequence[JsonValue]) -> str:
        """The cache key: the same judge asked the same thing under the same prompt version."""
        return content_id(self.name, self.prompt_version, example.id, list(candidates))

    def scored(
        self, example: Example, candidates: Sequence[JsonValue], scores: Sequence[float], rationale: str, ms: float
    ) -> Judgment:
        """A judgment with one score per candidate."""
        pairs = zip(candidates, scores, strict=True)
        return self._judgment(
            example,
            candidates,
            scores=tuple(Alternative(answer=answer, score=score) for answer, score in pairs),
            rationale=rationale,
            latency_ms=ms,
        )

    def unscored(self, example: Example, candidates: Sequence[JsonValue], why: str, ms: float = 0.0) -> Judgment:
        """A judgment that is neutral and says why."""
        return self._judgment(example, candidates, unscored=why, latency_ms=ms)

    def _judgment(self, example: Example, candidates: Sequence[JsonValue], **fields: object) -> Judgment:
        return Judgment.model_validate(
            {
                "id": self.judgment_id(example, candidates),
                "environment": example.environment,
                "example": example.id,
                "judge": self.name,
                "prompt_version": self.prompt_version,
                **fields,
            }
        )
