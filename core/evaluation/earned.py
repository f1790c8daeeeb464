"""What a judge has earned: its share of the reward follows from what it gets right beyond the champion."""

from collections.abc import Sequence

from scipy.stats import binomtest

__all__ = ["earned_weight"]


def earned_weight(judge_right: Sequence[bool], champion_right: Sequence[bool]) -> float:
    """0..1, from items labelled by people on which the judge was not tuned.

    Only items on which exactly one of the two is right tell them apart. With q the lower end of the two-sided 80%
    Wilson interval (Wilson 1927) for the judge's share of those, the weight is max(0, 2 q - 1): nothing for a judge
    that adds nothing, one for a judge that is always the one that is right, and nothing without evidence.
    """
    wins = sum(judge and not champion for judge, champion in zip(judge_right, champion_right, strict=True))
    losses = sum(champion and not judge for judge, champion in zip(judge_right, champion_right, strict=True))
    if wins + losses == 0:
        return 0.0
    low = binomtest(wins, wins + losses).proportion_ci(confidence_level=0.8, method="wilson").low
    return max(0.0, 2 * float(low) - 1)
