"""Evidence that may be looked at after every example: test martingales by betting.

Whoever bets a part f of a fortune on each example's difference X in [-1, 1] has it multiplied by 1 + f X. Where the
challenger is no better, the expectation of X is at most 0 whatever came before, and no bettor can expect to win: the
fortune is a nonnegative supermartingale, and the chance that it *ever* reaches 1 / a is at most a (Ville, 1939). So
the night may look as often as it likes, and stop when it likes (Waudby-Smith & Ramdas, J. R. Statist. Soc. B 86,
2024, section 4; Ramdas et al., Statistical Science 38, 2023).

Axes: C clusters, F bets.
"""

import numpy as np
import numpy.typing as npt

from core.evaluation.statistics import ClusterSums

__all__ = ["bets", "e_value", "lower_bound"]

Floats = npt.NDArray[np.float64]

FRACTIONS_F = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
"Parts of the fortune that a bet risks. A share of the fortune goes to each, for none is right everywhere."
STEPS = 40
"Halvings of the interval in which a bound is sought."


def bets(sums: ClusterSums) -> Floats:
    """Float[C] in [-1, 1]: what each cluster says, as a bet can be laid on it before it is seen.

    A cluster counts as the mean over its examples, divided by the largest weight: the same scale for all, or the
    stake on an example would depend on whether it can be won.
    """
    if not len(sums):
        return np.zeros(0)
    return np.asarray(sums.difference_C / sums.examples_C / (sums.weight_C / sums.examples_C).max())


def e_value(bets_C: Floats, *, margin: float = 0.0) -> float:
    """The fortune made of 1 by betting that the mean is above `margin`: evidence against "at most `margin`".

    The mean over the bettors' fortunes is one too, so no bet has to be chosen (the method of mixtures). It does not
    depend on the order. 1.0 before the first cluster.
    """
    if not len(bets_C):
        return 1.0
    scaled_C = (np.clip(bets_C, -1.0, 1.0) - margin) / (1 + margin)
    log_F = np.log1p(np.outer(FRACTIONS_F, scaled_C)).sum(axis=1)
    return float(np.exp(np.logaddexp.reduce(log_F) - np.log(len(log_F))))


def lower_bound(bets_C: Floats, *, level: float) -> float:
    """End of a one-sided confidence sequence for the mean of the bets: with probability 1 - `level` it is never below
    the bound, however often one looks. The largest margin that the evidence still refutes; -1 where it refutes none.
    """
    low, high = -1.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        if middle > -1 and e_value(bets_C, margin=middle) >= 1 / level:
            low = middle
        else:
            high = middle
    return low
