"""The description of the work in another language, by a phrase book that translates all of a request or nothing of it.

What it knows are requests of the form *do something with a thing, in or for another*: a verb, a noun phrase, and
phrases that begin with a preposition. Verbs and nouns stand in `data/phrasebook.toml`; names and numbers are taken
over. A request with any other word in it is not translated. Where the judge's model has written a translation, that is
taken, and the judge has to confirm its label.
"""

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from core.learning.variants import Draft, Labelled, VariantContext, VariantKind

__all__ = ["LANGUAGES", "TRANSLATED", "translate"]

NAME = "translated"
LANGUAGES = {"de": "German", "fr": "French", "es": "Spanish"}
PHRASEBOOK = Path(__file__).parents[1] / "data" / "phrasebook.toml"
CLAUSE = re.compile(r",\s*(?:and|then|and\s+then)\s+|\s+and\s+(?:then\s+)?|,\s*|;\s*")
NAME_OR_NUMBER = re.compile(r"[A-Z][\w.-]*|\d[\w.,:%-]*")
DETERMINERS = {"the", "a", "an", "our", "this", "all", "all the"}
LONGEST = 4
"Words of a phrase in the book."


class _Unknown(Exception):
    """A word that stands in no phrase of the book."""


def translate(ask: str, language: str) -> str | None:
    """`ask` in `language` (a key of LANGUAGES), as a request in the infinitive; None where a part is unknown."""
    book = _book()
    try:
        clauses = [_Clause(text, language, book).translated() for text in _clauses(ask, book)]
    except _Unknown:
        return None
    joined = f" {book['and'][language]} ".join(clauses)
    return f"{joined[:1].upper()}{joined[1:]}."


@lru_cache(maxsize=1)
def _book() -> dict[str, Any]:
    return tomllib.loads(PHRASEBOOK.read_text(encoding="utf-8"))


def _clauses(ask: str, book: dict[str, Any]) -> list[str]:
    """The parts that begin with a verb; a part that does not belongs to the one before it and makes it unknown."""
    parts = [part.strip() for part in CLAUSE.split(ask.strip().rstrip(".")) if part.strip()]
    if not parts or not all(_begins(part.lower().split(), book["verbs"]) for part in parts):
        raise _Unknown
    return parts


def _begins(words: list[str], phrases: dict[str, Any]) -> str | None:
    """The longest phrase of `phrases` that `words` begin with."""
    for length in range(min(LONGEST, len(words)), 0, -1):
        phrase = " ".join(words[:length])
        if phrase in phrases:
            return phrase
    return None


class _Clause:
    """One request being read from left to right."""

    def __init__(self, text: str, language: str, book: dict[str, Any]) -> None:
        self._words, self._language, self._book = text.split(), language, book

    def translated(self) -> str:
        verb = self._take(self._book["verbs"])
        spoken = self._book["verbs"][verb][self._language]
        words, case = (spoken, "acc") if isinstance(spoken, str) else spoken
        parts = []
        if self._words and self._words[0].lower() not in self._book["prepositions"]:
            lead, _, verb_words = words.rpartition("|")
            parts.append(self._noun_phrase(lead, case))
            words = verb_words
        elif "|" in words:
            raise _Unknown
        while self._words:
            preposition = self._book["prepositions"][self._take(self._book["prepositions"])][self._language]
            lead, case = (preposition, "acc") if isinstance(preposition, str) else preposition
            parts.append(self._noun_phrase(lead, case))
        last = self._language == "de"
        return " ".join([*parts, words] if last else [words, *parts])

    def _take(self, phrases: dict[str, Any]) -> str:
        found = _begins([word.lower() for word in self._words], phrases)
        if found is None:
            raise _Unknown
        del self._words[: len(found.split())]
        return found

    def _noun_phrase(self, lead: str, case: str) -> str:
        """With the preposition that leads it, and the article that goes with both."""
        determiner = self._determiner()
        if determiner is None and self._is_name():
            return " ".join(filter(None, [lead, self._words.pop(0)]))
        noun = self._take(self._book["nouns"])
        word, gender = self._book["nouns"][noun][self._language]
        if self._language == "de" and case == "dat" and gender == "p" and not word.endswith(("n", "s")):
            word += "n"
        return self._contracted(" ".join(filter(None, [lead, self._article(determiner, gender, case), word])))

    def _is_name(self) -> bool:
        """Whether the next word is a name or a number, which is the same in every language."""
        word = self._words[0] if self._words else ""
        return bool(NAME_OR_NUMBER.fullmatch(word)) and word not in self._book["no_names"]

    def _determiner(self) -> str | None:
        found = _begins([word.lower() for word in self._words], dict.fromkeys(DETERMINERS))
        if found is not None:
            del self._words[: len(found.split())]
        return {"an": "a", "all the": "all"}.get(found, found) if found else None

    def _article(self, determiner: str | None, gender: str, case: str) -> str:
        if determiner is None:
            # Other languages than English and German do not go without.
            determiner = "the" if self._language in ("fr", "es") else None
        if determiner is None:
            return ""
        forms = self._book["articles"][self._language][determiner]
        found: str | None = forms.get(f"{gender}-{case}", forms.get(gender))
        if found is None:
            raise _Unknown
        return found

    def _contracted(self, phrase: str) -> str:
        for long, short in self._book["contractions"][self._language]:
            phrase = re.sub(long, short, phrase, flags=re.IGNORECASE)
        return phrase


def _translated(parent: Labelled, context: VariantContext, generator: np.random.Generator) -> list[Draft]:
    own = parent.example.ask
    drafts = []
    for language in generator.permutation(sorted(LANGUAGES)).tolist():
        written = context.written.get(own, {}).get(f"{NAME}/{language}")
        by_book = translate(own, language)
        ask, by = (by_book, "phrase book") if by_book is not None else (written, "model")
        if ask is not None:
            parameters = {"language": language, "by": by}
            doubtful = by == "model"
            drafts.append(Draft(NAME, parent.example, parent.answer, ask, parameters={**parameters}, doubtful=doubtful))
    return drafts


TRANSLATED = VariantKind(
    NAME,
    "keeps",
    changes_pixels=False,
    limit=3,
    make=_translated,
    preserves="what is to be done, in another language, and the picture",
)
