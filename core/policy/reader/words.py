"""Words as they are compared: in lower case, without common endings."""

import re

__all__ = ["stems"]

WORD = re.compile(r"[a-z0-9]+")
ENDING = re.compile(r"(ing|ed|es|s)$")
SHORTEST_INFLECTED = 5


def stems(text: str) -> tuple[str, ...]:
    """The words of `text` in order; those of five letters and more without -ing, -ed, -es or -s."""
    return tuple(
        ENDING.sub("", word) if len(word) >= SHORTEST_INFLECTED else word for word in WORD.findall(text.lower())
    )
