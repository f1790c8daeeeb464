"""How much of all draws one family, one application or one person may take. Axes: N items, G groups.

A cap moves probability from those who have too much of it to everybody else. Where everybody else is few, that would
only let those few flood in their turn; so the others together are given no more than one draw in a hundred for each
family of theirs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["NOBODY", "Crowd", "codes_of", "family_capped", "share_capped"]

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

NOBODY = -1
"The code of an item of which it is not known whose it is; such items are not capped together."
MOST_OF_ONE = 0.01
"What caps on others raise the share of one family to, at most."
ROUNDS = 20
"Times each cap in turn is held again, since holding one lifts the others a little."


class Crowd(NamedTuple):
    """Which items share an application, or a person, and how much of all draws they may have together."""

    codes_N: Codes
    "0..G-1, or NOBODY."
    share: float


def codes_of(names: Sequence[str]) -> Codes:
    """A number for each name; NOBODY for an empty one."""
    known, codes_N = np.unique(np.asarray(names, dtype=object).astype(str), return_inverse=True)
    if len(known) and known[0] == "":
        codes_N = codes_N - 1
    return codes_N.astype(np.int64)


def family_capped(masses_N: Floats, family_of_N: Codes, cap: float) -> Floats:
    """Masses scaled down within families above `cap` times their heaviest member, and normalised to sum to 1."""
    totals_F = np.bincount(family_of_N, weights=masses_N)
    heaviest_F = np.zeros_like(totals_F)
    np.maximum.at(heaviest_F, family_of_N, masses_N)
    capped_N = masses_N * np.minimum(1.0, cap * heaviest_F / totals_F)[family_of_N]
    return np.asarray(capped_N / capped_N.sum())


def share_capped(probabilities_N: Floats, family_of_N: Codes, crowds: Sequence[Crowd]) -> Floats:
    """Probabilities in which no group of a crowd has more than its share, as far as the others can take the rest."""
    of_family_N = np.bincount(family_of_N, weights=probabilities_N)[family_of_N]
    room_N = probabilities_N * np.maximum(1.0, MOST_OF_ONE / of_family_N)
    held = [(crowd.codes_N, _limits(room_N, crowd)) for crowd in crowds]
    capped_N = probabilities_N
    for _ in range(ROUNDS):
        before_N = capped_N
        for codes_N, limits_G in held:
            capped_N = _poured(capped_N, codes_N, limits_G)
        if capped_N is before_N:
            break
    return capped_N


def _limits(room_N: Floats, crowd: Crowd) -> Floats:
    """The most that each group may have; nobody's items come last, and may have everything."""
    groups = int(crowd.codes_N.max(initial=NOBODY)) + 1
    places_N = np.where(crowd.codes_N == NOBODY, groups, crowd.codes_N)
    are_some_nobodys = bool((crowd.codes_N == NOBODY).any())
    share = max(crowd.share, 1 / max(1, groups + are_some_nobodys))
    rooms_G = np.bincount(places_N, weights=room_N, minlength=groups + 1)
    limits_G = np.maximum(share, 1 - (rooms_G.sum() - rooms_G))
    limits_G[groups] = 1.0
    return np.asarray(limits_G)


def _poured(probabilities_N: Floats, codes_N: Codes, limits_G: Floats) -> Floats:
    """What is over a group's limit is poured over the others, in proportion; the same array where nothing is over."""
    groups = len(limits_G) - 1
    places_N = np.where(codes_N == NOBODY, groups, codes_N)
    totals_G = np.bincount(places_N, weights=probabilities_N, minlength=groups + 1)
    shares_G, full_G = totals_G.copy(), np.zeros(groups + 1, dtype=bool)
    while (over_G := (shares_G > limits_G + 1e-9) & ~full_G).any():
        full_G |= over_G
        shares_G[full_G] = limits_G[full_G]
        open_G = ~full_G & (totals_G > 0)
        if open_G.any():
            left = max(0.0, 1 - shares_G[full_G].sum())
            shares_G[open_G] = totals_G[open_G] * left / totals_G[open_G].sum()
    if not full_G.any():
        return probabilities_N
    scale_G = np.divide(shares_G, totals_G, out=np.zeros_like(totals_G), where=totals_G > 0)
    poured_N = probabilities_N * scale_G[places_N]
    return np.asarray(poured_N / poured_N.sum())
