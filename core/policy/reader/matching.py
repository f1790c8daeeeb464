"""From a reading and a description of work to the numbers the reader's head weighs.

Axes: L lines, C chunks of lines, D of the encoder, T topics, M match features.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.policy.base import Library
from core.policy.reader.asks import parse_ask
from core.policy.reader.background import Background, BackgroundVectors
from core.policy.reader.kinds import kind_agreement
from core.policy.reader.words import stems
from core.reading import ENGINE, Line, Reading, TextEncoder

__all__ = [
    "ACTIVITY_FEATURES",
    "MATCH_FEATURES",
    "ScreenVectors",
    "ask_vector",
    "kept_screen_vectors",
    "legibility",
    "match_features",
    "screen_vectors",
]

MATCH_FEATURES = (
    "lines",
    "document",
    "passage",
    "same_activities_seen",
    "same_activities_done",
    "shared_words",
    "excluded",
    "same_kind",
    "kind_overlap",
)
"""Names of the M axis: similarity of the best lines, the whole, the best passage; agreement on the background; words;
what is ruled out; agreement on the kind of activity."""

ACTIVITY_FEATURES = ("same_activities_seen", "same_activities_done", "same_kind", "kind_overlap")
"""Those that know what a screen and a description say only as kinds of activity."""

VECTORS_VERSION = "3"
"Changes with anything below that changes the vectors of a screen."
TOP_LINES = 3
BANDS = 6
"Bands of equal height that passages are cut from: what changes in one leaves the passages of the others as they are."
CHUNK_LINES = 12
DOCUMENT_CHARACTERS = 2000
DOCUMENT_TOKENS = 256
CHUNK_TOKENS = 128
MIN_CHARACTERS = 3
TOPIC_LINES = 5
TOPIC_TEMPERATURE = 0.1
EXCLUDED_FLOOR = 0.1
LEGIBLE_LINES = 6
ILLEGIBLE = 0.05
"Of a screen without text; above 0, so that the answer to it is no tie."
SHORTEST_WORD = 3

Vector = NDArray[np.float32]


class ScreenVectors(NamedTuple):
    """What a picture says, embedded; `topics_T` is its share of each background activity and sums to 1."""

    lines_LD: Vector
    chunks_CD: Vector
    document_D: Vector
    topics_T: Vector


def screen_vectors(reading: Reading, background: Background, encoder: TextEncoder) -> ScreenVectors:
    """Embeds a reading line by line, in passages and as a whole. A screen without text is all zeros."""
    lines = [line for line in reading.lines if len(line.text) >= MIN_CHARACTERS]
    texts = [line.text for line in lines]
    vectors = background.vectors(encoder)
    if not texts:
        nothing = np.zeros((1, encoder.dim), dtype=np.float32)
        topics = np.full(len(vectors.starts), 1 / len(vectors.starts), dtype=np.float32)
        return ScreenVectors(nothing, nothing, nothing[0], topics)
    lines_LD = encoder.embed(texts, swift=True)
    chunks_CD = encoder.embed(passages(lines), CHUNK_TOKENS, swift=True)
    document_D = encoder.embed([" ".join(texts)[:DOCUMENT_CHARACTERS]], DOCUMENT_TOKENS, swift=True)[0]
    return ScreenVectors(lines_LD, chunks_CD, document_D, _topics(lines_LD, chunks_CD, document_D, vectors))


def passages(lines: Sequence[Line]) -> list[str]:
    """Neighbouring lines joined: those of each band in equal shares of at most CHUNK_LINES, in order."""
    bands: dict[int, list[str]] = {}
    for line in lines:
        bands.setdefault(int((line.box[1] + line.box[3]) / 2 * BANDS), []).append(line.text)
    return [
        " ".join(texts[len(texts) * share // shares : len(texts) * (share + 1) // shares])
        for _, texts in sorted(bands.items())
        for shares in [math.ceil(len(texts) / CHUNK_LINES)]
        for share in range(shares)
    ]


def kept_screen_vectors(media: str, library: Library, background: Background, encoder: TextEncoder) -> ScreenVectors:
    """The same, made once for each picture and kept by the library."""
    name = f"vectors{VECTORS_VERSION}-{ENGINE}-{background.digest}"
    make = lambda: screen_vectors(library.reading(media), background, encoder)._asdict()  # noqa: E731
    return ScreenVectors(**library.arrays(media, name, make))


def _topics(lines_LD: Vector, chunks_CD: Vector, document_D: Vector, background: BackgroundVectors) -> Vector:
    def by_topic(vectors_ND: Vector) -> Vector:
        return np.maximum.reduceat(vectors_ND @ background.screens_SD.T, background.starts, axis=1)

    best_lines = np.sort(by_topic(lines_LD), axis=0)[-TOPIC_LINES:].mean(0)
    evidence_T = best_lines + by_topic(chunks_CD).max(0) + by_topic(document_D[None])[0]
    weights_T = np.exp((evidence_T - evidence_T.max()) / TOPIC_TEMPERATURE)
    return (weights_T / weights_T.sum()).astype(np.float32)


def legibility(reading: Reading) -> float:
    """How far a reading can be relied on, up to 1: a screen that says little says little either way."""
    return min(1.0, ILLEGIBLE + (1 - ILLEGIBLE) * len(reading.lines) / LEGIBLE_LINES)


def ask_vector(ask: str, encoder: TextEncoder) -> Vector:
    """Float[D] of what the description wants."""
    return encoder.embed([parse_ask(ask).wanted])[0]


def match_features(
    ask: str, text: str, screen: ScreenVectors, background: Background, encoder: TextEncoder
) -> NDArray[np.float32]:
    """Float[M] in the order of MATCH_FEATURES: how well what is on the screen fits what is wanted."""
    wanted, excluded = parse_ask(ask)
    work_D = encoder.embed([wanted])[0]
    vectors = background.vectors(encoder)
    return np.array(
        [
            float(np.sort(screen.lines_LD @ work_D)[-TOP_LINES:].mean()),
            float(screen.document_D @ work_D),
            float((screen.chunks_CD @ work_D).max()),
            _correlation(vectors.screens_SD @ work_D, vectors.screens_SD @ screen.document_D),
            _correlation(vectors.works_WD @ work_D, vectors.works_WD @ screen.document_D),
            _shared_words(wanted, text, encoder),
            _excluded(excluded, screen, encoder),
            *kind_agreement(ask, text, screen.topics_T, background, encoder),
        ],
        dtype=np.float32,
    )


def _correlation(a: Vector, b: Vector) -> float:
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean() / spread) if spread > 1e-6 else 0.0


def _excluded(excluded: str, screen: ScreenVectors, encoder: TextEncoder) -> float:
    if not excluded:
        return 0.0
    ruled_out_D = encoder.embed([excluded])[0]
    return max(0.0, float((screen.chunks_CD @ ruled_out_D).max()) - EXCLUDED_FLOOR)


def _shared_words(wanted: str, text: str, encoder: TextEncoder) -> float:
    """Share of the description's words that are on the screen, each weighted by how rare it is."""
    weights = {stem: encoder.rarity(stem) for stem in sorted(set(stems(wanted))) if len(stem) >= SHORTEST_WORD}
    total = sum(weights.values())
    on_screen = set(stems(text))
    return sum(weight for stem, weight in weights.items() if stem in on_screen) / total if total else 0.0
