"""Free answers to one question, scored beside each other in one call.

Identical answers are shown once. They stand in an order that follows from their content, so that a policy cannot gain
by the place its answer was sampled in, and each is quoted: what stands in an answer is data and never an instruction.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, model_validator

from core.judge.faults import Fault, FaultKind
from core.judge.opinion import Opinion
from core.judge.prompt import quoted
from core.judge.reply import group_scores
from core.judge.sending import Asked, Sender
from core.schema import content_id

__all__ = ["GroupOpinions", "GroupPrompt", "distinct"]

ASK, ANSWERS = "{ask}", "{answers}"
MOST_ANSWERS = 64
REASON_TOKENS, TOKENS_A_SCORE = 300, 12
BY_SCORES = (
    "Answer with one JSON object and nothing else. It holds, in this order: reason, one or two sentences on what tells "
    "the answers apart; scores, an object with one number from 0 for worthless to 1 for perfect under the number of "
    "each answer."
)


class GroupPrompt(BaseModel):
    """What is asked about a group of free answers; the words belong to the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    system: str
    question: str
    "Follows the pictures, where there are any; `{ask}` becomes the quoted question, `{answers}` the numbered answers."
    pictures: bool = True
    "Whether it is shown the pictures; not where all that counts is in the question."

    @model_validator(mode="after")
    def _is_complete(self) -> "GroupPrompt":
        if self.question.count(ASK) != 1 or self.question.count(ANSWERS) != 1:
            raise ValueError(f"the question must hold {ASK} and {ANSWERS} exactly once, and it reads {self.question!r}")
        return self

    def messages(self, ask: str, pictures: Sequence[str], answers: Sequence[str]) -> list[JsonValue]:
        """A conversation for a chat server. `pictures` are URLs, `answers` the distinct ones in the order shown."""
        before, after = self.question.split(ANSWERS)
        listed = "\n".join(f"{number}: {quoted(answer)}" for number, answer in enumerate(answers, start=1))
        # Each side is filled in by itself: whatever stands in an answer or in the question, nothing is put into it.
        question = f"{before.replace(ASK, quoted(ask))}{listed}{after.replace(ASK, quoted(ask))}"
        content: list[JsonValue] = [{"type": "image_url", "image_url": {"url": url}} for url in pictures]
        content.append({"type": "text", "text": f"{question}\n{BY_SCORES}"})
        return [{"role": "system", "content": self.system}, {"role": "user", "content": content}]

    def reply_format(self, answers: int) -> dict[str, Any]:
        """The JSON schema of a reply: the reason first, then one score for each of so many answers."""
        numbers = [str(number) for number in range(1, answers + 1)]
        scores = {
            "type": "object",
            "properties": {number: {"type": "number", "minimum": 0, "maximum": 1} for number in numbers},
            "required": numbers,
            "additionalProperties": False,
        }
        schema = {
            "type": "object",
            "properties": {"reason": {"type": "string"}, "scores": scores},
            "required": ["reason", "scores"],
            "additionalProperties": False,
        }
        return {"type": "json_schema", "json_schema": {"name": "scores", "strict": True, "schema": schema}}


class GroupOpinions:
    """Asks one model about groups of answers."""

    def __init__(self, sender: Sender, prompt: GroupPrompt) -> None:
        self._sender, self._prompt = sender, prompt

    async def opinion(self, asked: Asked, candidates: Sequence[JsonValue]) -> Opinion:
        """A score for each distinct text among the candidates. Raises Fault where the reply gives none."""
        answers = distinct(candidates)
        if not 1 <= len(answers) <= MOST_ANSWERS:
            raise Fault(FaultKind.ANSWERED, f"{len(answers)} different answers; a group has 1 to {MOST_ANSWERS}")
        shown = sorted(answers, key=lambda answer: content_id(asked.ask, answer))
        request = {
            "messages": self._prompt.messages(asked.ask, asked.urls, shown),
            "temperature": 0.0,
            "seed": 0,
            "max_tokens": REASON_TOKENS + TOKENS_A_SCORE * len(shown),
            "response_format": self._prompt.reply_format(len(shown)),
        }
        characters = len(self._prompt.system) + len(self._prompt.question) + len(asked.ask) + sum(map(len, shown))
        scores, reason = group_scores(await self._sender.send(request, asked, characters), len(shown))
        return Opinion(scores=dict(zip(shown, scores, strict=True)), position_bias=None, reason=reason)


def distinct(candidates: Sequence[JsonValue]) -> list[str]:
    """The different texts among the candidates, sorted; what is no text is no answer."""
    return sorted({each for each in candidates if isinstance(each, str)})
