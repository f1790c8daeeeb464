"""What a judge that answers in words is asked, as data: the words belong to the environment, the care is taken here.

The answers stand under letters, in an order that changes from call to call, so that what a model thinks of a letter
or a place can be told from what it thinks of an answer. What an example brings along is quoted, never spoken.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue, model_validator

__all__ = ["LETTERS", "JudgePrompt", "quoted"]

ASK, OPTIONS = "{ask}", "{options}"
LETTERS = "ABCDEFGHIJ"
BY_LETTER = "Answer with the letter of the true statement and nothing else."
BY_JSON = (
    "Answer with one JSON object and nothing else. It holds, in this order: reason, one or two sentences on what the "
    "picture shows and how that fits; verdict, the letter of the true statement; confidence, from 0.5 for a guess to "
    "1 for certain."
)
BEGINS_A_TOKEN = re.compile(r"([<\[])(?=\S)")
"""How the control tokens of chat formats begin: <|im_start|>, <start_of_turn>, </s>, <image>, [INST], [/INST]."""


class JudgePrompt(BaseModel):
    """The question about one example, and for each answer the statement that is true where it is right."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    system: str
    question: str
    "Follows the pictures; `{ask}` becomes the quoted question of the example, `{options}` the lettered statements."
    statements: dict[str, str]

    @model_validator(mode="after")
    def _is_complete(self) -> "JudgePrompt":
        if self.question.count(ASK) != 1 or self.question.count(OPTIONS) != 1:
            raise ValueError(f"the question must hold {ASK} and {OPTIONS} exactly once, and it reads {self.question!r}")
        if not 2 <= len(self.statements) <= len(LETTERS):
            raise ValueError(f"{len(self.statements)} statements; a question has 2 to {len(LETTERS)}")
        return self

    @property
    def answers(self) -> tuple[str, ...]:
        return tuple(self.statements)

    def messages(self, ask: str, pictures: Sequence[str], order: Sequence[str], *, as_json: bool) -> list[JsonValue]:
        """A conversation for a chat server. `pictures` are URLs, `order` the answers as they are lettered."""
        options = "\n".join(
            f"{letter}: {self.statements[answer]}" for letter, answer in zip(LETTERS, order, strict=False)
        )
        # The quoted question comes in last: whatever stands in it, nothing is put into it.
        question = self.question.replace(OPTIONS, options).replace(ASK, quoted(ask))
        content: list[JsonValue] = [{"type": "image_url", "image_url": {"url": url}} for url in pictures]
        content.append({"type": "text", "text": f"{question}\n{BY_JSON if as_json else BY_LETTER}"})
        return [{"role": "system", "content": self.system}, {"role": "user", "content": content}]

    def reply_format(self) -> dict[str, Any]:
        """The JSON schema of a reply in words: the reason comes first, so that the verdict follows from it."""
        letters = list(LETTERS[: len(self.statements)])
        properties = {
            "reason": {"type": "string"},
            "verdict": {"type": "string", "enum": letters},
            "confidence": {"type": "number"},
        }
        schema = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }
        return {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": schema}}


def quoted(text: str) -> str:
    """The text as one JSON string in which no control token of a chat format is left.

    Which tokens a model behind a server has is not known, so whatever could begin one gets a space behind it.
    """
    return json.dumps(BEGINS_A_TOKEN.sub(r"\1 ", text), ensure_ascii=False)
