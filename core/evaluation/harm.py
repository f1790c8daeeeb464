"""Checks that block a challenger only on evidence of harm.

A check gets the pairs and the level it may spend, and returns its figures: `passed` is False with evidence of harm,
None where too little is known to say. The level of all checks together, `harm_alpha`, is split evenly between the
entries of `TESTS` (Bonferroni) and corrected within a check for the number of classes or domains (Holm). A new check
is one function here and one entry in `TESTS` (spends level) or `BOUNDS` (compares a measured figure with a bound).
"""

import json
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue
from scipy import stats

from core.evaluation.costs import costly_answers
from core.evaluation.metrics import ece
from core.evaluation.pairs import MIN_CLUSTERS, Mask, Pair, Pairs
from core.evaluation.serving import abstention, hostile, latency, memory
from core.evaluation.statistics import ClusterSums, cluster_sums, holm, shrink, sign_flip_p
from core.schema import GateResult, ItemScore
from core.settings import GateSettings

__all__ = ["BOUNDS", "TESTS", "calibration", "forgetting", "harm_checks", "per_class", "per_domain"]

MIN_LEARNT = 5
"Fewer learnt corrections than this cannot show forgetting."

LISTED = 20
"More classes or domains too small to assess than this are summed up in one line."

FORGETTING_MARGIN = 0.10
"How much more of the learnt corrections than of everything else may be lost: they lie nearest to the border."


def harm_checks(pairs: Pairs, settings: GateSettings) -> list[GateResult]:
    """Every harm check in order."""
    level = settings.harm_alpha / len(TESTS)
    tested = [result for check in TESTS for result in check(pairs, level, settings)]
    return tested + [result for check in BOUNDS for result in check(pairs, settings)]


def forgetting(pairs: Pairs, level: float, settings: GateSettings) -> list[GateResult]:  # noqa: ARG001
    """Whether corrections the champion had learnt are lost more often than the other things it gets right.

    Both shares are taken over examples the champion answers rightly, so that looking only at right answers, which can
    only be broken, is the same on both sides. Exact binomial test over clusters against the share lost elsewhere plus
    a margin. `value` is the share of learnt corrections lost, `bound` the share tolerated.
    """
    if not pairs.right_or_wrong:
        return [_not_assessable("forgetting", "scores are not right or wrong")]
    learnt, others = pairs.breakable & pairs.was_wrong, pairs.breakable & ~pairs.was_wrong
    of_learnt, of_others = (
        # Learnt corrections count alike, also those that say nothing of the whole.
        cluster_sums(pairs.differences[mask], pairs.cluster_codes[mask], np.ones(mask.sum()))
        for mask in (learnt, others)
    )
    lost_C = -of_learnt.difference_C / of_learnt.weight_C
    if len(lost_C) < MIN_LEARNT:
        return [_not_assessable("forgetting", f"{len(lost_C)} learnt corrections; {MIN_LEARNT} are needed")]
    elsewhere = -of_others.mean
    tolerated = min(1.0, elsewhere + FORGETTING_MARGIN)
    lost = int((lost_C >= 0.5).sum())
    p = float(stats.binomtest(lost, len(lost_C), tolerated, alternative="greater").pvalue)
    note = f"loses {lost} of {len(lost_C)} learnt corrections ({elsewhere:.0%} elsewhere); p = {p:.3f}"
    return [_result("forgetting", lost / len(lost_C), tolerated, p > level, note)]


def per_class(pairs: Pairs, level: float, settings: GateSettings) -> list[GateResult]:  # noqa: ARG001
    """Whether the examples of one expected answer got worse; sign-flip over clusters, Holm over the classes."""
    groups = _groups(pairs, lambda pair: None if pair.champion.expected is None else _name(pair.champion.expected))
    if not groups:
        return [_not_assessable("class", "no example has an expected answer")]
    return _tested_groups(pairs, "class", groups, level, lambda many: [_worse_p(pairs, sums) for sums in many])


def per_domain(pairs: Pairs, level: float, settings: GateSettings) -> list[GateResult]:  # noqa: ARG001
    """Whether one domain of work got worse: domain differences shrunken toward the overall one, Holm over domains.

    A domain's sampling variance is the larger of its own and what its size gives under the spread common to all, so
    that a handful of agreeing examples is not taken for certainty.
    """
    groups = _groups(pairs, lambda pair: pair.champion.domain)
    if not groups:
        return [_not_assessable("domain", "no example has a domain")]
    return _tested_groups(pairs, "domain", groups, level, lambda many: _shrunken_worse_p(pairs, many))


def calibration(pairs: Pairs, level: float, settings: GateSettings) -> list[GateResult]:  # noqa: ARG001
    """Whether stated probabilities fit less well: Brier score of the given answer being right, sign-flip over clusters.

    Brier, Monthly Weather Review 78, 1950. `value` is the challenger's score minus the champion's; more is worse.
    """
    stated = pairs.where(lambda pair: None not in (pair.champion.probability, pair.challenger.probability))
    sums = pairs.sums_of(_brier_gain(pairs), stated)
    if not pairs.right_or_wrong or len(sums) < MIN_CLUSTERS:
        return [_not_assessable("calibration", "too few examples with a probability of being right")]
    p = _worse_p(pairs, sums)
    before, after = _ece(pairs, stated, lambda pair: pair.champion), _ece(pairs, stated, lambda pair: pair.challenger)
    note = f"Brier score {-sums.mean:+.3f}, calibration error {before:.3f} -> {after:.3f}; p = {p:.3f}"
    return [_result("calibration", -sums.mean, 0.0, p > level, note)]


