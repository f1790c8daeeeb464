import math

import pytest

from core.evaluation import PRIMARY, decide
from core.evaluation.pairs import WEIGHT_CAP, pair
from core.schema import GateResult, Outcome


@pytest.fixture
def gate(evaluations, settings, sound):
    """Decides over rows; `integrity` and releases can be replaced."""

    def decided(rows, *, integrity=sound, **fields):
        champion, challenger = evaluations(rows, **fields)
        return decide(champion, challenger, settings=settings, run="run", integrity=integrity)

    return decided


def named(decision, name):
    return next(gate for gate in decision.gates if gate.name == name)


def test_a_clearly_better_challenger_is_promoted_with_its_figures_in_words(gate, rows):
    decision = gate(rows(fixes=14, breaks=3, right=180, wrong=17))
    assert decision.outcome is Outcome.PROMOTED
    assert named(decision, PRIMARY).value == pytest.approx(0.0064, abs=1e-4)
    assert "mends 14 and breaks 3 of 214 examples, +5.1 points" in decision.reason
    assert "p = 0.006" in decision.reason


def test_a_challenger_that_may_be_better_by_chance_is_undecided_and_says_how_much_is_missing(gate, rows):
    decision = gate(rows(fixes=6, breaks=2, right=70, wrong=2))
    assert decision.outcome is Outcome.UNDECIDED
    assert decision.more_examples_needed is not None
    assert f"About {decision.more_examples_needed} more labelled examples" in decision.reason
    assert "mends 6 and breaks 2 of 80" in decision.reason
    assert "p = 0.145" in decision.reason


def test_as_many_breaks_as_mends_is_undecided_and_no_number_of_examples_is_promised(gate, rows):
    decision = gate(rows(fixes=4, breaks=4, right=70))
    assert (decision.outcome, decision.more_examples_needed) == (Outcome.UNDECIDED, None)


def test_a_challenger_that_looks_worse_is_refused(gate, rows):
    decision = gate(rows(fixes=2, breaks=4, right=70))
    assert decision.outcome is Outcome.REFUSED
    assert decision.reason.startswith("Rather worse")


def test_a_challenger_that_is_worse_beyond_chance_is_refused_as_worse(gate, rows):
    half = [rows(fixes=1, breaks=6, right=40, expected=answer, domain=None) for answer in ("on_task", "off_task")]
    decision = gate(half[0] + half[1])
    assert decision.outcome is Outcome.REFUSED
    assert decision.reason.startswith("Worse:")


def test_the_same_answers_change_nothing(gate, rows):
    decision = gate(rows(right=70, wrong=10))
    assert decision.outcome is Outcome.UNDECIDED
    assert "Nothing changed" in decision.reason


def test_a_release_is_never_promoted_over_itself(gate, rows):
    decision = gate(rows(fixes=20, right=70), releases=("same", "same"))
    assert decision.outcome is Outcome.UNDECIDED
    assert "Nothing changed" in decision.reason


@pytest.mark.parametrize("passed", [False, None])
def test_an_integrity_check_that_did_not_pass_refuses_whatever_the_figures(gate, rows, passed):
    broken = [GateResult(name="reloads", value=None, bound=None, passed=passed, note="hash differs")]
    decision = gate(rows(fixes=30, right=70), integrity=broken)
    assert decision.outcome is Outcome.REFUSED
    assert "reloads (hash differs)" in decision.reason
    assert named(decision, PRIMARY).passed, "the figures are reported all the same"


def test_without_any_integrity_check_nothing_is_promoted(gate, rows):
    assert gate(rows(fixes=30, right=70), integrity=[]).outcome is Outcome.REFUSED


def test_an_integrity_figure_that_is_not_a_number_does_not_pass(gate, rows):
    odd = [GateResult(name="finite_weights", value=math.nan, bound=0, passed=True)]
    assert gate(rows(fixes=30, right=70), integrity=odd).outcome is Outcome.REFUSED


def test_without_examples_the_gate_is_undecided(gate):
    decision = gate([])
    assert decision.outcome is Outcome.UNDECIDED
    assert decision.more_examples_needed == 10


def test_a_handful_of_examples_is_too_little_however_good_they_look(gate, rows):
    decision = gate(rows(fixes=7, right=2))
    assert (decision.outcome, decision.more_examples_needed) == (Outcome.UNDECIDED, 1)
    assert named(decision, PRIMARY).passed is None


def test_many_copies_of_few_screens_are_a_handful_of_examples(gate, rows):
    decision = gate(rows(fixes=30, cluster="a") + rows(right=30, cluster="b"))
    assert decision.outcome is Outcome.UNDECIDED
    assert "only 2 independent examples" in decision.reason


def test_corrected_examples_alone_never_promote(gate, rows):
    decision = gate(rows(fixes=40, wrong=40, was_wrong=True) + rows(right=10))
    assert decision.outcome is Outcome.UNDECIDED
    assert "chosen for having been wrong" in decision.reason
    assert decision.more_examples_needed >= 10


