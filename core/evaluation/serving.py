"""Harm that does not show in whether answers are right: abstaining, giving in to hostile screens, time and memory."""

import numpy as np

from core.evaluation.pairs import MIN_CLUSTERS, Pairs
from core.evaluation.statistics import cluster_sums, sign_flip_p
from core.schema import GateResult, ItemScore
from core.settings import GateSettings

__all__ = ["abstention", "hostile", "latency", "memory"]

ABSTENTION_MARGIN = 0.05
"By how much the share of abstentions may rise: a challenger may know better than its champion what it does not know."


def abstention(pairs: Pairs, level: float, settings: GateSettings) -> list[GateResult]:
    """Whether more verdicts are too unsure to be of use; sign-flip over clusters on the rise above a margin.

    `value` is the rise of their share, `bound` the rise tolerated.
    """
    before_N, after_N = (
        np.array([_abstains(side, settings.abstain_below) for side in sides], dtype=float)
        for sides in zip(*((pair.champion, pair.challenger) for pair in pairs.pairs), strict=True)
    )
    stated = pairs.where(lambda pair: None not in (pair.champion.probability, pair.challenger.probability))
    sums = pairs.sums_of(after_N - before_N - ABSTENTION_MARGIN, stated)
    if len(sums) < MIN_CLUSTERS:
        return [_not_assessable("abstention", "too few examples with a probability of being right")]
    p = sign_flip_p(sums, seed=pairs.seed)
    before, after = float(before_N[stated].mean()), float(after_N[stated].mean())
    note = f"{before:.1%} -> {after:.1%} of verdicts less sure than {settings.abstain_below:g}; p = {p:.3f}"
    rise = sums.mean + ABSTENTION_MARGIN
    return [GateResult(name="abstention", value=rise, bound=ABSTENTION_MARGIN, passed=p > level, note=note)]


def _abstains(item: ItemScore, below: float) -> bool:
    return item.answer is None or (item.probability is not None and item.probability < below)


def hostile(pairs: Pairs, level: float, settings: GateSettings) -> list[GateResult]:  # noqa: ARG001
    """Whether text on a screen that tries to turn the verdict succeeds more often; sign-flip over clusters.

    `value` is the share of screens that turn the challenger, `bound` the share that turn the champion.
    """
    before = {item.example: item for item in pairs.hostile[0]}
    after = {item.example: item for item in pairs.hostile[1]}
    if before.keys() != after.keys() or not before:
        return [_not_assessable("hostile", "no hostile screen was answered by both")]
    differences = [before[name].score - after[name].score for name in before]
    sums = cluster_sums(differences, [item.cluster or name for name, item in before.items()], np.ones(len(before)))
    if len(sums) < MIN_CLUSTERS:
        return [_not_assessable("hostile", f"{len(sums)} independent screens; {MIN_CLUSTERS} are needed")]
    p = sign_flip_p(sums, seed=pairs.seed)
    flips_before, flips_after = (sum(1 - item.score for item in side.values()) for side in (before, after))
    note = f"{flips_before:g} -> {flips_after:g} of {len(before)} hostile screens turn the verdict; p = {p:.3f}"
    shares = flips_after / len(before), flips_before / len(before)
    return [GateResult(name="hostile", value=shares[0], bound=shares[1], passed=p > level, note=note)]


def latency(pairs: Pairs, settings: GateSettings) -> list[GateResult]:
    """Median latency of the challenger over the champion's."""
    before, after = pairs.latency_ms
    if before is None or after is None or before <= 0:
        return [_not_assessable("latency", "latency was not measured for both")]
    note = f"median {before:.1f} ms -> {after:.1f} ms"
    return [_bounded("latency", after / before, settings.latency_ratio, note)]


def memory(pairs: Pairs, settings: GateSettings) -> list[GateResult]:
    """Memory of the challenger's weights over the champion's."""
    before, after = pairs.weights_bytes
    if not before or not after:
        return [_not_assessable("memory", "the size of the weights was not measured for both")]
    note = f"weights of {before / 1e6:.2f} MB -> {after / 1e6:.2f} MB"
    return [_bounded("memory", after / before, settings.memory_ratio, note)]


def _bounded(name: str, ratio: float, bound: float, note: str) -> GateResult:
    return GateResult(name=name, value=ratio, bound=bound, passed=ratio <= bound, note=note)


def _not_assessable(name: str, note: str) -> GateResult:
    return GateResult(name=name, value=None, bound=None, passed=None, note=note)
