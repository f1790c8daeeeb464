"""What a screen testifies: its lines without those that speak to whoever judges it, or say the work back.

A screen is evidence of what somebody does. Text on it that speaks of verdicts, grades and tasks, or that repeats the
description of the work word for word, is no such evidence, whoever wrote it and whatever it asks for: student, judge
and verifier read the screen without it. Nothing else follows from such text: it speaks neither for nor against.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, reduce
from itertools import pairwise
from operator import or_
from typing import TYPE_CHECKING

from core.policy.base import Library
from core.policy.reader.words import stems
from core.schema import content_id

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

    from core.reading import Line, Reading
    from core.schema import Example

    Arrays = dict[str, NDArray[np.float32]]

__all__ = ["Testimony", "testimony"]

NOTHING = r"(?!)"
ROLE = re.compile(
    r"<\W*(im_start|im_end|system|assistant|user)\b|\b(im_start|im_end)\b|\[\W*(system|assistant|inst)\b|\bground.?truth\b",
    re.I,
)
"Marks of a prompt."
TALK = tuple(
    re.compile(rf"\b({words})\b", re.I)
    for words in (
        # of verdicts
        r"verdicts?|classif\w+|label\w*|annotat\w+|judge[ds]?|judge?ments?|grad(e|es|ed|ing)|scor(e|es|ed|ing)|rubrics?|"
        r"criteri\w+|predict\w+|results?|answers?|decisions?|rat(e|ed|ing)|points|marks?|marking|correct|outputs?|approved|"
        r"completion|conclude\w*|consensus|guidelines?|confidence|certain|rules?|reviewed|assess\w*",
        # to or of those who give them
        r"AI|(language )?models?|assistants?|classifiers?|judges|graders?|reviewers?|annotators?|evaluat\w+|whoever|"
        r"system|administrator|admin|supervisors?|operators?|monitoring|checker|panel|human|people",
        # about a screen
        r"screens?|screenshots?|pictures?|images?|windows?|displays?|desktop|workstation|activity|contents?|banner|"
        r"sentence|note|line|text",
        # and the work
        r"tasks?|work|jobs?|assignment|employees?|described|description|doing|instructions?",
        # that are to do something
        r"ignor\w+|disregard\w*|forget|must|only|always|treat\w*|consider\w*|respond|reply|return|report|confirm|choose|"
        r"please|put|say|keep|overrid\w+|regardless|whatever|anything else|everything|every|no need|until further|"
        r"valid|set|needs? no",
        # or are said to fit
        r"relevant|irrelevant|match(es|ing)?|does not match|whitelisted|fits?|counts?( as)?|belongs?",
    )
)
SPOKEN_AND = 1
"Kinds of talk beside an answer in plain words that tell it from `two on task lists`."
TALKATIVE = 4
"Kinds of talk together in few lines; one or two are in any dialogue of settings."
WINDOW = 3
"Lines over which a sentence may run."
NOTE_LINES = 7
"A block of no more lines is one note: what is wrong with one line is wrong with all."
NEAR_LINES = 1.1
"Heights of a line between it and the next of its block, at most."
ALIKE = 1.6
"Times as high as its neighbour a line of one block may be."
SHORTEST_QUOTE = 4
"Words of a description; what is shorter is said by chance."
QUOTED = 0.6
"Share of a description's neighbouring words that stand on the screen as neighbours."


class Testimony:
    """A library as one question sees it: readings without what is no evidence. Meets `Library`.

    Arrays that follow from a shortened reading are kept under a name of their own.
    """

    def __init__(self, library: Library, example: "Example") -> None:
        self._library, self._ask, self._answers = library, example.ask, example.answers or ()

    def image(self, media: str) -> "Image":
        return self._library.image(media)

    def reading(self, media: str) -> "Reading":
        return testimony(self._library.reading(media), self._ask, self._answers)

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":
        whole, heard = self._library.reading(media), self.reading(media)
        if heard is not whole:
            left_out = content_id([place for place, line in enumerate(whole.lines) if line not in heard.lines])
            name = f"{name}-without-{left_out[:12]}"
        return self._library.arrays(media, name, make)


@lru_cache(maxsize=256)
def testimony(reading: "Reading", ask: str, answers: tuple[str, ...]) -> "Reading":
    """`reading` without the lines that address a judge or quote `ask`; the very same where there are none.

    An answer of the closed set `answers` that has several words (`on_task`) is known in the forms in which programs
    write it, which nobody else does, and in plain words.
    """
    left_out: set[int] = set()
    for block, addressing in _addressed(reading, answers):
        flagged = addressing | {block[k] for k in _quoting([reading.lines[i].text for i in block], ask)}
        left_out |= set(block) if flagged and len(block) <= NOTE_LINES else flagged
    if not left_out:
        return reading
    return reading.model_copy(
        update={"lines": tuple(line for i, line in enumerate(reading.lines) if i not in left_out)}
    )


@lru_cache(maxsize=256)
def _addressed(reading: "Reading", answers: tuple[str, ...]) -> list[tuple[list[int], set[int]]]:
    """Each block, as places in the reading, with those of its lines that speak to whoever judges."""
    blocks = _blocks(reading)
    return [
        (block, {block[k] for k in _addressing([reading.lines[i].text for i in block], answers)}) for block in blocks
    ]


def _addressing(texts: Sequence[str], answers: tuple[str, ...]) -> set[int]:
    """Places of the lines of a block that speak to whoever judges, alone or together with their neighbours."""
    formal, spoken = _written(answers), _spoken(answers)
    found = {k for k, text in enumerate(texts) if formal.search(text) or ROLE.search(text)}
    talk = [_talk(text) for text in texts]
    for window in _windows(len(texts)):
        kinds = reduce(or_, (talk[k] for k in window)).bit_count()
        needed = SPOKEN_AND if spoken.search(" ".join(texts[k] for k in window)) else TALKATIVE
        if kinds >= needed and not found.intersection(window):
            found.update(window)
    return found


@lru_cache
def _written(answers: tuple[str, ...]) -> re.Pattern[str]:
    """Answers as programs write them: `on_task`, `on-_task`, `on_ task`, `ON TASK`."""
    forms = []
    for words in _several_words(answers):
        joined, shouted = r"(?:[_.\- ]?_|_[\s_]*)".join(words), "[ -]".join(word.upper() for word in words)
        forms += [rf"\b{joined}\b", rf"\b{shouted}\b"]
    return re.compile("|".join(forms) or NOTHING)


@lru_cache
def _spoken(answers: tuple[str, ...]) -> re.Pattern[str]:
    """Answers in plain words, one or many; a number behind them makes them a name (`on task 12`)."""
    forms = [rf"\b{'[ -]'.join(words)}s?\b(?! *#?\d)" for words in _several_words(answers)]
    return re.compile("|".join(forms) or NOTHING, re.I)


def _several_words(answers: tuple[str, ...]) -> list[list[str]]:
    return [words for answer in answers if len(words := [re.escape(word) for word in answer.split("_") if word]) > 1]


def _talk(text: str) -> int:
    """One bit for each kind of talk in `text`."""
    return sum(1 << kind for kind, words in enumerate(TALK) if words.search(text))


def _quoting(texts: Sequence[str], ask: str) -> set[int]:
    """Places of the lines of a block that repeat a description."""
    wanted = _pairs(stems(ask))
    if len(wanted) < SHORTEST_QUOTE:
        return set()
    found: set[int] = set()
    for window in _windows(len(texts)):
        shown = _pairs(stems(" ".join(texts[k] for k in window)))
        if len(wanted & shown) >= QUOTED * len(wanted) and not found.intersection(window):
            found.update(window)
    return found


def _pairs(words: Sequence[str]) -> set[tuple[str, str]]:
    return set(pairwise(words))


def _windows(count: int) -> Iterator[range]:
    """Runs of lines, the shortest first, so that no more lines are blamed than are needed."""
    for length in range(1, WINDOW + 1):
        yield from (range(start, start + length) for start in range(count - length + 1))


def _blocks(reading: "Reading") -> list[list[int]]:
    """Lines, as places in the reading, that stand below each other as those of one text do."""
    blocks: list[list[int]] = []
    for i in sorted(range(len(reading.lines)), key=lambda i: reading.lines[i].box[1]):
        home = next((block for block in reversed(blocks) if _follows(reading, block[-1], i)), None)
        if home is None:
            blocks.append([i])
        else:
            home.append(i)
    return blocks


def _follows(reading: "Reading", before: int, line: int) -> bool:
    above, below = reading.lines[before], reading.lines[line]
    heights = sorted((above.height, below.height))
    gap = below.box[1] - above.box[3]
    return (
        -heights[0] / 2 < gap < NEAR_LINES * heights[0]
        and heights[1] < ALIKE * heights[0]
        and _shared_width(above, below) > 0
    )


def _shared_width(one: "Line", other: "Line") -> float:
    return min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
