"""Whether people correct a canary more than the champion: a test that may be looked at after every correction.

Of all served verdicts that people contradict, each fell on the canary with probability s, the share of screens routed
to it by a hash, if the canary is contradicted as often as the champion; with less if it is better. So the
contradictions in their order are coin flips under the null hypothesis p <= s. The evidence is the likelihood ratio
against it, averaged over how many times likelier the canary is to be contradicted (a mixture over odds ratios); it is
a non-negative supermartingale that starts at 1. By Ville's inequality it exceeds 1/alpha at any time, however often
one looks, with probability at most alpha (Ramdas, Grünwald, Vovk and Shafer 2023, sections 2 and 3).
"""

import math
from collections.abc import Iterable

__all__ = ["ODDS_RATIOS", "evidence_of_harm"]

ODDS_RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0)
"How many times likelier a contradiction is on the canary, in each part of the mixture; all weigh the same."


def evidence_of_harm(against_canary: Iterable[bool], share: float) -> float:
    """How many times likelier the contradictions are if the canary is worse than if it is not; 1 before the first.

    `against_canary`: for each contradicted verdict, in their order, whether the canary gave it. `share`: of screens
    routed to it, in 0..1 (exclusive). Reverting once this reaches 1/alpha reverts a canary that is no worse with
    probability at most alpha.
    """
    if not 0 < share < 1:
        raise ValueError(f"a canary that answers a share of {share} has nothing to be compared with")
    chances = [ratio * share / (1 - share + ratio * share) for ratio in ODDS_RATIOS]
    logs = [0.0] * len(chances)
    for against in against_canary:
        for place, chance in enumerate(chances):
            logs[place] += math.log(chance / share) if against else math.log((1 - chance) / (1 - share))
    top = max(logs)
    return math.exp(top) * sum(math.exp(log - top) for log in logs) / len(logs)
