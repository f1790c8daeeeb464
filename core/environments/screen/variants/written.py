"""What a model is asked to write in place of a description, and what is taken of it."""

import re

from core.environments.screen.variants.language import LANGUAGES, TRANSLATED, translate
from core.environments.screen.variants.paraphrase import REWORDED
from core.policy.reader.asks import parse_ask
from core.reading import text_encoder

__all__ = ["may_stand_for", "rewrites"]

SAME = 0.6
"Cosine below which two English descriptions may be of different work."
LONGEST = 3
"Times as long as the description, and a sentence more: what is longer adds something."
SENTENCE = 80
FIGURES = re.compile(r"\d+")


def rewrites(ask: str) -> dict[str, str]:
    """Other words, and the languages into which the phrase book cannot translate `ask`."""
    wanted = {
        REWORDED.name: "Write the same description as another person would say it, in English, with nothing added."
    }
    for language, name in LANGUAGES.items():
        if translate(ask, language) is None:
            wanted[f"{TRANSLATED.name}/{language}"] = f"Translate the description into {name}, with nothing added."
    return wanted


def may_stand_for(ask: str, how: str, text: str) -> bool:
    """Whether `text` says no more than `ask` as far as rules can tell: its length, its figures, and in English what it
    means and whether it rules something out. Whether a translation is one the judge has to tell by its verdict."""
    if not text or text == ask or len(text) > LONGEST * len(ask) + SENTENCE:
        return False
    if sorted(FIGURES.findall(text)) != sorted(FIGURES.findall(ask)):
        return False
    if how != REWORDED.name:
        return True
    own_D, written_D = text_encoder().embed([ask, text])
    return float(own_D @ written_D) >= SAME and bool(parse_ask(ask).excluded) == bool(parse_ask(text).excluded)
