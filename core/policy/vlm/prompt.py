"""What a vision-language student is asked, as data: the words belong to the environment, the care is taken here.

Whatever an example brings along (the description of the work, the picture) is quoted, never spoken to the model: the
description stands inside one JSON string, so that no quotation mark or line break ends it, and nothing in it can
become a control token of the model's chat format. The system message says that both are data.
"""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

__all__ = ["Prompt"]

ASK = "{ask}"


class Prompt(BaseModel):
    """The messages of one example, and the word that stands for each answer; without answers it is asked for text."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    system: str
    question: str
    "Follows the pictures; `{ask}` in it becomes the quoted question of the example."
    answers: tuple[str, ...] = ()
    "The closed answer set; empty where the model answers in free text."
    words: tuple[str, ...] = ()
    "What the model is to say for each answer; best single tokens that begin differently."
    pictures: bool = True
    "Whether the model is shown the example's pictures; else it is asked about its text alone."
    verdicts: tuple[str, ...] = ()
    "In free text: the closed set of first lines that an answer may have; empty where it has no such line."

    @model_validator(mode="after")
    def _is_complete(self) -> "Prompt":
        if self.question.count(ASK) != 1:
            raise ValueError(f"the question must hold {ASK} exactly once, and it reads {self.question!r}")
        if len(self.answers) != len(self.words) or len(self.answers) == 1:
            raise ValueError(
                f"{len(self.words)} words for {len(self.answers)} answers; two or more have one each, free text none"
            )
        if self.answers and self.verdicts:
            raise ValueError("a closed set of answers has no first lines besides; name verdicts for free text alone")
        return self

    def messages(self, ask: str, pictures: int, control_tokens: Sequence[str]) -> list[dict[str, Any]]:
        """A conversation as chat templates take it. `control_tokens` are texts that must not come out of `ask`."""
        quoted = json.dumps(without_control_tokens(ask, control_tokens), ensure_ascii=False)
        content = [{"type": "image"} for _ in range(pictures if self.pictures else 0)]
        return [
            {"role": "system", "content": [{"type": "text", "text": self.system}]},
            {"role": "user", "content": [*content, {"type": "text", "text": self.question.replace(ASK, quoted)}]},
        ]


def without_control_tokens(text: str, control_tokens: Sequence[str]) -> str:
    """The same text, readable, in which no control token is left: each gets a space behind its first character."""
    tokens = sorted((token for token in control_tokens if len(token) > 1), key=len, reverse=True)
    while found := next((token for token in tokens if token in text), None):
        text = text.replace(found, f"{found[0]} {found[1:]}")
    return text
