"""Which of many variants are kept: those that are least like each other and the example they come from."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image, Resampling

__all__ = ["Look", "most_diverse", "thumbnail"]

Floats = NDArray[np.float32]
SIDE = 24
"Pixels of the side of what is left of a picture to compare."
OTHER_KIND = 1.0
"Distance of two variants for being of different kinds; the other two parts are at most about 1 each."
APPEARANCE = 2.0
"Times the mean difference of two thumbnails, which between dark and light is about a half."


class Look(NamedTuple):
    """What distances between variants follow from."""

    how: str
    "The kind; empty for the example they come from."
    ask_D: Floats
    "The description, embedded; of length 1."
    thumbnail_SSC: Floats | None = None
    "Its picture in small; None for that of the example they come from."


def thumbnail(image: Image) -> Floats:
    """Float[S, S, 3] in 0..1."""
    small = image.resize((SIDE, SIDE), Resampling.BOX).convert("RGB")
    return np.asarray(small, dtype=np.float32) / np.float32(255)


def most_diverse(looks: Sequence[Look], origin: Look, limit: int) -> list[int]:
    """Places of up to `limit` looks, chosen one by one: each time that whose nearest among `origin` and those chosen
    so far is farthest; the first of equals.

    Greedy max-min dispersion, within a factor of 2 of the best choice (Ravi, Rosenkrantz and Tayi, Operations Research
    42, 1994), since the distance is a metric up to rounding.
    """
    nearest_N = np.array([_distance(look, origin) for look in looks])
    chosen: list[int] = []
    while len(chosen) < min(limit, len(looks)):
        place = int(np.argmax(nearest_N))
        chosen.append(place)
        nearest_N = np.minimum(nearest_N, [_distance(look, looks[place]) for look in looks])
        nearest_N[chosen] = -np.inf
    return chosen


def _distance(one: Look, other: Look) -> float:
    kind = OTHER_KIND * (one.how != other.how)
    # Half the distance of two vectors of length 1: 0 for the same description, about 0.7 for unrelated ones.
    wording = float(np.linalg.norm(one.ask_D - other.ask_D)) / 2
    return kind + wording + APPEARANCE * _apart(one.thumbnail_SSC, other.thumbnail_SSC)


def _apart(one: Floats | None, other: Floats | None) -> float:
    if one is None or other is None or one is other:
        return 0.0
    return float(np.abs(one - other).mean())
