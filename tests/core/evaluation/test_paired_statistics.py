import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from core.evaluation import (
    ClusterSums,
    cluster_sums,
    difference_ci95,
    examples_needed,
    holm,
    mcnemar_exact,
    shrink,
    sign_flip_p,
)


def singletons(differences: list[float]) -> ClusterSums:
    return cluster_sums(differences, [str(i) for i in range(len(differences))], np.ones(len(differences)))


@given(fixes=st.integers(0, 40), breaks=st.integers(0, 40), same=st.integers(0, 40), weight=st.floats(0.01, 100))
def test_with_singletons_of_equal_weight_the_sign_flip_test_is_the_exact_mcnemar_test(fixes, breaks, same, weight):
    differences = [1.0] * fixes + [-1.0] * breaks + [0.0] * same
    sums = cluster_sums(differences, [str(i) for i in range(len(differences))], [weight] * len(differences))
    expected = stats.binomtest(fixes, fixes + breaks, 0.5, alternative="greater").pvalue if fixes + breaks else 1.0
    assert sign_flip_p(sums, seed=1) == pytest.approx(expected)
    assert mcnemar_exact(fixes, breaks) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-3, 3).filter(lambda x: abs(x) > 0.01), min_size=1, max_size=12))
def test_with_few_clusters_every_sign_pattern_is_counted(differences):
    sums = singletons(differences)
    patterns = 2.0 * np.array(np.meshgrid(*[[0, 1]] * len(differences))).reshape(len(differences), -1) - 1
    reached = patterns.T @ np.abs(differences) >= sum(differences) - 1e-9
    assert sign_flip_p(sums, seed=1) == pytest.approx(reached.mean())


