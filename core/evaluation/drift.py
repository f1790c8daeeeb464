"""Drift: does a release answer otherwise lately than it used to?

Two questions, each over the predictions of one release, so that a change of champion is not taken for one of the
world: has the mix of answers moved, and has how sure the answers are moved?
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["Drift", "drift"]

LEAST = 100
"Fewer predictions on either side say nothing."
LEVEL = 0.001
MOVED = 0.2
"Population stability index from which credit scoring calls a population shifted (Siddiqi 2006, chapter 9)."
BINS = 10


@dataclass(frozen=True)
class Drift:
    """How far something moved: its population stability index, and the p-value of no move at all."""

    what: str
    stability_index: float
    p: float
    before: int
    lately: int

    @property
    def is_there(self) -> bool:
        """Large enough to matter and not by chance. Screens of one sitting resemble each other, so that p alone is
        too small; the index does not fall with their number."""
        return self.stability_index >= MOVED and self.p <= LEVEL / 2


def drift(before: Sequence[tuple[str, float]], lately: Sequence[tuple[str, float]]) -> tuple[Drift, Drift] | None:
    """How answers and confidences, given as pairs, moved; None where either side has too few.

    Answers by the chi-squared test of homogeneity, confidences by the two-sample Kolmogorov-Smirnov test; the index
    is sum (q - p) log(q / p) over answers, or over tenths of what was before.
    """
    if min(len(before), len(lately)) < LEAST:
        return None
    answers = sorted({answer for answer, _ in (*before, *lately)})
    table = np.array([[sum(given == answer for given, _ in side) for answer in answers] for side in (before, lately)])
    p_answers = float(stats.chi2_contingency(table).pvalue) if len(answers) > 1 else 1.0
    then, now = (np.array([confidence for _, confidence in side]) for side in (before, lately))
    edges = np.quantile(then, np.linspace(0, 1, BINS + 1)[1:-1])
    tenths = np.array([np.bincount(np.searchsorted(edges, side), minlength=BINS) for side in (then, now)])
    sizes = {"before": len(before), "lately": len(lately)}
    return (
        Drift("answers", _stability_index(table), p_answers, **sizes),
        Drift("confidence", _stability_index(tenths), float(stats.ks_2samp(then, now).pvalue), **sizes),
    )


def _stability_index(counts_2B: npt.NDArray[np.int64]) -> float:
    """Half a count is added to each bin, so that an empty one has a logarithm (Jeffreys' prior)."""
    then, now = (counts_2B + 0.5) / (counts_2B + 0.5).sum(axis=1, keepdims=True)
    return float(((now - then) * np.log(now / then)).sum())
