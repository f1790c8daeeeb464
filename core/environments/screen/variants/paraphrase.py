"""The same request in other words: by rules, and by the judge's model where it has written some."""

import re

import numpy as np

from core.learning.variants import Draft, Labelled, VariantContext, VariantKind

__all__ = ["REWORDED", "reword"]

NAME = "reworded"
OPENINGS = (
    "{}",
    "Please: {}",
    "My task right now is this: {}",
    "Today I have to do the following. {}",
    "To do: {}",
    "I am supposed to {}",
    "Next on the list: {}",
)
SYNONYMS = (
    ("check", "verify"),
    ("write", "draft"),
    ("find out", "work out"),
    ("fix", "repair"),
    ("finish", "complete"),
    ("set up", "configure"),
    ("look at", "inspect"),
    ("review", "go over"),
    ("update", "bring up to date"),
    ("prepare", "get ready"),
    ("test", "try out"),
    ("answer", "reply to"),
    ("plan", "schedule"),
    ("compare", "set side by side"),
)


def reword(ask: str, generator: np.random.Generator) -> str:
    """The same request in other words: another opening, and synonyms of common verbs."""
    text = ask.rstrip(".")
    for one, other in SYNONYMS:
        if generator.random() < 0.7:
            text = re.sub(rf"\b{one}\b", other, text, flags=re.IGNORECASE)
    opening = OPENINGS[int(generator.integers(1, len(OPENINGS)))]
    lowered = text[:1].lower() + text[1:] if text[1:2].islower() else text
    return opening.format(lowered) + "."


def _reworded(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    """What the judge's model wrote comes first: rules know few words."""
    own = parent.example.ask
    drafts = []
    if (written := context.written.get(own, {}).get(NAME)) is not None:
        drafts.append(Draft(NAME, parent.example, parent.answer, written, parameters={"by": "model"}))
    asks = dict.fromkeys(reword(own, generator) for _ in range(6))
    return drafts + [Draft(NAME, parent.example, parent.answer, ask) for ask in asks if ask != own]


REWORDED = VariantKind(
    NAME, "keeps", changes_pixels=False, limit=3, make=_reworded, preserves="what is to be done, and the picture"
)
