import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.learning.caps import MOST_OF_ONE, NOBODY, Crowd, codes_of, share_capped


def capped(masses, codes, share, *more):
    probabilities = np.array(masses, dtype=float) / np.sum(masses)
    crowds = [Crowd(np.array(codes), share), *more]
    return share_capped(probabilities, np.arange(len(masses)), crowds)


def test_who_floods_gets_the_share_and_everybody_else_the_rest_in_proportion():
    found = capped([1.0] * 900 + [1.0] * 60 + [2.0] * 40, [0] * 900 + [1] * 60 + [2] * 40, 0.5)
    assert found[:900].sum() == pytest.approx(0.5)
    assert found[900:960].sum() / found[960:].sum() == pytest.approx(60 / 80)


def test_a_single_reviewer_is_not_capped():
    found = capped([1.0, 2.0, 3.0], [0, 0, 0], 0.1)
    assert found == pytest.approx(np.array([1, 2, 3]) / 6)


def test_a_cap_does_not_let_a_single_other_word_flood():
    found = capped([1.0] * 999 + [1.0], [0] * 999 + [1], 0.5)
    assert found[-1] == pytest.approx(MOST_OF_ONE)


def test_what_nobody_is_known_to_own_is_not_capped_together():
    found = capped([1.0] * 100 + [1.0] * 20, [NOBODY] * 100 + [0] * 20, 0.05)
    assert found == pytest.approx(np.full(120, 1 / 120))


def test_applications_and_reviewers_are_held_at_once():
    applications = Crowd(np.arange(1000) % 4, 0.3)
    reviewers = np.where(np.arange(1000) < 800, 0, 1 + np.arange(1000) % 3)
    found = capped([1.0] * 1000, reviewers, 0.4, applications)
    assert found[:800].sum() == pytest.approx(0.4, abs=1e-6)
    assert np.bincount(applications.codes_N, weights=found).max() <= 0.3 + 1e-6


def test_an_empty_name_is_nobody():
    assert codes_of(["b", "", "a", "b"]).tolist() == [1, NOBODY, 0, 1]
    assert codes_of(["b", "a"]).tolist() == [1, 0]


@given(
    st.lists(st.tuples(st.floats(0.01, 100), st.integers(-1, 5)), min_size=1, max_size=60),
    st.floats(0.05, 1.0),
)
@hypothesis_settings(max_examples=100, deadline=None)
def test_a_capped_distribution_is_one_and_keeps_the_order_within_a_group(rows, share):
    masses, codes = zip(*rows, strict=True)
    found = capped(masses, codes, share)
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()
    for code in set(codes):
        mine = np.array(codes) == code
        ratio = found[mine] / np.array(masses)[mine]
        assert ratio == pytest.approx(ratio[0])
