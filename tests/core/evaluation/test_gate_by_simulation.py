"""The shipped gate, every check on, over simulated nights of clustered examples."""

from collections import Counter

import numpy as np
import pytest

from core.evaluation import decide
from core.schema import Outcome

NIGHTS = 300
DISCORDANCE = 0.12


def night(rng, *, examples, gain, correction_bias=1.0):
    """Rows of one night in which the challenger is better by `gain`, and answers are alike within a cluster.

    With a `correction_bias` above 1 examples the champion got wrong are that much likelier to be seen, and carry the
    weight that makes up for it.
    """
    rows = []
    while len(rows) < examples:
        fixed, broken = (DISCORDANCE + gain) / 2, (DISCORDANCE - gain) / 2
        kept_right = 0.85 - broken
        shares = [fixed, broken, kept_right, 1 - fixed - broken - kept_right]
        champion, challenger = [(0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0)][rng.choice(4, p=shares)]
        if champion and rng.random() > 1 / correction_bias:
            continue
        fields = {
            "cluster": f"cluster {len(rows)}",
            "domain": f"domain {rng.integers(15)}",
            "was_wrong": not champion,
            "weight": 1.0 if champion else 1 / correction_bias,
        }
        for _ in range(rng.integers(1, 4)):
            expected = ("on_task", "off_task")[rng.integers(2)]
            rows.append((champion, challenger, fields | {"expected": expected}))
    return rows[:examples]


def outcomes(evaluations, settings, sound, *, nights=NIGHTS, **design):
    rng = np.random.default_rng(20261121)
    return Counter(
        decide(
            *evaluations(night(rng, **design), releases=("champion", f"challenger {number}")),
            settings=settings,
            run=str(number),
            integrity=sound,
        ).outcome
        for number in range(nights)
    )


def at_most(level):
    """The level and two and a half standard errors of the simulation."""
    return NIGHTS * (level + 2.5 * np.sqrt(level * (1 - level) / NIGHTS))


@pytest.mark.parametrize("examples", [60, 200])
def test_challengers_that_are_no_better_are_promoted_no_more_often_than_the_level_allows(
    evaluations, settings, sound, examples
):
    found = outcomes(evaluations, settings, sound, examples=examples, gain=0.0)
    assert found[Outcome.PROMOTED] <= at_most(settings.alpha)


def test_challengers_that_are_no_better_do_not_profit_from_feedback_chosen_for_being_wrong(
    evaluations, settings, sound
):
    found = outcomes(evaluations, settings, sound, examples=200, gain=0.0, correction_bias=8.0)
    assert found[Outcome.PROMOTED] <= at_most(settings.alpha)


def test_challengers_three_points_worse_are_hardly_ever_promoted(evaluations, settings, sound):
    found = outcomes(evaluations, settings, sound, examples=400, gain=-0.03, nights=150)
    assert found[Outcome.PROMOTED] <= 2


def test_challengers_ten_points_better_are_mostly_promoted(evaluations, settings, sound):
    found = outcomes(evaluations, settings, sound, examples=300, gain=0.10, nights=100)
    assert found[Outcome.PROMOTED] >= 85
    assert found[Outcome.REFUSED] <= 5
