"""Two evaluations side by side: the same examples answered by champion and challenger."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from core.evaluation.selection import MistakeShare, Selection, mistake_share, select
from core.evaluation.statistics import ClusterSums, cluster_sums, difference_ci95
from core.schema import ChosenBy, Evaluation, ItemScore, content_id

__all__ = ["MIN_CLUSTERS", "Pair", "Pairs", "pair", "pairing_fault"]

MIN_CLUSTERS = 10
"Fewer clusters than this say nothing either way: the question is not assessable."

WEIGHT_CAP = 20.0
"Largest weight, in multiples of the median one of examples nobody had to correct."

BLIND = (ChosenBy.RANDOM_AUDIT, ChosenBy.IMPORT)
"Chosen without regard to what the champion says of them."
BIASED = (
    ChosenBy.VOLUNTEERED,
    ChosenBy.REVIEW_QUEUE,
    ChosenBy.JUDGES,
    ChosenBy.NOVELTY,
    ChosenBy.DRIFT,
    ChosenBy.DISPUTE,
)
"Chosen with regard to it: mistakes are seen more often. Disagreements are not among them: they are no evidence."

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
    latency_ms: tuple[float | None, float | None] = (None, None)
    "Median of champion and challenger."
    weights_bytes: tuple[int | None, int | None] = (None, None)
    hostile: tuple[tuple[ItemScore, ...], tuple[ItemScore, ...]] = ((), ())
    known_share: MistakeShare | None = None
    "The share of mistakes in use, where more is known of it than these pairs say."

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def lacks_blind(self) -> bool:
        """Whether examples were chosen with regard to the champion's answer, and too few without it say how much."""
        return bool(self._biased.any()) and not self.selection.mistakes_N.any() | self.selection.right_N.any()

    @cached_property
    def _biased(self) -> Mask:
        return self.where(lambda pair: pair.champion.chosen_by in BIASED)

    @cached_property
    def selection(self) -> Selection:
        """What each example weighs by how it was chosen."""
        return select(
            np.array([_given_weight(pair.champion) for pair in self.pairs], dtype=float),
            ~self.breakable,
            self._blind,
            self._biased,
            self.known_share or self.of_mistakes,
        )

    @cached_property
    def of_mistakes(self) -> MistakeShare | None:
        """The share of the champion's mistakes among what was drawn blindly; None where too little was."""
        return mistake_share(~self.breakable, self._blind, self.cluster_codes)

    @cached_property
    def _blind(self) -> Mask:
        return self.where(lambda pair: pair.champion.chosen_by in BLIND)

    @cached_property
    def weights(self) -> npt.NDArray[np.float64]:
        """Float[N]: the weights by how examples were chosen, capped and scaled to a mean of 1 over those that have any.

        The cap only keeps one odd example from being the whole night. It is wide and measured against examples nobody
        had to correct: corrections arrive with small weights beside blind audits with large ones, and trimming the
        audits would tip the balance toward the examples on which any change looks like a mend.
        """
        weights = self.selection.weights_N
        seen = weights > 0
        if not seen.any():
            return weights
        uncorrected = seen & ~self.was_wrong
        usual = float(np.median(weights[uncorrected if uncorrected.any() else seen]))
        capped = np.minimum(weights, WEIGHT_CAP * usual)
        return np.asarray(capped / capped[seen].mean())

    @cached_property
    def was_wrong(self) -> Mask:
        """Bool[N]: the champion's live answer was corrected."""
        return self.where(lambda pair: pair.champion.was_wrong)

    @cached_property
    def breakable(self) -> Mask:
        """Bool[N]: the champion is right, so that a challenger can only do worse."""
        return self.where(
            lambda pair: pair.champion.score == 1.0 if self.right_or_wrong else not pair.champion.was_wrong
        )

    @cached_property
    def tilt(self) -> float:
        """Mean weight of the examples that can be broken over that of those that can be mended; 1 where unknown.

        Where corrections are volunteered, mistakes are seen more often than right answers and weigh less each.
        """
        seen = self.weights > 0
        broken, mended = self.weights[self.breakable & seen], self.weights[~self.breakable & seen]
        return float(broken.mean() / mended.mean()) if len(broken) and len(mended) else 1.0

    def noise(self, mask: Mask) -> float:
        """Standard deviation that an estimated share of mistakes adds to the weighted sum of the mask's differences.

        With the share e the sum is W (e m - (1 - e) r), where m is the mean gain among mistakes, r the mean loss among
        what was right, and W the weight of both. Where neither side is better and a share D changes, as the test
        supposes, m is D / 2e and r is D / 2(1 - e). The signs that the test draws have the variance of examples drawn
        blindly, so what they say of m and r already is taken off.
        """
        chosen = self.selection
        together = (chosen.mistakes_N | chosen.right_N) & mask
        weight = float(self.weights[together].sum())
        share, sd = chosen.of_mistakes
        if not sd or not weight or not 0 < share < 1:
            return 0.0
        changed = float((np.abs(self.differences) * self.weights)[together].sum()) / weight
        gain, loss = changed / (2 * share), changed / (2 * (1 - share))
        expected_N = self.weights * mask * (gain * chosen.mistakes_N - loss * chosen.right_N)
        drawn = float((np.bincount(self.cluster_codes, weights=expected_N) ** 2).sum())
        return math.sqrt(max(0.0, ((gain + loss) * sd * weight) ** 2 - drawn))

    @cached_property
    def differences(self) -> npt.NDArray[np.float64]:
        """Float[N]: challenger minus champion."""
        return np.array([pair.difference for pair in self.pairs], dtype=float)

    @cached_property
    def cluster_codes(self) -> npt.NDArray[np.int64]:
        """Int[N]: a number for the cluster of each example; one without a cluster stands alone."""
        names = [pair.champion.cluster or pair.champion.example for pair in self.pairs]
        numbers = {name: number for number, name in enumerate(sorted(set(names)))}
        return np.array([numbers[name] for name in names], dtype=np.int64)

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

    @cached_property
    def all_sums(self) -> ClusterSums:
        """Weighted cluster sums of the differences over all pairs."""
        return self.sums(np.ones(len(self), dtype=bool))

    def sums(self, mask: Mask) -> ClusterSums:
        """The same over the pairs of the mask."""
        return cluster_sums(
            self.differences[mask],
            self.cluster_codes[mask],
            self.weights[mask],
            tilt=self.tilt,
            noise=self.noise(mask),
        )

    def sums_of(self, values: npt.NDArray[np.float64], mask: Mask) -> ClusterSums:
        """The same for other Float[N] values, whose sign has nothing to do with how an example was chosen."""
        return cluster_sums(values[mask], self.cluster_codes[mask], self.weights[mask])

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """95% interval of the weighted mean difference."""
        return difference_ci95(self.all_sums, seed=self.seed)


def _given_weight(item: ItemScore) -> float:
    return 0.0 if item.chosen_by is ChosenBy.DISAGREEMENT else item.weight


def pair(champion: Evaluation, challenger: Evaluation) -> Pairs:
    """Both evaluations by example, of which `pairing_fault` finds that they can be paired."""
    theirs = {item.example: item for item in challenger.scores}
    return Pairs(
        pairs=tuple(Pair(item, theirs[item.example]) for item in sorted(champion.scores, key=lambda s: s.example)),
        champion=champion.release,
        challenger=challenger.release,
        latency_ms=(champion.latency_ms_p50, challenger.latency_ms_p50),
        weights_bytes=(champion.weights_bytes, challenger.weights_bytes),
        hostile=(champion.hostile, challenger.hostile),
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
    items = (*evaluation.scores, *evaluation.hostile)
    return next((fault for item in items if (fault := _fault_of(item))), None)


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
    for field in ("cluster", "expected", "weight", "was_wrong", "chosen_by", "fresh", "domain"):
        if getattr(ours, field) != getattr(theirs, field):
            return f"{field} of example {ours.example[:12]} differs between champion and challenger"
    return None
