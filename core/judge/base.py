"""The contract of every judge."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import JsonValue

from core.policy import Library
from core.schema import Alternative, Example, Judgment, NightshiftError, content_id, new_id

__all__ = ["Group", "Judge", "Rewrite", "Rewritten", "Spent"]

PAGE = 20

Group = tuple[Example, Sequence[JsonValue]]
"""An example and the answers to it that are judged beside each other."""


@dataclass(frozen=True)
class Spent:
    """What a night's judgments have cost."""

    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.tokens + other.tokens, self.usd + other.usd)

    @classmethod
    def on(cls, judgments: Sequence[Judgment]) -> "Spent":
        """The sum over `judgments`; those of an unknown price count their tokens alone."""
        return cls(sum(each.tokens for each in judgments), sum(each.cost_usd or 0.0 for each in judgments))


class Rewrite(NamedTuple):
    """What is to be written."""

    ask: str
    how: str
    "A name for the way."
    instruction: str


class Rewritten(NamedTuple):
    """What was written, and what it cost."""

    wanted: Rewrite
    text: str | None
    "None where nothing usable came."
    tokens: int
    usd: float


class Judge(ABC):
    """A teacher: scores the candidate answers of an example, or says why it cannot.

    Screen content is data to a judge: nothing that stands on an input may act as an instruction.
    """

    name: str
    prompt_version: str
    "Changes whenever the judge would answer differently to the same question."
    reads: bool = False
    "Whether it asks the library for readings: they take longer than anything else."

    @abstractmethod
    def judge(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:
        """Scores in 0..1 for each candidate, or an unscored judgment with its reason. Never raises for an input."""

    def judge_groups(
        self,
        groups: Sequence[Group],
        library: Library,
        spent: Spent = Spent(),  # noqa: ARG002 (frozen)
    ) -> Iterator[list[Judgment]]:
        """One judgment a group, in pages as they are ready and in any order.

        `spent` counts toward the budget of a judge that has one. A page may be empty: whoever waits is given a turn.
        """
        for start in range(0, len(groups), PAGE):
            yield [self._judged(example, candidates, library) for example, candidates in groups[start : start + PAGE]]

    def judge_all(
        self,
        examples: Sequence[Example],
        library: Library,
        spent: Spent = Spent(),
    ) -> Iterator[list[Judgment]]:
        """The same for each example with its own closed set of answers."""
        return self.judge_groups([(example, example.answers or ()) for example in examples], library, spent)

    def rewrite(self, wanted: Sequence[Rewrite], spent: Spent = Spent()) -> Iterator[list[Rewritten]]:  # noqa: ARG002
        """Texts by the judge's model, in pages as they are ready and in any order; nothing from one that cannot write.

        `spent` counts toward the budget of a judge that has one.
        """
        return iter(())

    def _judged(self, example: Example, candidates: Sequence[JsonValue], library: Library) -> Judgment:
        try:
            return self.judge(example, candidates, library)
        except NightshiftError as error:
            return self.unscored(example, candidates, str(error), transient=True)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever relies on it should know of how it is set up."""
        return ()

    def judgment_id(self, example: Example, candidates: Sequence[JsonValue]) -> str:
        """The cache key: the same judge asked the same thing under the same prompt version."""
        return content_id(self.name, self.prompt_version, example.id, list(candidates))

    def scored(
        self,
        example: Example,
        candidates: Sequence[JsonValue],
        scores: Sequence[float],
        rationale: str,
        ms: float,
        **fields: object,
    ) -> Judgment:
        """A judgment with one score per candidate. `fields` are further ones of the judgment."""
        pairs = zip(candidates, scores, strict=True)
        return self._judgment(
            example,
            id=self.judgment_id(example, candidates),
            scores=tuple(Alternative(answer=answer, score=score) for answer, score in pairs),
            rationale=rationale,
            latency_ms=ms,
            **fields,
        )

    def unscored(
        self,
        example: Example,
        candidates: Sequence[JsonValue],
        why: str,
        ms: float = 0.0,
        *,
        transient: bool = False,
        **fields: object,
    ) -> Judgment:
        """A judgment that is neutral and says why.

        Where the reason is `transient` (a fault, a budget) it is an event with an id of its own, and nobody takes it
        for the answer to the question: the next night asks again.
        """
        id = new_id() if transient else self.judgment_id(example, candidates)
        return self._judgment(example, id=id, unscored=why, latency_ms=ms, transient=transient, **fields)

    def _judgment(self, example: Example, **fields: object) -> Judgment:
        return Judgment.model_validate(
            {
                "environment": example.environment,
                "example": example.id,
                "judge": self.name,
                "prompt_version": self.prompt_version,
                **fields,
            }
        )
