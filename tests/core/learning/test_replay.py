import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from linear_policy import example, item
from scipy.stats import chisquare

from core.learning import Replay, sampled
from core.learning.replay import Draws
from core.schema import NightshiftError


def replay(items, seed=0, family_cap=3.0, importance_exponent=1.0):
    return Replay(items, seed=seed, family_cap=family_cap, importance_exponent=importance_exponent)


def family(priority=1.0, variants=10):
    parent = example("the corrected screen")
    made = [item(f"variant {i}", parent=parent.id, origin="variant", priority=priority) for i in range(variants)]
    return [item("the corrected screen", priority=priority), *made]


@given(
    st.lists(st.floats(0.01, 100), min_size=1, max_size=40),
    st.integers(1, 300),
    st.integers(0, 2**40),
    st.integers(0, 1000),
)
@hypothesis_settings(max_examples=100, deadline=None)
def test_a_round_holds_each_item_as_often_as_its_priority_says_to_within_one(priorities, count, seed, round_number):
    sampler = replay([item(f"item {i}", priority=p) for i, p in enumerate(priorities)], seed=seed)
    assert sampler.probabilities_N == pytest.approx(np.array(priorities) / np.sum(priorities))
    drawn = np.bincount(sampler.draw(count, round_number), minlength=len(priorities))
    assert drawn.sum() == count
    assert (np.abs(drawn - count * sampler.probabilities_N) < 1 + 1e-6).all()


def test_over_many_rounds_draws_follow_the_stated_distribution():
    priorities = [1.0, 2.0, 0.5, 4.0, 0.1, 1.0, 3.0]
    sampler = replay([item(f"item {i}", priority=p) for i, p in enumerate(priorities)])
    # One draw a round: the rounds are independent, which is what the test assumes.
    drawn = np.concatenate([sampler.draw(1, number) for number in range(4000)])
    counts = np.bincount(drawn, minlength=len(priorities))
    assert chisquare(counts, 4000 * sampler.probabilities_N).pvalue > 0.001


def test_equal_priorities_make_epochs_without_replacement():
    sampler = replay([item(f"item {i}") for i in range(64)])
    assert sorted(sampler.draw(64, 5)) == list(range(64))


def test_one_correction_with_ten_variants_does_not_flood():
    items = [*family(), *(item(f"other {i}") for i in range(9))]
    sampler = replay(items, family_cap=3.0)
    of_family = sampler.probabilities_N[:11].sum()
    assert of_family == pytest.approx(3 / (3 + 9))
    assert sampler.probabilities_N[:11] == pytest.approx(of_family / 11)


def test_variants_of_variants_belong_to_the_same_family():
    middle = item("variant", parent=example("the corrected screen").id, origin="variant")
    last = item("variant of the variant", parent=middle.example.id, origin="variant")
    sampler = replay([item("the corrected screen"), middle, last, item("other")], family_cap=1.0)
    assert sampler.probabilities_N[3] == pytest.approx(1 / 2)


def test_importance_takes_the_bias_of_priorities_out_and_leaves_the_cap():
    items = [*family(priority=5.0), item("other", priority=0.5), item("another", priority=2.0)]
    sampler = replay(items, importance_exponent=1.0)
    seen = sampler.probabilities_N * sampler.importance_N
    without_priorities = replay([each.model_copy(update={"priority": 1.0}) for each in items]).probabilities_N
    assert seen / seen.sum() == pytest.approx(without_priorities)
    assert sampler.importance_N.max() == 1
    assert replay(items, importance_exponent=0.0).importance_N == pytest.approx(1.0)


def test_the_seed_and_the_round_decide_the_draws():
    items = [item(f"item {i}") for i in range(30)]
    first = replay(items, seed=4).draw(100, 2)
    assert np.array_equal(first, replay(items, seed=4).draw(100, 2))
    assert not np.array_equal(first, replay(items, seed=5).draw(100, 2))
    assert not np.array_equal(first, replay(items, seed=4).draw(100, 3))


def test_nothing_to_draw_from_is_said_plainly():
    with pytest.raises(NightshiftError, match="nothing to train on"):
        replay([])


def test_draws_of_many_items_follow_the_stated_distribution():
    generator = np.random.default_rng(0)
    probabilities = generator.uniform(0.1, 2.0, 5_000)
    probabilities /= probabilities.sum()
    draws = Draws(probabilities, 7)
    # One draw a round, and a hundred cells of many items each, so that every cell is expected to be filled.
    drawn = np.concatenate([draws.draw(1, number) for number in range(5_000)])
    cells = np.minimum((np.cumsum(probabilities) * 100).astype(int), 99)
    counts = np.bincount(cells[drawn], minlength=100)
    expected = np.bincount(cells, weights=probabilities, minlength=100) * len(drawn)
    assert chisquare(counts, expected).pvalue > 0.001


def test_two_items_come_up_together_as_often_as_chance_would_have_it():
    probabilities = np.full(3_000, 1 / 3_000)
    draws = Draws(probabilities, 1)
    pairs = sum(len({0, 1, 2, 3, 4} & set(draws.draw(300, number).tolist())) >= 2 for number in range(2_000))
    # Five items, a tenth of all drawn: two or more of them in 8.1% of the rounds.
    assert 0.06 < pairs / 2_000 < 0.10


def test_variants_count_for_the_application_and_reviewer_of_their_parent():
    flood = [item(name, application="sheets", reviewer="ann") for name in (f"sheet {i}" for i in range(60))]
    made = [item(f"variant {i}", parent=flood[i].example.id, origin="variant") for i in range(60)]
    others = [item(f"other {i}", application=f"app {i}", reviewer=f"person {i}") for i in range(40)]
    sampler = Replay(
        [*flood, *made, *others],
        seed=0,
        family_cap=3.0,
        importance_exponent=1.0,
        application_share=0.25,
        reviewer_share=0.5,
    )
    assert sampler.probabilities_N[:120].sum() == pytest.approx(0.6)  # forty others: one draw in a hundred each
    assert sampler.importance_N == pytest.approx(1.0)


def test_trust_is_not_taken_out_with_the_bias_of_priorities():
    items = [item("of a trusted person", priority=4.0, base=2.0), item("of another", priority=1.0, base=1.0)]
    sampler = replay(items, importance_exponent=1.0)
    seen = sampler.probabilities_N * sampler.importance_N
    assert seen / seen.sum() == pytest.approx([2 / 3, 1 / 3])


def test_a_sample_holds_who_is_urgent_for_certain_and_the_others_by_chance():
    probabilities = np.concatenate([[0.5], np.full(1_000, 0.5 / 1_000)])
    times = np.zeros(1_001)
    for seed in range(200):
        sample = sampled(probabilities, 100, seed)
        assert len(sample.places) == 100
        assert sample.inclusion[0] == 1 and sample.places[0] == 0
        times[sample.places] += 1 / sample.inclusion
    assert times.mean() == pytest.approx(200, rel=0.01)
    assert np.array_equal(sampled(probabilities, 2_000, 0).places, np.arange(1_001))
