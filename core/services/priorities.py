"""What is urgent to train on: priorities of people's words, computed column by column in DuckDB, in memory.

Axes: N words, R reviewers. Questions, screens, reviewers and answers are numbers, 0 and up; two words have the same
question where they are about near-duplicates that are asked the same. Formulas: docs/algorithm.md.
"""

from dataclasses import dataclass, fields
from typing import Self

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.settings import ReplaySettings

__all__ = ["Memory", "Priorities", "Words"]

Codes = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

USUAL_TRUST, USUAL_COMPARISONS = 0.9, 10.0
"How often people agree, as long as little is known of those here."


@dataclass(frozen=True)
class Words:
    """N words that stand, of each person the last one on an example."""

    question_N: Codes
    cluster_N: Codes
    reviewer_N: Codes
    answer_N: Codes
    seq_N: Codes
    settles_N: Mask
    "Said to settle a dispute."
    is_label_N: Mask
    "Wants a priority: it is what is trained on. Other words only tell how far reviewers agree."
    differs_N: Mask
    "The verdict that was before the person says otherwise."
    doubt_N: Floats
    "Of that verdict: 0 where it was sure or there was none, 1 where it was as good as a guess."


@dataclass(frozen=True)
class Priorities:
    """What replay draws by; NaN for words that are no labels."""

    priority_N: Floats
    base_N: Floats
    "The same without what makes it urgent: the trust in its reviewer, beside what people begin with."
    trust_R: Floats
    "How often each reviewer is expected to agree with others, 0..1; in between by how much is known."


class Memory:
    """Words, held so that their priorities can be computed again and again. A context."""

    def __init__(self, words: Words, *, answers: int, threads: int = 1) -> None:
        """`answers` is the size of the closed set: what agreement by chance is follows from it."""
        self._words, self._answers = words, max(2, answers)
        self._duck = duckdb.connect(":memory:", config={"threads": threads, "temp_directory": ""})
        columns = {field.name.removesuffix("_N"): getattr(words, field.name) for field in fields(words)}
        columns["place"] = np.arange(len(words.seq_N))
        self._duck.register("given", pa.table(columns))
        self._duck.execute("CREATE TABLE word AS SELECT * FROM given")
        self._duck.unregister("given")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._duck.close()

    def refresh(self, settings: ReplaySettings, *, after_seq: int) -> Priorities:
        """Priorities as of a night of which the one before heard words up to `after_seq`."""
        trust_R = self._trust(settings.prior_comparisons)
        usual = self._usual()
        weight_R = _beyond_chance(trust_R, self._answers, settings.least_trust) / float(
            _beyond_chance(np.array([usual]), self._answers, settings.least_trust)[0]
        )
        self._duck.register("weighed", pa.table({"reviewer": np.arange(len(weight_R)), "weight": weight_R}))
        found = self._duck.execute(
            PRIORITIES,
            {
                "disagreement": settings.disagreement,
                "doubt": settings.doubt,
                "recency": settings.recency,
                "novelty": settings.novelty,
                "half_life": settings.half_life,
                "after": after_seq,
            },
        ).fetchnumpy()
        self._duck.unregister("weighed")
        priority_N = np.full(len(self._words.seq_N), np.nan)
        base_N = priority_N.copy()
        priority_N[found["place"]] = found["priority"]
        base_N[found["place"]] = found["base"]
        return Priorities(priority_N, base_N, trust_R)

    def _trust(self, prior: float) -> Floats:
        """Of each reviewer: agreement with others, drawn towards how people agree here in general."""
        self._duck.execute(COMPARED)
        told = self._duck.execute(
            "SELECT reviewer, sum(agrees::INT) AS agreed, count(*) AS n FROM compared GROUP BY reviewer"
        ).fetchnumpy()
        reviewers = int(self._words.reviewer_N.max(initial=-1)) + 1
        agreed_R, number_R = np.zeros(reviewers), np.zeros(reviewers)
        agreed_R[told["reviewer"]] = np.asarray(told["agreed"], dtype=float)
        number_R[told["reviewer"]] = told["n"]
        self._agreed, self._compared = float(agreed_R.sum()), float(number_R.sum())
        return np.asarray((agreed_R + prior * self._usual()) / (number_R + prior))

    def _usual(self) -> float:
        return (self._agreed + USUAL_COMPARISONS * USUAL_TRUST) / (self._compared + USUAL_COMPARISONS)


def _beyond_chance(trust: Floats, answers: int, least: float) -> Floats:
    """Agreement as kappa counts it: 0 for what chance brings, 1 for all of it; never below `least`."""
    return np.maximum(least, (trust - 1 / answers) / (1 - 1 / answers))


COMPARED = """
CREATE OR REPLACE TEMP TABLE compared AS
WITH shared AS (
    SELECT question FROM word GROUP BY question HAVING min(reviewer) <> max(reviewer)
), said AS (
    SELECT question, reviewer, arg_max(answer, seq) AS answer, arg_max(settles, seq) AS settles, max(seq) AS seq
    FROM word WHERE question IN (FROM shared) GROUP BY question, reviewer
), settled AS (
    SELECT question, arg_max(reviewer, seq) AS reviewer, arg_max(answer, seq) AS answer
    FROM said WHERE settles GROUP BY question
), counted AS (
    SELECT question, answer, count(*) AS n FROM said GROUP BY question, answer
), people AS (
    SELECT question, sum(n) AS n FROM counted GROUP BY question
), beside AS (
    SELECT said.reviewer, said.answer, settled.answer AS settled, settled.reviewer AS settler,
        counted.n - 1 AS same, people.n - counted.n AS other
    FROM said
    JOIN counted ON counted.question = said.question AND counted.answer = said.answer
    JOIN people ON people.question = said.question
    LEFT JOIN settled ON settled.question = said.question
)
SELECT reviewer, CASE WHEN settled IS NULL THEN same > other ELSE answer = settled END AS agrees
FROM beside
WHERE settler <> reviewer OR (settled IS NULL AND same <> other)
"""
"""One row for each person and question that others answered too: by the word that settled it, else by most others."""

PRIORITIES = """
WITH alike AS (SELECT cluster, count(*) AS n FROM word WHERE is_label GROUP BY cluster)
SELECT word.place, weight AS base, weight * (
    1 + $disagreement * differs::INT + $doubt * doubt + $novelty / alike.n
    + $recency * (CASE WHEN seq > $after THEN 1 ELSE 0.5 ** (($after - seq) / $half_life::DOUBLE) END)
) AS priority
FROM word JOIN alike ON alike.cluster = word.cluster JOIN weighed ON weighed.reviewer = word.reviewer
WHERE is_label
"""
