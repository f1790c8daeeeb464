"""The visual verifier: rules on the title and the words of a screen. Deterministic, offline, often silent."""

import re

from pydantic import JsonValue

from core.environments.screen.titles import kept_window_title
from core.policy.reader.asks import parse_ask
from core.policy.testimony import Testimony
from core.reading import Reading, text_encoder
from core.reward import Question

__all__ = ["visual_verifier"]

RARE = 1.5
"Words rarer than this say what a screen is about."
ENOUGH_LINES = 15
HEADLINE_HEIGHT = 0.03
WORD = re.compile(r"[a-z][a-z0-9]{2,}")


def visual_verifier(question: Question, answer: JsonValue) -> float | None:
    """1 or 0 where a rule speaks for or against the answer, else nothing.

    The title or a headline names what the work rules out: off task. It names two or more rare words of what is
    wanted: on task. A screen full of text that shares no rare word with the work at all: off task.
    """
    if question.library is None or question.example.answers is None:
        return None
    media = question.example.media[0]
    library = Testimony(question.library, question.example)
    title = kept_window_title(media, library)
    verdict = _verdict(library.reading(media), title, question.example.ask)
    if verdict is None:
        return None
    on_task, off_task = question.example.answers
    if answer not in (on_task, off_task):
        return 0.0
    return float((answer == on_task) == verdict)


def _verdict(reading: Reading, title: str | None, ask: str) -> bool | None:
    wanted, excluded = parse_ask(ask)
    headlines = _rare_words(" ".join([title or "", *_headlines(reading)]))
    if headlines & _rare_words(excluded):
        return False
    wanted_words = _rare_words(wanted)
    if len(headlines & wanted_words) >= 2:
        return True
    if len(reading.lines) >= ENOUGH_LINES and wanted_words and not wanted_words & _rare_words(reading.text):
        return False
    return None


def _headlines(reading: Reading) -> list[str]:
    return [line.text for line in reading.lines if line.height >= HEADLINE_HEIGHT]


def _rare_words(text: str) -> set[str]:
    encoder = text_encoder()
    words = {word.rstrip("s") for word in WORD.findall(text.lower())}
    return {word for word in words if encoder.rarity(word) > RARE}
