import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.evaluation.canary import evidence_of_harm


def test_before_the_first_contradiction_there_is_no_evidence():
    assert evidence_of_harm([], 0.1) == pytest.approx(1.0)


@given(st.floats(0.01, 0.9), st.lists(st.booleans(), max_size=12))
def test_on_average_a_canary_that_is_no_worse_gathers_no_evidence(share, before):
    now = evidence_of_harm(before, share)
    against, for_it = (evidence_of_harm([*before, said], share) for said in (True, False))
    next_one = share * against + (1 - share) * for_it
    assert next_one == pytest.approx(now, rel=1e-9)


def reverted(rate: float, share: float, seed: int, contradictions: int, alpha: float) -> bool:
    """Whether a canary is ever reverted, looked at after every contradiction."""
    chance = random.Random(seed)
    said = []
    for _ in range(contradictions):
        said.append(chance.random() < rate)
        if evidence_of_harm(said, share) >= 1 / alpha:
            return True
    return False


def test_looking_after_every_contradiction_reverts_one_that_is_no_worse_as_seldom_as_set():
    times = sum(reverted(0.1, 0.1, seed, 150, 0.05) for seed in range(400))
    assert times / 400 <= 0.05 + 0.03


def test_one_that_is_contradicted_four_times_as_often_is_reverted():
    share = 0.1
    rate = 4 * share / (1 - share + 4 * share)
    assert sum(reverted(rate, share, seed, 150, 0.05) for seed in range(100)) >= 95


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_that_leaves_nothing_to_compare_with_is_refused(share):
    with pytest.raises(ValueError, match="nothing to be compared with"):
        evidence_of_harm([True], share)
