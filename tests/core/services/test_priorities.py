import numpy as np
import pytest

from core.services.bench.replay import ANSWERS, bench_replay, pandas_priorities, words_made_up
from core.services.priorities import Memory, Words
from core.settings import ReplaySettings

PLAIN = ReplaySettings(disagreement=0, doubt=0, recency=0, novelty=0)


def words(*rows, **columns):
    """Words of rows (question, reviewer, answer); every question is a screen of its own."""
    question, reviewer, answer = (np.array(column) for column in zip(*rows, strict=True))
    number = len(rows)
    given = {
        "settles_N": np.zeros(number, dtype=bool),
        "is_label_N": np.ones(number, dtype=bool),
        "differs_N": np.zeros(number, dtype=bool),
        "doubt_N": np.zeros(number),
        "cluster_N": question,
        "seq_N": np.arange(1, number + 1),
    }
    return Words(question_N=question, reviewer_N=reviewer, answer_N=answer, **given | columns)


def refreshed(given, settings=PLAIN, after_seq=0):
    with Memory(given, answers=2) as memory:
        return memory.refresh(settings, after_seq=after_seq)


def test_without_anything_urgent_and_with_one_reviewer_all_weigh_one():
    found = refreshed(words((0, 0, 0), (1, 0, 1), (2, 0, 1)))
    assert found.priority_N == pytest.approx(1.0)
    assert found.base_N == pytest.approx(1.0)


def test_each_sign_of_urgency_adds_what_the_settings_say():
    given = words(
        (0, 0, 0), (1, 0, 0), (2, 0, 0), (3, 0, 0),
        differs_N=np.array([True, False, False, False]),
        doubt_N=np.array([0.0, 0.5, 0.0, 0.0]),
        cluster_N=np.array([0, 1, 2, 2]),
        seq_N=np.array([1, 2, 3, 1_003]),
    )  # fmt: skip
    settings = ReplaySettings(disagreement=1, doubt=2, recency=4, novelty=8, half_life=1_000)
    found = refreshed(given, settings, after_seq=1_002)
    ages = np.array([1_001, 1_000, 999, 0]) / 1_000
    expected = 1 + np.array([1, 0, 0, 0]) + np.array([0, 1, 0, 0]) + 8 / np.array([1, 1, 2, 2]) + 4 * 0.5**ages
    assert found.priority_N == pytest.approx(expected)
    assert found.base_N == pytest.approx(1.0)


def test_who_contradicts_most_others_is_trusted_less_and_who_agrees_more():
    rows = [(question, reviewer, int(reviewer == 3)) for question in range(30) for reviewer in range(4)]
    found = refreshed(words(*rows, (100, 4, 0)))
    agrees, contradicts, unknown = found.trust_R[0], found.trust_R[3], found.trust_R[4]
    assert contradicts < unknown < agrees
    assert found.base_N[3] == pytest.approx(0.05 / ((unknown - 0.5) / 0.5))
    assert found.base_N[-1] == pytest.approx(1.0)


def test_a_few_comparisons_move_trust_only_a_little():
    found = refreshed(words((0, 0, 0), (0, 1, 1), (0, 2, 0)))
    assert 0.7 < found.trust_R[1] < 0.9


def test_the_word_that_settles_is_what_others_are_held_against():
    given = words(
        (0, 0, 0), (0, 1, 0), (0, 2, 1), settles_N=np.array([False, False, True]),
        is_label_N=np.array([False, False, True]),
    )  # fmt: skip
    found = refreshed(given)
    assert found.trust_R[0] == found.trust_R[1] < found.trust_R[2]
    assert np.isnan(found.priority_N).tolist() == [True, True, False]


def test_pandas_comes_to_the_same():
    made_up = words_made_up(5_000, seed=3)
    with Memory(made_up.words, answers=ANSWERS) as memory:
        ours = memory.refresh(ReplaySettings(), after_seq=4_900).priority_N
    assert np.allclose(ours, pandas_priorities(made_up.words)(ReplaySettings(), 4_900), rtol=1e-9)


def test_the_benchmark_says_what_was_measured():
    found = bench_replay(2_000)
    assert list(found) == ["rows", "sample_ms", "refresh_s", "pandas_s", "ratio", "rss_mb"]
    assert found["rows"] == 2_000
    assert all(value > 0 for value in found.values())