def test_a_correction_that_was_eight_times_likelier_to_be_seen_counts_an_eighth(gate, rows):
    corrected = rows(fixes=8, was_wrong=True, weight=0.125)
    decision = gate(corrected + rows(breaks=4, right=80))
    assert decision.outcome is Outcome.REFUSED
    assert gate([(a, b, f | {"weight": 1.0}) for a, b, f in corrected] + rows(breaks=1, right=80)).outcome is (
        Outcome.PROMOTED
    )


def test_weights_are_scaled_to_a_mean_of_one_and_one_odd_weight_is_capped(evaluations, rows):
    pairs = pair(*evaluations(rows(right=99, weight=0.5) + rows(fixes=1, weight=1e9)))
    assert pairs.weights.mean() == pytest.approx(1.0)
    assert pairs.weights.max() / pairs.weights.min() == pytest.approx(WEIGHT_CAP)


def test_audits_keep_their_weight_beside_many_corrections_of_little_weight(evaluations, rows):
    corrections = rows(fixes=20, wrong=60, was_wrong=True, weight=0.01)
    weights = pair(*evaluations(corrections + rows(right=20))).weights
    assert weights[-1] / weights[0] == pytest.approx(100)


def test_examples_without_any_weight_are_no_evidence(gate, rows):
    assert gate(rows(fixes=30, right=30, weight=0.0)).outcome is Outcome.UNDECIDED


def test_evaluations_of_different_examples_are_refused(evaluations, rows, settings, sound):
    champion, _ = evaluations(rows(fixes=30, right=50))
    _, challenger = evaluations(rows(fixes=30, right=49))
    decision = decide(champion, challenger, settings=settings, run="run", integrity=sound)
    assert decision.outcome is Outcome.REFUSED
    assert "1 examples were answered by only one" in decision.reason


def test_an_example_with_another_expected_answer_on_each_side_is_refused(evaluations, rows, settings, sound):
    champion, _ = evaluations(rows(fixes=30, right=50))
    _, challenger = evaluations(rows(fixes=30, right=49) + rows(right=1, expected="off_task"))
    decision = decide(champion, challenger, settings=settings, run="run", integrity=sound)
    assert decision.outcome is Outcome.REFUSED
    assert "expected of example" in decision.reason


def test_an_example_scored_twice_is_refused(gate, rows):
    assert gate(rows(fixes=30, example="one")).outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "fields",
    [
        {"weight": math.nan},
        {"weight": -1.0},
        {"weight": math.inf},
        {"probabilities": (0.5, math.nan)},
        {"probabilities": (0.5, 1.5)},
    ],
)
def test_a_figure_that_is_not_a_number_or_impossible_is_refused(gate, rows, fields):
    assert gate(rows(fixes=30, right=50) + rows(right=1, **fields)).outcome is Outcome.REFUSED


def test_a_score_that_is_not_a_number_is_refused(gate, rows):
    assert gate([*rows(fixes=30, right=50), (1.0, math.inf, {})]).outcome is Outcome.REFUSED


def test_a_latency_that_is_not_a_number_is_refused(gate, rows):
    assert gate(rows(fixes=30, right=50), latency=(10.0, math.nan)).outcome is Outcome.REFUSED


def test_the_same_evaluations_give_the_same_decision(evaluations, rows, settings, sound):
    mixed = rows(fixes=20, right=60, weight=0.3) + rows(fixes=4, breaks=9, right=40, domain="music")
    first, second = (
        decide(*evaluations(order), settings=settings, run="run", integrity=sound).model_dump(exclude={"at"})
        for order in (mixed, mixed)
    )
    assert first == second


def test_the_order_of_the_examples_does_not_matter(evaluations, rows, settings, sound):
    champion, challenger = evaluations(rows(fixes=20, breaks=8, right=60))
    turned = challenger.model_copy(update={"scores": challenger.scores[::-1]})
    first, second = (
        decide(champion, other, settings=settings, run="run", integrity=sound) for other in (challenger, turned)
    )
    assert (first.id, first.gates) == (second.id, second.gates)


def test_real_valued_scores_are_compared_without_a_right_or_wrong(gate):
    scored = [(0.5, 0.5 + (0.02 if i % 3 else -0.01), {"expected": None}) for i in range(90)]
    decision = gate(scored)
    assert decision.outcome is Outcome.PROMOTED
    assert "+0.010" in decision.reason
    assert "points" not in decision.reason


def test_harm_refuses_a_challenger_that_is_better_overall(gate, rows):
    lost = rows(breaks=12, right=20, expected="off_task", domain=None)
    decision = gate(rows(fixes=40, right=100) + lost)
    assert decision.outcome is Outcome.REFUSED
    assert decision.reason.startswith("Harm found: class:off_task (mends 0 and breaks 12 of 32 examples")
    assert named(decision, PRIMARY).passed
