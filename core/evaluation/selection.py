"""What an example weighs, given how it came before a person's eyes. Axis: N examples.

Corrections are volunteered and doubtful verdicts are looked at first, so mistakes are seen more often than right
answers. How much more often is told by what was drawn blindly: there the share of mistakes is what it is in use.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["MIN_BLIND", "Selection", "select"]

MIN_BLIND = 10
"Fewer independent examples than this that were drawn blindly cannot say how large the share of mistakes is."
CAUTION = 1.645
"Standard deviations that a cautious share of mistakes stays below its estimate: one-sided 95%."

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Selection:
    """Weights of N examples, and what is not known about them."""

    weights_N: Floats
    mistakes_N: Mask
    right_N: Mask
    "Examples that were weighed by their stratum: mistakes of the champion, and what it got right."
    share: float = 0.0
    "The share of mistakes behind the weights."
    share_sd: float = 0.0
    "Its standard deviation."


def select(
    given_N: Floats, wrong_N: Mask, blind_N: Mask, biased_N: Mask, clusters_N: npt.NDArray[np.int64], *, cautious: bool
) -> Selection:
    """Post-stratification by whether the champion is wrong (Holt & Smith, J. R. Statist. Soc. A 142, 1979).

    Together the blindly drawn and the `biased_N` examples are weighed so that mistakes have the share among them that
    they have among the blindly drawn alone. Within a stratum every example weighs the same: whom people report among
    the mistakes, and whom they confirm among the rest, is taken for chance. With fewer than 10 independent blind ones
    the biased weigh nothing. All others keep the weight `given_N`. `cautious`: the share is taken at its lower bound,
    so that mends count for no more than they can be sure to.
    """
    none = np.zeros(len(given_N), dtype=bool)
    if not biased_N.any():
        return Selection(given_N, none, none)
    independent = len(np.unique(clusters_N[blind_N]))
    if independent < MIN_BLIND:
        return Selection(np.where(biased_N, 0.0, given_N), none, none)
    share = (float(wrong_N[blind_N].sum()) + 0.5) / (float(blind_N.sum()) + 1.0)
    share_sd = _share_sd(wrong_N[blind_N], clusters_N[blind_N], share)
    if cautious:
        share = max(0.0, share - CAUTION * share_sd)
    together = blind_N | biased_N
    mistakes, right = together & wrong_N, together & ~wrong_N
    weights = given_N.copy()
    weights[mistakes] *= share * together.sum() / max(1, int(mistakes.sum()))
    weights[right] *= (1 - share) * together.sum() / max(1, int(right.sum()))
    return Selection(weights, mistakes, right, share, share_sd)


def _share_sd(wrong_N: Mask, clusters_N: npt.NDArray[np.int64], share: float) -> float:
    """Standard deviation of a share whose examples come in clusters (Cochran, Sampling Techniques, 1977, 9.3)."""
    _, codes = np.unique(clusters_N, return_inverse=True)
    apart_C = np.bincount(codes, weights=wrong_N - share)
    return float(np.sqrt((apart_C**2).sum() + share * (1 - share)) / (len(wrong_N) + 1))
