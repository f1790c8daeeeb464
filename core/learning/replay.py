"""Which items a step sees: drawn by priority, with importance weights that take the bias out again. Axis: N items.

After Prioritized Experience Replay (arXiv:1511.05952, section 3.3 and 3.4), with three changes. A family (an example
and everything made from it) is capped, so that one correction with ten variants does not flood a batch; so are
applications and reviewers (`core/learning/caps.py`). How far a reviewer is trusted is kept when the bias of priorities
is taken out. And draws are systematic (Madow, 1949) in place of independent: in a round of n draws an item with
probability p comes up floor(n p) or ceil(n p) times, n p in expectation, which is the stated distribution without its
sampling noise.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.learning.caps import Codes, Crowd, Floats, codes_of, family_capped, share_capped
from core.learning.items import TrainingItem, family_roots
from core.schema import NightshiftError

__all__ = ["Draws", "Replay", "Sample", "sampled"]

BLOCKS = 1024
"Parts that the items fall into; the order of these is new in every round."
ORDER, CHOICE = 1, 2
"Of the seed, for what is drawn once."


class Draws:
    """Systematic draws from a distribution over N. A round takes time in the number of draws, hardly in N."""

    def __init__(self, probabilities_N: Floats, seed: int) -> None:
        self._seed = seed
        self._order_N = np.random.default_rng([seed, 0, ORDER]).permutation(len(probabilities_N))
        self._edges_N = np.concatenate([[0.0], np.cumsum(probabilities_N[self._order_N])])
        blocks = min(BLOCKS, len(probabilities_N))
        self._bounds_B = np.linspace(0, len(probabilities_N), blocks + 1).astype(np.int64)

    def draw(self, count: int, round_number: int) -> NDArray[np.int64]:
        """`count` of 0..N-1 in random order, each as often as its probability says, to within one."""
        generator = np.random.default_rng([self._seed, round_number])
        turn_B = generator.permutation(len(self._bounds_B) - 1)
        starts_B, ends_B = self._bounds_B[turn_B], self._bounds_B[turn_B + 1]
        ends_of_turn_B = np.cumsum(self._edges_N[ends_B] - self._edges_N[starts_B])
        points = (np.arange(count) + generator.random()) / count * ends_of_turn_B[-1]
        block = np.minimum(np.searchsorted(ends_of_turn_B, points, side="right"), len(turn_B) - 1)
        edges = self._edges_N[ends_B[block]] - (ends_of_turn_B[block] - points)
        places = np.searchsorted(self._edges_N[1:], edges, side="right")
        return generator.permutation(self._order_N[np.clip(places, starts_B[block], ends_B[block] - 1)])


class Replay:
    """Draws from N items. The same items, seed and round give the same draws."""

    probabilities_N: Floats
    "What a draw follows; sums to 1."
    importance_N: Floats
    "(q / p)^beta with p as above and q the same without priorities; the largest is 1."

    def __init__(
        self,
        items: Sequence[TrainingItem],
        *,
        seed: int,
        family_cap: float,
        importance_exponent: float,
        application_share: float = 1.0,
        reviewer_share: float = 1.0,
    ) -> None:
        """`family_cap`: a family weighs at most this many times its heaviest member. `importance_exponent` (beta):
        0 leaves the bias of priorities in, 1 takes all of it out. The shares bound what one application, or one
        person, has of all draws."""
        if not items:
            raise NightshiftError("there is nothing to train on: no labelled or judged examples were given")
        roots, by_example = family_roots(items), {item.example.id: item for item in items}
        families_N = codes_of(roots)
        # What was made of an example belongs to whom that belongs to.
        owners = [by_example.get(root, item) for root, item in zip(roots, items, strict=True)]
        crowds = (
            Crowd(codes_of([owner.application for owner in owners]), application_share),
            Crowd(codes_of([owner.reviewer for owner in owners]), reviewer_share),
        )

        def distribution(masses: Sequence[float]) -> Floats:
            return share_capped(family_capped(np.array(masses), families_N, family_cap), families_N, crowds)

        self.probabilities_N = distribution([item.priority for item in items])
        unprioritised_N = distribution([item.base for item in items])
        importance_N = (unprioritised_N / self.probabilities_N) ** importance_exponent
        self.importance_N = importance_N / importance_N.max()
        self._draws = Draws(self.probabilities_N, seed)

    def draw(self, count: int, round_number: int) -> NDArray[np.int64]:
        """`count` indices of items in random order, each item as often as its probability says, to within one."""
        return self._draws.draw(count, round_number)


class Sample:
    """Some of N, drawn without replacement."""

    def __init__(self, places: Codes, inclusion: Floats) -> None:
        self.places = places
        "Which, in their order."
        self.inclusion = inclusion
        "With what probability each of them was to come into the sample."


def sampled(probabilities_N: Floats, most: int, seed: int) -> Sample:
    """At most `most` of N, each with a probability in proportion to its own; who has more than 1 comes in for certain.

    Whoever draws from the sample by probability over inclusion draws from all N by their probability, in expectation
    over samples (Hansen and Hurwitz, 1943; Horvitz and Thompson, 1952).
    """
    if len(probabilities_N) <= most:
        return Sample(np.arange(len(probabilities_N)), np.ones(len(probabilities_N)))
    inclusion_N, certain_N = np.zeros(len(probabilities_N)), np.zeros(len(probabilities_N), dtype=bool)
    while True:
        rest = most - int(certain_N.sum())
        inclusion_N = np.where(certain_N, 1.0, rest * probabilities_N / probabilities_N[~certain_N].sum())
        if not (over_N := (inclusion_N >= 1) & ~certain_N).any():
            break
        certain_N |= over_N
    drawn = Draws(inclusion_N / most, seed).draw(most, CHOICE)
    places = np.unique(drawn)
    return Sample(places, inclusion_N[places])
