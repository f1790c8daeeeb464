"""The tests and intervals behind a gate, over clusters of near-duplicates.

A pair is one example answered by champion and challenger; its difference is challenger minus champion, so that
positive is better. Near-duplicates are not independent, so every procedure here works on whole clusters: a cluster
enters with its weighted sum of differences and its total weight. Axes: N examples, C clusters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = [
    "ClusterSums",
    "cluster_sums",
    "difference_ci95",
    "examples_needed",
    "holm",
    "mcnemar_exact",
    "shrink",
    "sign_flip_p",
]

Floats = npt.NDArray[np.float64]

EXACT_CLUSTERS = 13
"Up to this many clusters that differ, all 2^C sign patterns are counted instead of sampled."
FLIPS = 9_999
ENOUGH = 300
"Once so many drawn patterns have reached the observed sum, no more are drawn."
BATCH = 600
RESAMPLES = 2_000


@dataclass(frozen=True)
class ClusterSums:
    """Weighted evidence of C clusters of N examples."""

    difference_C: Floats
    "Sum of weight x (challenger - champion) over the examples of each cluster."
    weight_C: Floats
    "Sum of the weights of the examples of each cluster; positive."
    examples_C: npt.NDArray[np.int64]
    "Examples of each cluster."
    tilt: float = 1.0
    "Weight of a loss over that of a gain of the same size, as the examples were chosen; 1 where that played no part."
    noise: float = 0.0
    "Standard deviation of the sum of `difference_C` that comes of weights which are themselves estimates."

    def __len__(self) -> int:
        return len(self.weight_C)

    @property
    def examples(self) -> int:
        """N, the examples behind the sums."""
        return int(self.examples_C.sum())

    def __neg__(self) -> "ClusterSums":
        """The same evidence with champion and challenger changing places."""
        return ClusterSums(-self.difference_C, self.weight_C, self.examples_C, 1 / self.tilt, self.noise)

    @property
    def mean(self) -> float:
        """Weighted mean difference an example (0 without evidence)."""
        total = float(self.weight_C.sum())
        return float(self.difference_C.sum()) / total if total > 0 else 0.0


def cluster_sums(
    differences_N: npt.ArrayLike,
    clusters_N: Sequence[str] | npt.NDArray[np.int64],
    weights_N: npt.ArrayLike,
    *,
    tilt: float = 1.0,
    noise: float = 0.0,
) -> ClusterSums:
    """Float[N] differences, their clusters (names or numbers) and weights as sums over clusters; weight 0 leaves an
    example out."""
    differences, weights = np.asarray(differences_N, float), np.asarray(weights_N, float)
    kept = weights > 0
    unique, codes = np.unique(np.asarray(clusters_N)[kept], return_inverse=True)
    return ClusterSums(
        difference_C=np.bincount(codes, weights=(differences * weights)[kept], minlength=len(unique)).astype(float),
        weight_C=np.bincount(codes, weights=weights[kept], minlength=len(unique)).astype(float),
        examples_C=np.bincount(codes, minlength=len(unique)),
        tilt=tilt,
        noise=noise,
    )


def sign_flip_p(sums: ClusterSums, *, seed: int) -> float:
    """One-sided p-value of "the challenger is better": how often random signs on the clusters reach the observed sum.

    Under "no better" a cluster is as likely to change by -d as by +d (Fisher's sign-flip randomisation test, The
    Design of Experiments, 1935, section 21; over clusters as in Gail et al., Statistics in Medicine 15, 1996). That
    holds in what people work with; what reached us was chosen, and an example the champion got wrong, the only kind
    that can be mended, may have been `tilt` times likelier to be seen than one that can be broken. So a seen change is
    a gain with probability tilt / (1 + tilt), and would as a loss have weighed `tilt` times as much: the expectation
    is 0 as before, but the losses nobody happened to see are reckoned with. With tilt 1 and clusters that change by
    the same amount, as singletons of equal weight do, this is the exact McNemar test.

    With few clusters every sign pattern is counted. Else patterns are drawn until 300 of them reach the observed sum,
    which settles a large p-value early (Besag & Clifford, Biometrika 78, 1991), at most 9,999, the observed one
    counted among them, which keeps the level (Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010). `noise` is
    drawn beside the signs. Returns 1.0 where nothing differs.
    """
    moved = sums.difference_C[sums.difference_C != 0]
    if not len(moved):
        return 1.0
    gains, chance = _as_gains(moved, sums.tilt), sums.tilt / (1 + sums.tilt)
    if not sums.noise and np.allclose(gains, gains[0], rtol=1e-9, atol=0):
        return float(stats.binomtest(int((moved > 0).sum()), len(moved), chance, alternative="greater").pvalue)
    # A sign pattern with gains at G has the sum (1 + tilt) * sum(gains[G]) - tilt * sum(gains).
    reached = (float(moved.sum()) + sums.tilt * float(gains.sum())) / (1 + sums.tilt) - 1e-9 * float(gains.sum())
    if not sums.noise and len(moved) <= EXACT_CLUSTERS:
        patterns = np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved)) & 1
        likelihood = stats.binom.pmf(patterns, 1, chance).prod(axis=1)
        return min(1.0, float(likelihood[patterns @ gains >= reached].sum()))
    return _drawn_p(gains, chance, reached, sums.noise / (1 + sums.tilt), np.random.default_rng(seed))


def _drawn_p(gains: Floats, chance: float, reached: float, noise: float, rng: np.random.Generator) -> float:
    """Share of drawn patterns whose gains sum up to `reached`; drawn no longer than it takes to know."""
    found = 0
    for start in range(0, FLIPS, BATCH):
        size = min(BATCH, FLIPS - start)
        sums_B = (rng.random((size, len(gains)), dtype=np.float32) < chance) @ gains
        if noise:
            sums_B = sums_B + rng.normal(0.0, noise, size)
        so_far_B = found + np.cumsum(sums_B >= reached)
        if so_far_B[-1] >= ENOUGH:
            return ENOUGH / (start + int(np.argmax(so_far_B >= ENOUGH)) + 1)
        found = int(so_far_B[-1])
    return (found + 1) / (FLIPS + 1)


def _as_gains(moved: Floats, tilt: float) -> Floats:
    """What each change would have come to as a gain."""
    return np.where(moved > 0, moved, -moved / tilt)


def mcnemar_exact(fixes: int, breaks: int) -> float:
    """One-sided exact McNemar p-value: at least `fixes` of all changes by tossing a coin (Psychometrika 12, 1947)."""
    if fixes + breaks == 0:
        return 1.0
    return float(stats.binomtest(fixes, fixes + breaks, 0.5, alternative="greater").pvalue)


def difference_ci95(sums: ClusterSums, *, seed: int) -> tuple[float, float] | None:
    """95% interval of the weighted mean difference, by drawing whole clusters again (percentile bootstrap).

    Davison & Hinkley, Bootstrap Methods and their Application, 1997, section 3.8. Clusters that are alike are drawn
    together: how often each kind comes up is multinomial. None with fewer than two clusters. It describes the changes
    that were seen; the test above also reckons with losses that were not, and decides.
    """
    if len(sums) < 2:
        return None
    rng = np.random.default_rng(seed)
    evidence = np.stack([sums.difference_C, sums.weight_C]).round(9)
    kinds, alike = np.unique(evidence, axis=1, return_counts=True)
    times_RK = rng.multinomial(len(sums), alike / len(sums), size=RESAMPLES)
    differences_R, weights_R = times_RK @ kinds[0], times_RK @ kinds[1]
    low, high = np.percentile((differences_R + rng.normal(0.0, sums.noise, RESAMPLES)) / weights_R, [2.5, 97.5])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the given order (Scand. J. Statist. 6, 1979): compare each with the whole level."""
    adjusted = [1.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def shrink(
    estimates: npt.ArrayLike, variances: npt.ArrayLike, *, centre: float, centre_variance: float
) -> tuple[Floats, Floats]:
    """Estimates of several groups drawn toward what they have in common, with the variances left.

    Normal-normal empirical Bayes (Morris, JASA 78, 1983): the spread between groups is the moment estimate of
    DerSimonian & Laird (Controlled Clinical Trials 7, 1986); with none beyond chance every group becomes `centre`.
    `variances` are sampling variances, all positive.
    """
    estimate, variance = np.asarray(estimates, float), np.asarray(variances, float)
    precision = 1 / variance
    heterogeneity = float((precision * (estimate - centre) ** 2).sum())
    scale = float(precision.sum() - (precision**2).sum() / precision.sum())
    spread = max(0.0, (heterogeneity - (len(estimate) - 1)) / scale) if scale > 0 else 0.0
    drawn_in = variance / (variance + spread)
    mean = drawn_in * centre + (1 - drawn_in) * estimate
    return mean, (1 - drawn_in) * variance + drawn_in**2 * centre_variance


def examples_needed(sums: ClusterSums, *, alpha: float) -> int | None:
    """Roughly how many more examples the claim "better" needs if they go on as these did; None if they are no better.

    With t times the evidence the sum of differences is tS and, under no difference, its deviation is sqrt(t)Q, where
    Q^2 sums gain x loss over the clusters, and the noise. The least t with (tS - u) / (sqrt(t)Q) = z is wanted, where
    u, half the usual step from loss to gain, is the continuity correction. An estimate from the observed effect is as
    likely too small as too large.
    """
    total = float(sums.difference_C.sum())
    if total <= 0 or not sums.examples:
        return None
    gains = _as_gains(sums.difference_C[sums.difference_C != 0], sums.tilt)
    step = (1 + sums.tilt) / 2 * float(np.median(gains))
    z_q = float(stats.norm.isf(alpha)) * math.sqrt(sums.tilt * float((gains**2).sum()) + sums.noise**2)
    times = ((z_q + math.sqrt(z_q**2 + 4 * total * step)) / (2 * total)) ** 2
    return max(1, math.ceil((times - 1) * sums.examples))
