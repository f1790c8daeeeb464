"""What repeated looks at the same evidence cost, and evidence that may be looked at as often as one likes."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.evaluation import cluster_sums, decide, decide_frozen, frozen_level, is_promising
from core.evaluation.betting import bets, e_value, lower_bound
from core.evaluation.looks import FIRST_SHARE, FROZEN_SHARE, look
from core.evaluation.pairs import pair
from core.schema import ChosenBy, Decision, Outcome
from core.settings import GateSettings

ALPHA = GateSettings().alpha


@pytest.fixture
def nights(evaluations, settings, sound):
    """The decisions of several nights, each over its own rows."""

    def decided(*rows_by_night):
        decisions = []
        for number, rows in enumerate(rows_by_night):
            sides = evaluations(rows, releases=("champion", f"challenger {number}"))
            earlier = decisions[-1] if decisions else None
            decisions.append(decide(*sides, settings=settings, run=str(number), integrity=sound, earlier=earlier))
        return decisions

    return decided


def level(decision):
    return next(gate.bound for gate in decision.gates if gate.name == "better_overall")


def test_all_looks_at_the_same_evidence_together_spend_no_more_than_the_level(nights, rows):
    same = rows(fixes=8, breaks=4, right=80, fresh=False)
    decisions = nights(*[same] * 12)
    levels = [level(decision) for decision in decisions]
    assert levels[0] == pytest.approx(FIRST_SHARE * ALPHA)
    assert levels == sorted(levels, reverse=True)
    assert sum(levels) <= ALPHA
    assert decisions[-1].looks == 12
    assert "were looked at 11 times before" in decisions[-1].reason


def test_with_none_but_new_evidence_a_night_is_the_first_again(nights, rows):
    first, second = nights(rows(fixes=8, breaks=4, right=80, fresh=False), rows(fixes=8, breaks=4, right=80))
    assert level(second) == level(first)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fresh=st.lists(st.integers(0, 60), min_size=1, max_size=12))
def test_the_budget_is_never_overdrawn(evaluations, rows, fresh):
    earlier = Decision(
        id="d", environment="screen", run="n", champion="a", challenger="b", gates=(), outcome=Outcome.UNDECIDED
    )
    for count in fresh:
        sides = evaluations(rows(right=count) + rows(right=60 - count, fresh=False))
        looked = look(pair(*sides), earlier, ALPHA)
        assert 0 < looked.level <= looked.spent <= ALPHA + 1e-12
        earlier = earlier.model_copy(update={"spent": looked.spent, "looks": looked.number})


def test_a_night_without_enough_evidence_spends_nothing(nights, rows):
    first, second = nights(rows(fixes=3, right=3), rows(fixes=8, breaks=4, right=80))
    assert (first.spent, first.looks) == (0.0, 0)
    assert level(second) == pytest.approx(FIRST_SHARE * ALPHA)


def test_a_challengers_first_test_and_its_wait_together_have_the_level_and_so_have_all_that_wait():
    given = GateSettings()
    assert FIRST_SHARE * given.alpha + frozen_level(given) <= given.alpha + 1e-12
    for at_once in (1, 3, 8):
        more = GateSettings(frozen_at_once=at_once)
        assert at_once * frozen_level(more) <= more.alpha + 1e-12
    assert frozen_level(given) == pytest.approx(FROZEN_SHARE * given.alpha)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 1), max_size=40), st.randoms())
def test_the_fortune_is_positive_and_does_not_depend_on_the_order(laid, random):
    turned = random.sample(laid, len(laid))
    assert e_value(np.array(laid)) > 0
    assert e_value(np.array(turned)) == pytest.approx(e_value(np.array(laid)), rel=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 1), max_size=40), st.floats(-1, 1))
def test_one_fair_bet_more_leaves_the_expected_fortune_as_it_is(laid, stake):
    now = e_value(np.array(laid))
    after = np.mean([e_value(np.array([*laid, side * stake])) for side in (1, -1)])
    assert after == pytest.approx(now, rel=1e-6)


def test_looking_after_every_example_keeps_the_level_where_the_challenger_is_no_better():
    rng, crossed = np.random.default_rng(4), 0
    for _ in range(400):
        laid = rng.choice([-1.0, 0.0, 1.0], 300, p=[0.06, 0.88, 0.06])
        crossed += any(e_value(laid[:n]) >= 20 for n in range(10, 301, 10))
    assert crossed / 400 <= 0.05


def test_one_that_is_better_is_found_and_its_bound_stays_below_the_truth():
    rng = np.random.default_rng(5)
    laid = rng.choice([-1.0, 0.0, 1.0], 1200, p=[0.03, 0.86, 0.11])
    assert e_value(laid) > 60
    assert 0 < lower_bound(laid, level=0.05) < 0.08
    assert lower_bound(laid[:0], level=0.05) == -1


def test_a_cluster_is_one_bet_of_at_most_the_whole_fortune():
    sums = cluster_sums([1, 1, 1, -1, 0], ["a", "a", "a", "b", "c"], [0.5, 0.5, 0.5, 2.0, 2.0])
    assert bets(sums) == pytest.approx([0.25, -1.0, 0.0])


@pytest.fixture
def frozen(evaluations, settings, sound):
    def decided(rows):
        return decide_frozen(*evaluations(rows), settings=settings, run="run", integrity=sound)

    return decided


def test_a_frozen_challenger_is_promoted_by_what_came_after_alone(frozen, rows):
    before = rows(right=60, fresh=False)
    assert frozen(before + rows(fixes=14, breaks=1, right=60)).outcome is Outcome.PROMOTED
    assert frozen(rows(fixes=14, breaks=1, right=60, fresh=False) + rows(right=60)).outcome is not Outcome.PROMOTED


def test_a_frozen_challenger_without_enough_evidence_waits_and_says_how_much_is_missing(frozen, rows):
    decision = frozen(rows(right=60, fresh=False) + rows(fixes=5, breaks=1, right=30))
    assert decision.outcome is Outcome.UNDECIDED
    assert decision.reason.startswith("Waits for evidence: it mends 5 and breaks 1 of 36 examples labelled since")
    assert decision.more_examples_needed > 10


def test_a_frozen_challenger_that_proves_no_better_is_given_up(frozen, rows):
    decision = frozen(rows(right=60, fresh=False) + rows(fixes=3, breaks=5, right=40))
    assert decision.outcome is Outcome.REFUSED
    assert decision.reason.startswith("No better since it was frozen")


def test_a_frozen_challenger_that_does_harm_is_refused_however_good_it_is(frozen, rows):
    harmed = rows(breaks=14, right=16, expected="off_task", fresh=False)
    decision = frozen(harmed + rows(fixes=40, right=60))
    assert decision.outcome is Outcome.REFUSED
    assert decision.reason.startswith("Harm found")


def test_only_a_challenger_that_looks_better_and_harms_nothing_is_worth_freezing(nights, rows):
    better, worse, even = nights(
        rows(fixes=6, breaks=2, right=70), rows(fixes=2, breaks=6, right=70), rows(fixes=4, breaks=4, right=70)
    )
    assert [is_promising(each) for each in (better, worse, even)] == [True, False, False]


AUDIT, REPORT = {"chosen_by": ChosenBy.RANDOM_AUDIT}, {"chosen_by": ChosenBy.VOLUNTEERED}


def test_reported_mistakes_weigh_what_blind_audits_say_they_are_worth(evaluations, rows):
    seen = rows(wrong=20, **AUDIT) + rows(right=80, **AUDIT) + rows(wrong=90, **REPORT) + rows(right=10, **REPORT)
    pairs = pair(*evaluations(seen))
    mistakes = ~pairs.breakable
    assert pairs.weights[mistakes].sum() / pairs.weights.sum() == pytest.approx(0.2, abs=0.01)
    assert len(set(pairs.weights[mistakes].round(9))) == 1


def test_reports_without_blind_audits_promote_nobody(evaluations, rows, settings, sound):
    reported = rows(fixes=30, right=60, **REPORT)
    decision = decide(*evaluations(reported), settings=settings, run="run", integrity=sound)
    assert decision.outcome is Outcome.UNDECIDED
    assert "audit at random" in decision.reason
    assert decision.more_examples_needed >= 10


def test_the_fewer_audits_the_less_reports_can_show(evaluations, rows):
    reported = rows(fixes=30, breaks=4, wrong=40, right=60, **REPORT)
    noise = [
        pair(*evaluations(rows(wrong=n, **AUDIT) + rows(right=4 * n, **AUDIT) + reported)).all_sums for n in (4, 40)
    ]
    few, many = (sums.noise / sums.weight_C.sum() for sums in noise)
    assert few > 2 * many > 0


def test_what_another_challenger_disagreed_on_is_no_evidence(evaluations, rows):
    asked = rows(fixes=20, breaks=20, chosen_by=ChosenBy.DISAGREEMENT)
    pairs = pair(*evaluations(rows(fixes=3, right=40) + asked))
    assert pairs.all_sums.examples == 43
