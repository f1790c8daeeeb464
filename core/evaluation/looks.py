"""What looking again and again at the same evidence costs.

The level of the primary claim is a budget, not a right of every night. A look at evidence that was looked at before
is paid for out of what earlier looks left (alpha-spending, Lan & DeMets, Biometrika 70, 1983), so that all looks at
the same evidence together have the level of one. Evidence that no look has counted yet brings its part of the budget
back: with none but new evidence a night is the first again. A new champion is a new question with a budget of its own
(alpha-investing: Foster & Stine, J. R. Statist. Soc. B 70, 2008).
"""

from dataclasses import dataclass

import numpy as np

from core.evaluation.pairs import Pairs
from core.schema import Decision

__all__ = ["FROZEN_SHARE", "Look", "look"]

FIRST_SHARE = 2 / 3
"Part of what is left of the budget that a look spends."
FROZEN_SHARE = 1 / 3
"Part of the level that is kept for a challenger's wait; with the first look's part it makes up the whole."


@dataclass(frozen=True)
class Look:
    """One night's look: what it may spend, and what is spent after it."""

    level: float
    spent: float
    number: int


def look(pairs: Pairs, earlier: Decision | None, alpha: float) -> Look:
    """The level of tonight's claim. `earlier` is the last decision about the same champion, None before the first."""
    carried = earlier.spent * (1 - _fresh_share(pairs)) if earlier else 0.0
    level = FIRST_SHARE * max(0.0, alpha - carried)
    return Look(level, carried + level, (earlier.looks if earlier else 0) + 1)


def _fresh_share(pairs: Pairs) -> float:
    """Share of the clusters of which no example was counted before."""
    stale = np.unique(pairs.cluster_codes[~pairs.where(lambda pair: pair.champion.fresh)])
    clusters = len(np.unique(pairs.cluster_codes))
    return 1 - len(stale) / clusters if clusters else 0.0
