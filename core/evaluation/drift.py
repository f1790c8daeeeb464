"""Drift: does a release answer otherwise lately than it used to?

Two questions, each over the predictions of one release, so that a change of champion is not taken for one of the
world: has the mix of answers moved, and has how sure the answers are moved?
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = ["Drift", "category_drift", "drift", "lately_log_odds"]

LEAST = 100
"Fewer predictions on either side say nothing."
LEVEL = 0.001
MOVED = 0.2
"Population stability index from which credit scoring calls a population shifted (Siddiqi 2006, chapter 9)."
BINS = 10
LEAST_INPUTS = 50
FOLDS = 5
DIRECTIONS = 32
"Inputs are looked at along so many axes, those along which all of them vary most."
TOLD_APART = 0.65
"Area under the curve from which two times are told apart; with so few inputs chance alone reaches 0.6."


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
    of_answers = category_drift("answers", [answer for answer, _ in before], [answer for answer, _ in lately])
    if of_answers is None:
        return None
    then, now = (np.array([confidence for _, confidence in side]) for side in (before, lately))
    edges = np.quantile(then, np.linspace(0, 1, BINS + 1)[1:-1])
    tenths = np.array([np.bincount(np.searchsorted(edges, side), minlength=BINS) for side in (then, now)])
    p_confidence = float(stats.ks_2samp(then, now).pvalue)
    return of_answers, Drift("confidence", _stability_index(tenths), p_confidence, len(before), len(lately))


def category_drift(what: str, before: Sequence[str], lately: Sequence[str]) -> Drift | None:
    """How the mix of categories moved, by the chi-squared test of homogeneity; None where either side has too few."""
    if min(len(before), len(lately)) < LEAST:
        return None
    then, now = Counter(before), Counter(lately)
    categories = sorted(then.keys() | now.keys())
    table = np.array([[side[category] for category in categories] for side in (then, now)])
    p = float(stats.chi2_contingency(table).pvalue) if len(categories) > 1 else 1.0
    return Drift(what, _stability_index(table), p, len(before), len(lately))


def _stability_index(counts_2B: npt.NDArray[np.int64]) -> float:
    """Half a count is added to each bin, so that an empty one has a logarithm (Jeffreys' prior)."""
    then, now = (counts_2B + 0.5) / (counts_2B + 0.5).sum(axis=1, keepdims=True)
    return float(((now - then) * np.log(now / then)).sum())


def lately_log_odds(
    before_ND: npt.NDArray[np.floating], lately_MD: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64] | None:
    """Float[M]: log-odds that each of the later inputs is of the later rather than of the earlier time.

    A classifier two-sample test (Lopez-Paz & Oquab, ICLR 2017): a logistic regression tells the times apart, and each
    input is scored by one that has not seen it. None with too few inputs on a side, and where it cannot tell them
    apart: then nothing has drifted.
    """
    if min(len(before_ND), len(lately_MD)) < LEAST_INPUTS:
        return None
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    inputs = np.concatenate([before_ND, lately_MD]).astype(np.float64)
    _, _, axes_DD = np.linalg.svd(inputs - inputs.mean(axis=0), full_matrices=False)
    inputs = inputs @ axes_DD[:DIRECTIONS].T
    is_late = np.repeat([0, 1], [len(before_ND), len(lately_MD)])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
    model = LogisticRegression(class_weight="balanced", max_iter=300)
    log_odds = cross_val_predict(model, inputs / inputs.std(), is_late, cv=folds, method="decision_function")
    if roc_auc_score(is_late, log_odds) < TOLD_APART:
        return None
    return np.asarray(log_odds[len(before_ND) :], dtype=np.float64)
