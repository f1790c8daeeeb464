"""The form of a free-text answer, as data: for a decoder that may write nothing else.

An answer is one of the `openings`, and behind it a line of `least` to `most` signs.
"""

import re

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["TextForm"]

SIGNS = r"\u4e00-\u9fffA-Za-z0-9_，。、：；（）"
"Chinese characters, Latin letters, digits, and marks; no space and no line break."


class TextForm(BaseModel):
    """What may be written. `signs` is the inside of a class of characters, as regular expressions spell it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    openings: tuple[str, ...] = ("",)
    least: int = Field(1, ge=1)
    most: int = Field(ge=1)
    signs: str = SIGNS

    @property
    def pattern(self) -> str:
        """The regular expression that exactly the answers of this form match."""
        openings = "|".join(map(re.escape, self.openings))
        return rf"({openings})[{self.signs}]{{{self.least},{self.most}}}"

    @property
    def sign(self) -> re.Pattern[str]:
        """One character that may stand in the line."""
        return re.compile(f"[{self.signs}]")