TESTS: tuple[Callable[[Pairs, float, GateSettings], list[GateResult]], ...] = (
    forgetting,
    per_class,
    per_domain,
    calibration,
    abstention,
    hostile,
)
BOUNDS: tuple[Callable[[Pairs, GateSettings], list[GateResult]], ...] = (latency, memory, costly_answers)


def _tested_groups(
    pairs: Pairs,
    kind: str,
    groups: dict[str, Mask],
    level: float,
    worse_p: Callable[[Sequence[ClusterSums]], Sequence[float]],
) -> list[GateResult]:
    """One result a group: `value` is its weighted difference, `bound` 0; harm where adjusted p is at most `level`."""
    sums = {name: pairs.sums(mask) for name, mask in groups.items()}
    large = [name for name in groups if len(sums[name]) >= MIN_CLUSTERS]
    adjusted = holm(worse_p([sums[name] for name in large])) if large else []
    assessed = []
    for name, p in zip(large, adjusted, strict=True):
        difference = sums[name].mean
        found = "worse" if p <= level else "no evidence of harm"
        note = f"{pairs.changes(groups[name])}, {pairs.amount(difference)}; {found} (p = {p:.3f})"
        assessed.append(_result(f"{kind}:{name}", difference, 0.0, p > level, note))
    return assessed + _too_small(kind, {name: len(sums[name]) for name in groups if name not in large})


def _too_small(kind: str, sizes: dict[str, int]) -> list[GateResult]:
    if len(sizes) > LISTED:
        note = f"{len(sizes)} of them with fewer than {MIN_CLUSTERS} independent examples each"
        return [_not_assessable(f"{kind}:others", note)]
    return [
        _not_assessable(f"{kind}:{name}", f"{size} independent examples; {MIN_CLUSTERS} are needed")
        for name, size in sizes.items()
    ]


def _shrunken_worse_p(pairs: Pairs, domains: Sequence[ClusterSums]) -> list[float]:
    overall = pairs.all_sums
    centre = overall.mean
    per_weight = float(((overall.difference_C - overall.weight_C * centre) ** 2).sum() / (overall.weight_C**2).sum())
    if per_weight <= 0:
        return [1.0 if centre >= 0 else 0.0] * len(domains)
    means, variances = shrink(
        [domain.mean for domain in domains],
        [max(_own_variance(domain), _size_factor(domain) * per_weight) + _noise(domain) for domain in domains],
        centre=centre,
        centre_variance=_size_factor(overall) * per_weight + _noise(overall),
    )
    return [float(p) for p in stats.norm.cdf(means / np.sqrt(variances))]


def _own_variance(sums: ClusterSums) -> float:
    residual_C = sums.difference_C - sums.weight_C * sums.mean
    return float((residual_C**2).sum() / sums.weight_C.sum() ** 2)


def _noise(sums: ClusterSums) -> float:
    """Variance of the weighted mean that comes of weights which are themselves estimates."""
    return float((sums.noise / sums.weight_C.sum()) ** 2)


def _size_factor(sums: ClusterSums) -> float:
    """Variance of a weighted mean over the variance of one unit of weight (Kish, Survey Sampling, 1965)."""
    return float((sums.weight_C**2).sum() / sums.weight_C.sum() ** 2)


def _worse_p(pairs: Pairs, sums: ClusterSums) -> float:
    return sign_flip_p(-sums, seed=pairs.seed)


def _brier_gain(pairs: Pairs) -> npt.NDArray[np.float64]:
    """Float[N] champion's Brier score minus the challenger's; 0 where a probability is missing."""
    stated = np.array([(p.champion.probability, p.challenger.probability) for p in pairs.pairs], dtype=float)
    scores = np.array([(p.champion.score, p.challenger.score) for p in pairs.pairs], dtype=float)
    loss = (stated - scores) ** 2
    return np.nan_to_num(loss[:, 0] - loss[:, 1])


def _ece(pairs: Pairs, mask: Mask, side: Callable[[Pair], ItemScore]) -> float:
    items = [side(pair) for pair, kept in zip(pairs.pairs, mask, strict=True) if kept]
    return ece([item.probability or 0.0 for item in items], [item.score for item in items]) or 0.0


def _groups(pairs: Pairs, group_of: Callable[[Pair], str | None]) -> dict[str, Mask]:
    members: dict[str, list[int]] = {}
    for number, pair in enumerate(pairs.pairs):
        name = group_of(pair)
        if name is not None:
            members.setdefault(name, []).append(number)
    masks = {name: np.zeros(len(pairs), dtype=bool) for name in sorted(members)}
    for name, mask in masks.items():
        mask[members[name]] = True
    return masks


def _name(answer: JsonValue) -> str:
    text = answer if isinstance(answer, str) else json.dumps(answer, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _result(name: str, value: float, bound: float, passed: bool, note: str) -> GateResult:
    return GateResult(name=name, value=value, bound=bound, passed=passed, note=note)


def _not_assessable(name: str, note: str) -> GateResult:
    return GateResult(name=name, value=None, bound=None, passed=None, note=note)
