"""Which kinds of activity a text speaks of, told by its words: "extrude" is said in CAD, "ledger" in accounting.

A sentence encoder sees what a text is like; it does not know that Part, Sketch and Mesh in a menu make a CAD program,
nor which programs are games. The background's terms and names of applications say so. Axes: T kinds of activity.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.policy.reader.asks import parse_ask, tool_phrases
from core.policy.reader.background import Background
from core.policy.reader.words import stems
from core.reading import TextEncoder

__all__ = ["KindAgreement", "kind_agreement", "kind_evidence"]

NAME_WEIGHT = 2.0
"The name of an application says more than a word that is used in it."
LONGER_TERM = 0.5
"How much more each further word of a term counts."
SCREEN_TEMPERATURE = 0.15
ASK_TEMPERATURE = 0.17
OVERLAP_FLOOR = 0.01

Vector = NDArray[np.float64]
Stems = tuple[str, ...]


class KindAgreement(NamedTuple):
    """How far a screen and a description are of the same kind."""

    same_kind: float
    "Cosine of the evidence for each kind on either side, -1..1."
    kind_overlap: float
    "Log of how much likelier than by chance both are of one kind; 0 by chance."


def kind_agreement(
    ask: str, text: str, topics_T: NDArray[np.float32], background: Background, encoder: TextEncoder
) -> KindAgreement:
    """Agreement of a description with a screen's text and its topic shares, from words and from the encoder."""
    screen_T = _direction(np.sqrt(kind_evidence(text, background)))
    asked_T = _asked(ask, background, encoder)
    shown_T = _softmax((screen_T + _direction(topics_T.astype(np.float64))) / SCREEN_TEMPERATURE)
    overlap = float(shown_T @ _softmax(asked_T / ASK_TEMPERATURE))
    chance = 1 / len(topics_T)
    return KindAgreement(
        same_kind=float(screen_T @ _direction(asked_T)),
        kind_overlap=float(np.log((OVERLAP_FLOOR + overlap) / (OVERLAP_FLOOR + chance))),
    )


def kind_evidence(text: str, background: Background) -> Vector:
    """Float[T]: for each kind the weights of its distinct terms and applications in `text`, rarer ones more."""
    weights = _term_weights(background)
    longest = max(map(len, weights), default=0)
    evidence_T = np.zeros(len(background.activities))
    for term in sorted(set(_phrases(stems(text), longest)) & weights.keys()):
        for kind, weight in weights[term]:
            evidence_T[kind] += weight
    return evidence_T


@lru_cache(maxsize=4096)
def _asked(ask: str, background: Background, encoder: TextEncoder) -> Vector:
    wanted = parse_ask(ask).wanted
    # The tool is what the screen will look like: "the jazz recording in the audio workstation" is no music player.
    words_T = sum((kind_evidence(phrase, background) for phrase in (wanted, *tool_phrases(wanted))), np.zeros(1))
    vectors = background.vectors(encoder)
    similar_W = vectors.works_WD @ encoder.embed([wanted])[0]
    works = np.cumsum([0, *(len(activity.works) for activity in background.activities)])[:-1]
    meant_T = np.maximum(np.maximum.reduceat(similar_W, works), 0.0).astype(np.float64) ** 2
    return _direction(np.sqrt(words_T)) + _direction(meant_T)


@lru_cache(maxsize=4)
def _term_weights(background: Background) -> dict[Stems, tuple[tuple[int, float], ...]]:
    """For each term the kinds it speaks for, each with log(T / kinds that use it), as in inverse document frequency."""
    kinds: dict[Stems, dict[int, float]] = {}
    for kind, activity in enumerate(background.activities):
        for term in activity.terms:
            kinds.setdefault(stems(term), {}).setdefault(kind, 1.0)
        for name in activity.applications:
            kinds.setdefault(stems(name), {})[kind] = NAME_WEIGHT
    total = len(background.activities)
    return {
        term: tuple(
            (kind, weight * np.log(total / len(of)) * (1 + LONGER_TERM * (len(term) - 1)) / np.sqrt(len(of)))
            for kind, weight in of.items()
        )
        for term, of in kinds.items()
        if term
    }


def _phrases(words: Stems, longest: int) -> Iterator[Stems]:
    for length in range(1, longest + 1):
        yield from (words[start : start + length] for start in range(len(words) - length + 1))


def _direction(vector_T: Vector) -> Vector:
    """The vector about its mean, with length 1; zeros where all kinds are alike."""
    centred_T = vector_T - vector_T.mean()
    length = float(np.linalg.norm(centred_T))
    return centred_T / length if length > 1e-9 else np.zeros_like(centred_T)


def _softmax(vector_T: Vector) -> Vector:
    weights_T: Vector = np.exp(vector_T - vector_T.max())
    return weights_T / weights_T.sum()
