"""What an example weighs, given how it came before a person's eyes. Axis: N examples.

Corrections are volunteered and doubtful verdicts are looked at first, so mistakes are seen more often than right
answers. How much more often is told by what was drawn blindly: there the share of mistakes is what it is in use.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["MIN_BLIND", "MistakeShare", "Selection", "mistake_share", "select"]

MIN_BLIND = 10
"Fewer independent examples than this that were drawn blindly cannot say how large the share of mistakes is."
CAUTION = 1.645
"Standard deviations that a cautious share of mistakes stays below its estimate: one-sided 95%."

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class MistakeShare(NamedTuple):
    """The share of examples that the champion gets wrong in use, and its standard deviation."""

    share: float
    sd: float

    @property
    def at_least(self) -> "MistakeShare":
        """Its one-sided 95% lower bound, taken for certain."""
        return MistakeShare(max(0.0, self.share - CAUTION * self.sd), 0.0)


CERTAIN_NONE = MistakeShare(0.0, 0.0)


@dataclass(frozen=True)
class Selection:
    """Weights of N examples, and what is not known about them."""

    weights_N: Floats
    mistakes_N: Mask
    right_N: Mask
    "Examples that were weighed by their stratum: mistakes of the champion, and what it got right."
    of_mistakes: MistakeShare = CERTAIN_NONE


def mistake_share(wrong_N: Mask, blind_N: Mask, clusters_N: npt.NDArray[np.int64]) -> MistakeShare | None:
    """The share among what was drawn blindly; None with fewer than 10 independent examples of it.

    Its deviation is that of a share whose examples come in clusters (Cochran, Sampling Techniques, 1977, 9.3).
    """
    names, codes = np.unique(clusters_N[blind_N], return_inverse=True)
    if len(names) < MIN_BLIND:
        return None
    wrong = wrong_N[blind_N]
    share = (float(wrong.sum()) + 0.5) / (len(wrong) + 1)
    apart_C = np.bincount(codes, weights=wrong - share)
    return MistakeShare(share, float(np.sqrt((apart_C**2).sum() + share * (1 - share)) / (len(wrong) + 1)))


def select(
    given_N: Floats, wrong_N: Mask, blind_N: Mask, biased_N: Mask, of_mistakes: MistakeShare | None
) -> Selection:
    """Post-stratification by whether the champion is wrong (Holt & Smith, J. R. Statist. Soc. A 142, 1979).

    Together the blindly drawn and the `biased_N` examples are weighed so that mistakes have the share `of_mistakes`
    among them. Within a stratum every example weighs the same: whom people report among the mistakes, and whom they
    confirm among the rest, is taken for chance. Where the share is not known the biased weigh nothing. All others keep
    the weight `given_N`.
    """
    none = np.zeros(len(given_N), dtype=bool)
    if not biased_N.any():
        return Selection(given_N, none, none)
    if of_mistakes is None:
        return Selection(np.where(biased_N, 0.0, given_N), none, none)
    together = blind_N | biased_N
    mistakes, right = together & wrong_N, together & ~wrong_N
    weights = given_N.copy()
    weights[mistakes] *= of_mistakes.share * together.sum() / max(1, int(mistakes.sum()))
    weights[right] *= (1 - of_mistakes.share) * together.sum() / max(1, int(right.sum()))
    return Selection(weights, mistakes, right, of_mistakes)
