import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from core.evaluation import (
    abstaining,
    accuracy,
    auroc,
    balanced_accuracy,
    cohen_kappa,
    ece,
    figures,
    share_ci95,
    summarise,
)
from core.schema import ItemScore


def item(number: int, score: float, **fields) -> ItemScore:
    return ItemScore(example=str(number), cluster=fields.pop("cluster", ""), score=score, **fields)


def test_the_summary_of_nothing_has_no_accuracy():
    summary = summarise([])
    assert (summary.n, summary.accuracy, summary.ci95) == (0, None, None)


def test_a_summary_counts_every_example_once_whatever_its_weight():
    assert summarise([item(0, 1, weight=9.0), item(1, 0)]).accuracy == 0.5


@given(right=st.integers(0, 60), wrong=st.integers(0, 60))
def test_with_single_examples_the_interval_is_wilsons(right, wrong):
    if right + wrong == 0:
        return
    values = [1.0] * right + [0.0] * wrong
    wilson = stats.binomtest(right, right + wrong).proportion_ci(method="wilson")
    assert share_ci95(values, [str(i) for i in range(len(values))]) == pytest.approx(
        (wilson.low, wilson.high), abs=1e-9
    )


def test_copies_of_an_example_do_not_narrow_the_interval():
    values = [1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0]
    alone = share_ci95(values, [str(i) for i in range(12)])
    tripled = share_ci95(np.repeat(values, 3).tolist(), np.repeat(np.arange(12), 3).astype(str).tolist())
    assert tripled[1] - tripled[0] > 0.8 * (alone[1] - alone[0])


def test_an_interval_over_clusters_that_are_all_right_is_not_a_point():
    low, high = share_ci95([1.0] * 30, [str(i // 3) for i in range(30)])
    assert (low, high) == pytest.approx((0.7225, 1.0), abs=1e-3)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5)), min_size=1, max_size=40),
)
def test_an_interval_stays_within_0_and_1_and_around_the_mean(scored):
    values, clusters = [value for value, _ in scored], [str(cluster) for _, cluster in scored]
    low, high = share_ci95(values, clusters)
    assert -1e-9 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= 1 + 1e-9


def test_the_same_scores_always_give_the_same_interval():
    values, clusters = [1.0, 0.0, 1.0, 1.0], ["a", "a", "b", "c"]
    assert share_ci95(values, clusters) == share_ci95(values, clusters)


def test_balanced_accuracy_is_the_mean_over_the_expected_answers():
    expected, answers = ["on"] * 8 + ["off"] * 2, ["on"] * 8 + ["off", "something else"]
    assert accuracy([float(a == b) for a, b in zip(expected, answers, strict=True)]) == 0.9
    assert balanced_accuracy(expected, answers) == pytest.approx(0.75)
    assert balanced_accuracy([None], ["on"]) is None


def test_auroc_is_unknown_with_one_class_only():
    assert auroc([True, True], [0.2, 0.9]) is None
    assert auroc([False, True, True], [0.2, 0.1, 0.9]) == 0.5


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    assert ece([0.9] * 10, [1.0] * 9 + [0.0]) == pytest.approx(0.0)
    assert ece([0.9] * 10, [1.0] * 5 + [0.0] * 5) == pytest.approx(0.4)
    assert ece([1.0, 0.0], [1.0, 0.0]) == pytest.approx(0.0)
    assert ece([], []) is None


def test_kappa_is_nothing_beyond_chance_for_independent_raters_and_unknown_without_variety():
    assert cohen_kappa(["a", "a", "b", "b"], ["a", "b", "a", "b"]) == pytest.approx(0.0)
    assert cohen_kappa(["a", {"x": 1}], ["a", {"x": 1}]) == 1.0
    assert cohen_kappa(["a", "a"], ["a", "a"]) is None


def test_figures_hold_everything_an_evaluation_of_two_answers_reports():
    scores = [
        item(0, 1, answer="on", expected="on", probability=0.9, expected_probability=0.9),
        item(1, 1, answer="off", expected="off", probability=0.8, expected_probability=0.8),
        item(2, 0, answer="on", expected="off", probability=0.6, expected_probability=0.4),
        item(3, 1, answer="on", expected="on", probability=0.7, expected_probability=0.7),
    ]
    found = figures(scores, positive="on")
    assert (found.n, found.accuracy, found.balanced_accuracy, found.auroc) == (4, 0.75, 0.75, 1.0)
    assert found.ece == pytest.approx((0.1 + 0.2 + 0.3 + 0.6) / 4)


def test_abstaining_says_how_much_is_answered_at_each_confidence_and_how_well():
    scores = [item(i, right, probability=p) for i, (right, p) in enumerate([(1, 0.9), (0, 0.75), (1, 0.6), (0, 0.55)])]
    lines = [(line.least_confidence, line.answered, line.accuracy) for line in abstaining(scores)]
    assert lines == [(0.6, 0.75, pytest.approx(2 / 3)), (0.7, 0.5, 0.5), (0.8, 0.25, 1.0), (0.9, 0.25, 1.0)]
    assert [(line.answered, line.accuracy) for line in abstaining([])] == [(0.0, None)] * 4


def test_figures_of_nothing_are_all_unknown():
    assert figures([], positive="on").model_dump() == {
        "n": 0,
        "accuracy": None,
        "ci95": None,
        "balanced_accuracy": None,
        "auroc": None,
        "ece": None,
    }