def test_with_many_clusters_the_drawn_signs_agree_with_scipys_permutation_test():
    differences = np.random.default_rng(3).normal(0.25, 1, 60)
    theirs = stats.permutation_test(
        (differences,),
        lambda x, axis: x.sum(axis=axis),
        permutation_type="samples",
        alternative="greater",
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    assert sign_flip_p(singletons(list(differences)), seed=1) == pytest.approx(theirs.pvalue, abs=0.01)


def test_the_drawn_p_value_is_the_same_for_the_same_seed_and_never_zero():
    sums = singletons([float(x) for x in range(1, 31)])
    assert sign_flip_p(sums, seed=5) == sign_flip_p(sums, seed=5) == 1e-4


def test_ten_copies_of_one_example_are_one_piece_of_evidence():
    together = cluster_sums([1.0] * 10, ["same"] * 10, np.ones(10))
    assert sign_flip_p(together, seed=1) == 0.5
    assert sign_flip_p(singletons([1.0] * 10), seed=1) < 0.001


def test_an_example_of_weight_zero_is_left_out():
    sums = cluster_sums([1.0, -1.0], ["a", "b"], [1.0, 0.0])
    assert (len(sums), sums.examples, sums.mean) == (1, 1, 1.0)


def test_the_mean_difference_honours_the_weights():
    assert cluster_sums([1.0, -1.0], ["a", "b"], [1.0, 3.0]).mean == pytest.approx(-0.5)


def test_the_sign_flip_test_keeps_its_level_on_clustered_weighted_data():
    rng, rejected = np.random.default_rng(11), 0
    for seed in range(400):
        shared = rng.choice([-1.0, 0.0, 0.0, 1.0], 40)
        sums = cluster_sums(np.repeat(shared, 3), np.repeat(np.arange(40), 3).astype(str), rng.uniform(0.1, 1, 120))
        rejected += sign_flip_p(sums, seed=seed) <= 0.05
    assert rejected / 400 <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize(("gains", "losses", "tilt"), [(20, 0, 8.0), (12, 1, 4.0), (5, 5, 0.5)])
def test_with_a_tilt_losses_that_nobody_happened_to_see_are_reckoned_with(gains, losses, tilt):
    differences, weights = [1.0] * gains + [-1.0] * losses, [1.0] * gains + [tilt] * losses
    sums = cluster_sums(differences, [str(i) for i in range(gains + losses)], weights, tilt=tilt)
    biased_coin = stats.binomtest(gains, gains + losses, tilt / (1 + tilt), alternative="greater").pvalue
    assert sign_flip_p(sums, seed=1) == pytest.approx(biased_coin)


@settings(max_examples=30, deadline=None)
@given(
    differences=st.lists(st.integers(-3, 3), min_size=1, max_size=11),
    weights=st.lists(st.sampled_from([0.125, 0.3, 1.0]), min_size=11, max_size=11),
    tilt=st.sampled_from([0.25, 1.0, 5.0]),
)
def test_better_and_worse_are_each_others_mirror_image(differences, weights, tilt):
    names = [str(i) for i in range(len(differences))]
    sums = cluster_sums(differences, names, weights[: len(differences)], tilt=tilt)
    mirrored = cluster_sums([-d for d in differences], names, weights[: len(differences)], tilt=1 / tilt)
    assert sign_flip_p(-sums, seed=1) == pytest.approx(sign_flip_p(mirrored, seed=1))
    assert sign_flip_p(sums, seed=1) + sign_flip_p(-sums, seed=1) >= 1 - 1e-9


def test_the_interval_covers_the_true_difference_about_as_often_as_it_says():
    rng, covered = np.random.default_rng(2), 0
    for seed in range(200):
        low, high = difference_ci95(singletons(list(rng.choice([-1.0, 0.0, 1.0], 150, p=[0.05, 0.85, 0.1]))), seed=seed)
        covered += low <= 0.05 <= high
    assert 0.90 <= covered / 200 <= 0.99


def test_no_interval_is_given_for_a_single_cluster():
    assert difference_ci95(cluster_sums([1.0, 0.0], ["a", "a"], [1, 1]), seed=1) is None


def test_holm_multiplies_the_smallest_by_all_and_never_goes_down():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_never_lowers_a_p_value_and_keeps_the_order(p_values):
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert list(np.array(adjusted)[order]) == sorted(adjusted)


def test_groups_that_differ_no_more_than_chance_are_shrunk_to_the_centre():
    means, variances = shrink([0.01, -0.01, 0.0], [0.01, 0.01, 0.01], centre=0.0, centre_variance=0.003)
    assert means == pytest.approx([0.0, 0.0, 0.0])
    assert variances == pytest.approx([0.003] * 3)


def test_a_group_far_off_keeps_most_of_its_distance():
    means, _ = shrink([0.5] + [0.0] * 9, [0.005] * 10, centre=0.0, centre_variance=0.001)
    assert 0.35 < means[0] < 0.5
    assert np.abs(means[1:]).max() < 0.01


def test_five_mends_without_a_break_need_no_more_than_a_few_examples():
    assert examples_needed(singletons([1.0] * 4 + [0.0] * 16), alpha=0.05) in range(1, 10)


@pytest.mark.parametrize(("fixes", "breaks"), [(6, 2), (10, 6), (3, 0), (20, 14)])
def test_the_number_of_examples_named_is_about_enough_for_the_test(fixes, breaks):
    sums = singletons([1.0] * fixes + [-1.0] * breaks + [0.0] * 90)
    more = examples_needed(sums, alpha=0.05)
    assert more is not None
    times = 1 + more / sums.examples
    assert mcnemar_exact(round(fixes * times * 1.15), round(breaks * times * 1.15)) <= 0.06
    assert mcnemar_exact(round(fixes * times * 0.7), round(breaks * times * 0.7)) > 0.05


@pytest.mark.parametrize("differences", [[], [0.0, 0.0], [1.0, -1.0], [-1.0]])
def test_no_number_of_examples_is_named_where_the_challenger_is_no_better(differences):
    assert examples_needed(singletons(differences), alpha=0.05) is None
