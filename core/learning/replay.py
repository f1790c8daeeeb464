"""Which items a step sees: drawn by priority, with importance weights that take the bias out again.

After Prioritized Experience Replay (arXiv:1511.05952, section 3.3 and 3.4), with two changes. A family (an example
and everything made from it) is capped, so that one correction with ten variants does not flood a batch. And draws
are systematic (Madow, 1949) in place of independent: in a round of n draws an item with probability p comes up
floor(n p) or ceil(n p) times, n p in expectation, which is the stated distribution without its sampling noise.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.learning.items import TrainingItem, family_roots
from core.schema import NightshiftError

__all__ = ["Replay"]

Floats = NDArray[np.float64]


class Replay:
    """Draws from N items. The same items, seed and round give the same draws."""

    probabilities_N: Floats
    "What a draw follows; sums to 1."
    importance_N: Floats
    "(q / p)^beta with p as above and q the same without priorities; the largest is 1."

    def __init__(
        self, items: Sequence[TrainingItem], *, seed: int, family_cap: float, importance_exponent: float
    ) -> None:
        """`family_cap`: a family weighs at most this many times its heaviest member. `importance_exponent` (beta):
        0 leaves the bias of priorities in, 1 takes all of it out."""
        if not items:
            raise NightshiftError("there is nothing to train on: no labelled or judged examples were given")
        self._seed = seed
        families = family_roots(items)
        self.probabilities_N = _capped(np.array([item.priority for item in items]), families, family_cap)
        unprioritised_N = _capped(np.ones(len(items)), families, family_cap)
        importance_N = (unprioritised_N / self.probabilities_N) ** importance_exponent
        self.importance_N = importance_N / importance_N.max()

    def draw(self, count: int, round_number: int) -> NDArray[np.int64]:
        """`count` indices of items in random order, each item as often as its probability says, to within one."""
        generator = np.random.default_rng([self._seed, round_number])
        order_N = generator.permutation(len(self.probabilities_N))
        edges_N = np.cumsum(self.probabilities_N[order_N])
        points = (np.arange(count) + generator.random()) / count * edges_N[-1]
        places = np.minimum(np.searchsorted(edges_N, points, side="right"), len(order_N) - 1)
        return generator.permutation(order_N[places])


def _capped(masses_N: Floats, families: Sequence[str], cap: float) -> Floats:
    """Masses scaled down within families above the cap, and normalised to sum to 1."""
    _, family_of_N = np.unique(np.array(families), return_inverse=True)
    totals_F = np.bincount(family_of_N, weights=masses_N)
    heaviest_F = np.zeros_like(totals_F)
    np.maximum.at(heaviest_F, family_of_N, masses_N)
    scale_F = np.minimum(1.0, cap * heaviest_F / totals_F)
    capped_N = masses_N * scale_F[family_of_N]
    return np.asarray(capped_N / capped_N.sum())
