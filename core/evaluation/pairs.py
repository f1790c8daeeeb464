"""Two evaluations side by side: the same examples answered by champion and challenger."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.evaluation.statistics import ClusterSums, cluster_sums
from core.schema import Evaluation, ItemScore, content_id

__all__ = ["MIN_CLUSTERS", "Pair", "Pairs", "pair", "pairing_fault"]

MIN_CLUSTERS = 10
"Fewer clusters than this say nothing either way: the question is not assessable."

WEIGHT_CAP = 20.0
"Largest weight, in multiples of the median one of examples nobody had to correct."

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """One example with both scores."""

    champion: ItemScore
    challenger: ItemScore

    @property
    def difference(self) -> float:
        return self.challenger.score - self.champion.score


@dataclass(frozen=True)
class Pairs:
    """All pairs, in the order of example ids. Axis: N examples."""

    pairs: tuple[Pair, ...]
    champion: str
    challenger: str
    latency_ms: tuple[float | None, float | None]
    "Median of champion and challenger."

    def __len__(self) -> int:
        return len(self.pairs)

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """Float[N]: the callers' weights, capped and scaled to a mean of 1 over the examples that have any.

        The cap only keeps one odd example from being the whole night. It is wide and measured against examples nobody
        had to correct: corrections arrive with small weights beside blind audits with large ones, and trimming the
        audits would tip the balance toward the examples on which any change looks like a mend.
        """
        weights = np.array([pair.champion.weight for pair in self.pairs], dtype=float)
        seen = weights > 0
        if not seen.any():
            return weights
        uncorrected = seen & self.where(lambda pair: not pair.champion.was_wrong)
        usual = float(np.median(weights[uncorrected if uncorrected.any() else seen]))
        capped = np.minimum(weights, WEIGHT_CAP * usual)
        return capped / capped[seen].mean()

    @cached_property
    def tilt(self) -> float:
        """Mean weight of the examples that can be broken over that of those that can be mended; 1 where unknown.

        Where corrections are volunteered, mistakes are seen more often than right answers and weigh less each.
        """
        breakable = self.where(
            lambda pair: pair.champion.score == 1.0 if self.right_or_wrong else not pair.champion.was_wrong
        )
        seen = self.weights > 0
        broken, mended = self.weights[breakable & seen], self.weights[~breakable & seen]
        return float(broken.mean() / mended.mean()) if len(broken) and len(mended) else 1.0

    @cached_property
    def differences(self) -> npt.NDArray[np.float64]:
        """Float[N]: challenger minus champion."""
        return np.array([pair.difference for pair in self.pairs], dtype=float)

    @cached_property
    def clusters(self) -> list[str]:
        """N names: the cluster of each example; one without a cluster stands alone."""
        return [pair.champion.cluster or pair.champion.example for pair in self.pairs]

    @property
    def fixes(self) -> int:
        """Examples the challenger does better, whatever their weight."""
        return int((self.differences > 0).sum())

    @property
    def breaks(self) -> int:
        """Examples the challenger does worse."""
        return int((self.differences < 0).sum())

    @property
    def seed(self) -> int:
        """Follows from the two releases, so that a gate that runs again says the same."""
        return int(content_id("gate", self.champion, self.challenger)[:12], 16)

    @cached_property
    def right_or_wrong(self) -> bool:
        """True where every score is 1 or 0."""
        return all(score in (0.0, 1.0) for p in self.pairs for score in (p.champion.score, p.challenger.score))

    def amount(self, difference: float) -> str:
        """A mean difference in words: points of accuracy, or the bare number where scores are not right or wrong."""
        return f"{100 * difference:+.1f} points" if self.right_or_wrong else f"{difference:+.3f}"

    def changes(self, mask: Mask | None = None) -> str:
        """How many examples, of all pairs or those of the mask, became better and worse, in words."""
        chosen = self.differences if mask is None else self.differences[mask]
        better, worse = int((chosen > 0).sum()), int((chosen < 0).sum())
        return f"mends {better} and breaks {worse} of {len(chosen)} examples"

    def where(self, holds: Callable[[Pair], bool]) -> Mask:
        """Bool[N] of the pairs for which `holds`."""
        return np.array([holds(pair) for pair in self.pairs], dtype=bool)

    def sums(self, mask: Mask | None = None) -> ClusterSums:
        """Weighted cluster sums of the differences, over all pairs or those of the mask."""
        return self._sums(self.differences, mask, self.tilt)

    def sums_of(self, values: npt.NDArray[np.float64], mask: Mask) -> ClusterSums:
        """The same for other Float[N] values, whose sign has nothing to do with how an example was chosen."""
        return self._sums(values, mask, 1.0)

    def _sums(self, values: npt.NDArray[np.float64], mask: Mask | None, tilt: float) -> ClusterSums:
        chosen = np.ones(len(self), dtype=bool) if mask is None else mask
        names = [name for name, kept in zip(self.clusters, chosen, strict=True) if kept]
        return cluster_sums(values[chosen], names, self.weights[chosen], tilt=tilt)


def pair(champion: Evaluation, challenger: Evaluation) -> Pairs:
    """Both evaluations by example. Call `pairing_fault` first: this raises ValueError where that finds something."""
    fault = pairing_fault(champion, challenger)
    if fault is not None:
        raise ValueError(fault)
    theirs = {item.example: item for item in challenger.scores}
    return Pairs(
        pairs=tuple(Pair(item, theirs[item.example]) for item in sorted(champion.scores, key=lambda s: s.example)),
        champion=champion.release,
        challenger=challenger.release,
        latency_ms=(champion.latency_ms_p50, challenger.latency_ms_p50),
    )


def pairing_fault(champion: Evaluation, challenger: Evaluation) -> str | None:
    """Why the two cannot be compared example by example, in words; None where they can."""
    if champion.environment != challenger.environment:
        return f"the environments differ: {champion.environment!r} and {challenger.environment!r}"
    for who, evaluation in (("champion", champion), ("challenger", challenger)):
        fault = _fault_within(evaluation)
        if fault is not None:
            return f"{who}: {fault}"
    ours, theirs = ({item.example: item for item in e.scores} for e in (champion, challenger))
    unpaired = len(ours.keys() ^ theirs.keys())
    if unpaired:
        return f"{unpaired} examples were answered by only one of the two ({len(ours)} and {len(theirs)} answered)"
    return next((fault for example in ours if (fault := _fault_between(ours[example], theirs[example]))), None)


def _fault_within(evaluation: Evaluation) -> str | None:
    if len({item.example for item in evaluation.scores}) < len(evaluation.scores):
        return "an example was scored twice"
    latency = evaluation.latency_ms_p50
    if latency is not None and not (math.isfinite(latency) and latency >= 0):
        return f"latency is {latency} ms"
    return next((fault for item in evaluation.scores if (fault := _fault_of(item))), None)


def _fault_of(item: ItemScore) -> str | None:
    numbers: Sequence[tuple[str, float | None, float, float]] = (
        ("score", item.score, -math.inf, math.inf),
        ("weight", item.weight, 0.0, math.inf),
        ("probability", item.probability, 0.0, 1.0 + 1e-6),
        ("expected_probability", item.expected_probability, 0.0, 1.0 + 1e-6),
    )
    for name, value, low, high in numbers:
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            return f"{name} of example {item.example[:12]} is {value}"
    return None


def _fault_between(ours: ItemScore, theirs: ItemScore) -> str | None:
    for field in ("cluster", "expected", "weight", "was_wrong", "domain"):
        if getattr(ours, field) != getattr(theirs, field):
            return f"{field} of example {ours.example[:12]} differs between champion and challenger"
    return None
