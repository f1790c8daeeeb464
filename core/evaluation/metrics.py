"""What one release is worth on examples with known answers. Axes: N examples."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, JsonValue
from scipy import stats
from sklearn.metrics import cohen_kappa_score, recall_score, roc_auc_score

from core.schema import ItemScore, content_id

__all__ = [
    "Abstaining",
    "Figures",
    "Summary",
    "abstaining",
    "accuracy",
    "auroc",
    "balanced_accuracy",
    "cohen_kappa",
    "ece",
    "figures",
    "kappa_ci95",
    "share_ci95",
    "summarise",
]

ECE_BINS = 15
LEAST_CONFIDENCES = (0.6, 0.7, 0.8, 0.9)
RESAMPLES = 2_000
SEED = 20_260_101


class Summary(BaseModel):
    """Mean score with its interval; both None where there is nothing to measure."""

    model_config = ConfigDict(frozen=True)
    n: int
    accuracy: float | None = None
    ci95: tuple[float, float] | None = None


class Figures(Summary):
    """A summary with the figures of a two-answer problem."""

    balanced_accuracy: float | None = None
    auroc: float | None = None
    ece: float | None = None


class Abstaining(BaseModel):
    """What answers are worth if those of less than `least_confidence` are left to a person."""

    model_config = ConfigDict(frozen=True)
    least_confidence: float
    answered: float
    "Share of examples that still are answered."
    accuracy: float | None
    "Of those; None where none is."


def abstaining(scores: Sequence[ItemScore]) -> list[Abstaining]:
    """One line for each of four confidences (selective classification, El-Yaniv and Wiener, JMLR 11, 2010)."""
    stated = [(item.probability, item.score) for item in scores if item.probability is not None]
    lines = []
    for least in LEAST_CONFIDENCES:
        kept = [right for confidence, right in stated if confidence >= least]
        lines.append(
            Abstaining(least_confidence=least, answered=len(kept) / max(1, len(stated)), accuracy=accuracy(kept))
        )
    return lines


def summarise(scores: Sequence[ItemScore]) -> Summary:
    """Number, mean score and 95% interval over clusters; every example counts once, whatever its weight."""
    if not scores:
        return Summary(n=0)
    values = [item.score for item in scores]
    return Summary(n=len(values), accuracy=accuracy(values), ci95=share_ci95(values, _clusters(scores)))


def figures(scores: Sequence[ItemScore], *, positive: JsonValue) -> Figures:
    """A summary with balanced accuracy, AUROC toward the answer `positive`, and calibration error."""
    summary = summarise(scores)
    stated = [(item.probability, item.score) for item in scores if item.probability is not None]
    told = [
        (item.expected == positive, item.expected_probability)
        for item in scores
        if item.expected_probability is not None
    ]
    return Figures(
        **summary.model_dump(),
        balanced_accuracy=balanced_accuracy([item.expected for item in scores], [item.answer for item in scores]),
        auroc=auroc([is_positive for is_positive, _ in told], [p if is_positive else 1 - p for is_positive, p in told]),
        ece=ece([confidence for confidence, _ in stated], [right for _, right in stated]),
    )


def accuracy(scores_N: Sequence[float]) -> float | None:
    """Mean of the scores; None of none."""
    return math.fsum(scores_N) / len(scores_N) if len(scores_N) else None


def balanced_accuracy(expected_N: Sequence[JsonValue], answers_N: Sequence[JsonValue]) -> float | None:
    """Mean over the expected answers of the share got right; None where nothing is expected."""
    pairs = [(_key(want), _key(got)) for want, got in zip(expected_N, answers_N, strict=True) if want is not None]
    if not pairs:
        return None
    wants, gots = zip(*pairs, strict=True)
    return float(recall_score(wants, gots, labels=sorted(set(wants)), average="macro", zero_division=0.0))


def auroc(positive_N: Sequence[bool], toward_N: Sequence[float]) -> float | None:
    """Chance that a positive example gets a higher value than a negative one; None with one class only."""
    if len(set(positive_N)) < 2:
        return None
    return float(roc_auc_score(positive_N, toward_N))


def ece(confidence_N: Sequence[float], right_N: Sequence[float]) -> float | None:
    """Expected calibration error over 15 equal-width bins (Guo et al., ICML 2017, equation 3); None of none."""
    if not len(confidence_N):
        return None
    confidence, right = np.asarray(confidence_N, float), np.asarray(right_N, float)
    bins = np.clip(np.ceil(confidence * ECE_BINS).astype(int) - 1, 0, ECE_BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def cohen_kappa(first_N: Sequence[JsonValue], second_N: Sequence[JsonValue]) -> float | None:
    """Agreement of two raters beyond chance (Cohen, 1960); None where chance alone already agrees always."""
    first, second = [_key(a) for a in first_N], [_key(b) for b in second_N]
    if len({*first, *second}) < 2:
        return None
    return float(cohen_kappa_score(first, second))


def kappa_ci95(
    first_N: Sequence[JsonValue], second_N: Sequence[JsonValue], clusters_N: Sequence[str]
) -> tuple[float, float] | None:
    """95% interval of Cohen's kappa, by drawing whole clusters again with a fixed seed (percentile bootstrap).

    Draws in which only one answer occurs have no kappa and are left out. None with fewer than two clusters or answers.
    """
    first, second = [_key(a) for a in first_N], [_key(b) for b in second_N]
    answers = sorted({*first, *second})
    unique, cluster_of_N = np.unique(np.asarray([str(name) for name in clusters_N]), return_inverse=True)
    if len(unique) < 2 or len(answers) < 2:
        return None
    table_CKK = np.zeros((len(unique), len(answers), len(answers)))
    np.add.at(table_CKK, (cluster_of_N, np.searchsorted(answers, first), np.searchsorted(answers, second)), 1.0)
    chances = np.full(len(unique), 1 / len(unique))
    times_RC = np.random.default_rng(SEED).multinomial(len(unique), chances, size=RESAMPLES)
    table_RKK = np.einsum("rc,cij->rij", times_RC, table_CKK)
    total_R = table_RKK.sum(axis=(1, 2))
    agreed_R = np.einsum("rii->r", table_RKK) / total_R
    by_chance_R = (table_RKK.sum(axis=2) * table_RKK.sum(axis=1)).sum(axis=1) / total_R**2
    defined = by_chance_R < 1 - 1e-12
    if not defined.any():
        return None
    kappa_R = (agreed_R[defined] - by_chance_R[defined]) / (1 - by_chance_R[defined])
    low, high = np.percentile(kappa_R, [2.5, 97.5])
    return float(low), float(high)


def share_ci95(successes_by_item: Sequence[float], clusters: Sequence[str]) -> tuple[float, float]:
    """95% interval of a mean of scores in 0..1, examples of a cluster counting as one piece of evidence.

    Whole clusters are drawn again with a fixed seed (percentile bootstrap). That says nothing where all scores are
    equal, and no more than the formula where every cluster is a single example: there it is Wilson's score interval
    (JASA 22, 1927) on the number of clusters. Raises ValueError without items.
    """
    values, names = np.asarray(successes_by_item, float), np.asarray([str(name) for name in clusters])
    if not len(values):
        raise ValueError("an interval needs at least one item")
    unique, codes = np.unique(names, return_inverse=True)
    sums_C, sizes_C = np.bincount(codes, weights=values).astype(float), np.bincount(codes).astype(float)
    all_equal = bool(np.all(values == values[0]))
    binary = bool(np.isin(values, (0.0, 1.0)).all())
    if all_equal or (len(unique) == len(values) and binary):
        return _wilson(float(np.clip(values.mean(), 0.0, 1.0)), len(unique))
    return _bootstrap_mean(sums_C, sizes_C) if len(unique) > 1 else (0.0, 1.0)


def _bootstrap_mean(sums_C: npt.NDArray[np.float64], sizes_C: npt.NDArray[np.float64]) -> tuple[float, float]:
    interval = stats.bootstrap(
        (sums_C, sizes_C),
        lambda total, size, axis: total.sum(axis=axis) / size.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def _wilson(share: float, n: int) -> tuple[float, float]:
    z = float(stats.norm.isf(0.025))
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def _clusters(scores: Sequence[ItemScore]) -> list[str]:
    return [item.cluster or item.example for item in scores]


def _key(answer: JsonValue) -> str:
    return answer if isinstance(answer, str) else content_id(answer)
