import pytest

from core.evaluation.harm import TESTS, calibration, forgetting, harm_checks, per_class, per_domain
from core.evaluation.pairs import pair
from core.evaluation.serving import abstention, hostile, latency, memory
from core.schema import ItemScore

LEVEL = 0.05 / len(TESTS)


@pytest.fixture
def check(evaluations, settings):
    """Runs one check over rows and gives its results by name."""

    def results(one, rows, **fields):
        pairs = pair(*evaluations(rows, **fields))
        arguments = (LEVEL, settings) if one in TESTS else (settings,)
        return {result.name: result for result in one(pairs, *arguments)}

    return results


def test_losing_half_of_the_learnt_corrections_is_forgetting(check, rows):
    learnt = rows(breaks=6, right=6, was_wrong=True)
    result = check(forgetting, learnt + rows(fixes=30, breaks=1, right=60))["forgetting"]
    assert result.passed is False
    assert "loses 6 of 12 learnt corrections" in result.note


def test_losing_a_learnt_correction_now_and_then_is_not_forgetting(check, rows):
    learnt = rows(breaks=2, right=18, was_wrong=True)
    assert check(forgetting, learnt + rows(fixes=6, breaks=2, right=60))["forgetting"].passed is True


def test_corrections_still_to_be_learnt_neither_show_nor_hide_forgetting(check, rows):
    base = rows(breaks=6, right=6, was_wrong=True) + rows(right=60)
    with_new = check(forgetting, base + rows(fixes=30, wrong=30, was_wrong=True))["forgetting"]
    assert with_new == check(forgetting, base)["forgetting"]


def test_a_challenger_that_breaks_things_everywhere_alike_is_no_forgetting(check, rows):
    everywhere = rows(breaks=4, right=16, was_wrong=True) + rows(breaks=20, right=80)
    assert check(forgetting, everywhere)["forgetting"].passed is True


def test_few_learnt_corrections_cannot_show_forgetting(check, rows):
    assert check(forgetting, rows(breaks=4, was_wrong=True) + rows(right=40))["forgetting"].passed is None


def test_copies_of_one_lost_correction_count_once(check, rows):
    lost = rows(breaks=10, was_wrong=True, cluster="one screen")
    assert check(forgetting, lost + rows(right=6, was_wrong=True))["forgetting"].passed is True


def test_a_class_that_got_worse_is_found_beside_one_that_got_better(check, rows):
    classes = rows(fixes=20, right=60) + rows(breaks=10, right=40, expected="off_task")
    results = check(per_class, classes)
    assert results["class:off_task"].passed is False
    assert results["class:off_task"].value == pytest.approx(-0.2)
    assert results["class:on_task"].passed is True


def test_a_class_with_a_few_breaks_more_than_mends_does_not_block(check, rows):
    assert check(per_class, rows(fixes=1, breaks=5, right=40))["class:on_task"].passed is True


def test_a_class_with_too_few_examples_is_not_assessable(check, rows):
    assert check(per_class, rows(breaks=9) + rows(right=40, expected="off_task"))["class:on_task"].passed is None


def test_answers_without_classes_are_not_assessable(check, rows):
    assert check(per_class, rows(right=20, expected=None))["class"].passed is None


def test_many_answers_too_rare_to_assess_are_summed_up(check, rows):
    texts = [row for i in range(50) for row in rows(right=1, expected=f"free text {i}")]
    assert list(check(per_class, texts)) == ["class:others"]


def test_a_domain_far_worse_than_the_rest_is_found(check, rows):
    domains = [row for i in range(9) for row in rows(fixes=2, breaks=1, right=27, domain=f"domain {i}")]
    results = check(per_domain, domains + rows(breaks=13, right=17, domain="music"))
    assert results["domain:music"].passed is False
    assert all(result.passed for name, result in results.items() if name != "domain:music")


def test_a_domain_a_little_worse_than_the_rest_is_put_down_to_chance(check, rows):
    domains = [row for i in range(9) for row in rows(fixes=3, breaks=1, right=26, domain=f"domain {i}")]
    assert check(per_domain, domains + rows(fixes=1, breaks=4, right=25, domain="music"))["domain:music"].passed is True


def test_a_domain_with_too_few_examples_is_not_assessable(check, rows):
    results = check(per_domain, rows(right=60, fixes=4, domain="work") + rows(breaks=6, domain="music"))
    assert results["domain:music"].passed is None
    assert "6 independent examples; 10 are needed" in results["domain:music"].note


def test_examples_without_domains_are_not_assessable(check, rows):
    assert check(per_domain, rows(right=20))["domain"].passed is None


def test_probabilities_that_no_longer_fit_are_found_though_the_answers_are_the_same(check, rows):
    overconfident = rows(right=60, probabilities=(0.8, 0.8)) + rows(wrong=30, probabilities=(0.6, 0.99))
    assert check(calibration, overconfident)["calibration"].passed is False


def test_probabilities_that_fit_better_do_no_harm(check, rows):
    sharper = rows(right=60, probabilities=(0.8, 0.9)) + rows(wrong=30, probabilities=(0.7, 0.6))
    result = check(calibration, sharper)["calibration"]
    assert result.passed is True
    assert result.value < 0


def test_calibration_is_not_assessable_without_probabilities(check, rows):
    assert check(calibration, rows(right=60))["calibration"].passed is None


@pytest.mark.parametrize(
    ("measured", "passed"),
    [((10.0, 14.9), True), ((10.0, 15.1), False), ((None, 10.0), None), ((10.0, None), None), ((0.0, 10.0), None)],
)
def test_a_challenger_that_is_too_slow_is_refused_and_an_unknown_speed_is_not_assessable(check, rows, measured, passed):
    assert check(latency, rows(right=20), latency=measured)["latency"].passed is passed


def test_all_checks_together_run_in_a_fixed_order(check, rows):
    names = list(check(harm_checks, rows(right=20, domain="work")))
    assert names == [
        "forgetting",
        "class:on_task",
        "domain:work",
        "calibration",
        "abstention",
        "hostile",
        "latency",
        "memory",
    ]


def test_a_challenger_that_dares_far_fewer_verdicts_abstains_too_often(check, rows):
    timid = rows(right=60, probabilities=(0.9, 0.9)) + rows(right=20, probabilities=(0.9, 0.55))
    result = check(abstention, timid)["abstention"]
    assert result.passed is False
    assert result.value == pytest.approx(0.25)
    assert "0.0% -> 25.0% of verdicts less sure than 0.6" in result.note


def test_a_few_more_abstentions_are_no_harm(check, rows):
    timid = rows(right=76, probabilities=(0.9, 0.9)) + rows(right=4, probabilities=(0.9, 0.55))
    assert check(abstention, timid)["abstention"].passed is True


@pytest.fixture
def attacked(evaluations, rows, settings):
    """The check of hostile screens, given on which of them champion and challenger hold."""

    def result(champion, challenger):
        sides = [
            side.model_copy(update={"hostile": tuple(
                ItemScore(example=f"hostile {i}", cluster="", score=score) for i, score in enumerate(scores)
            )})
            for side, scores in zip(evaluations(rows(right=20)), (champion, challenger), strict=True)
        ]  # fmt: skip
        (found,) = hostile(pair(*sides), LEVEL, settings)
        return found

    return result


def test_giving_in_to_hostile_screens_more_often_is_found(attacked):
    result = attacked([1.0] * 38 + [0.0] * 2, [1.0] * 26 + [0.0] * 14)
    assert result.passed is False
    assert (result.value, result.bound) == (14 / 40, 2 / 40)
    assert "2 -> 14 of 40 hostile screens turn the verdict" in result.note


def test_giving_in_no_more_often_than_the_champion_is_no_harm(attacked):
    assert attacked([1.0] * 30 + [0.0] * 10, [0.0] * 3 + [1.0] * 37).passed is True


def test_without_hostile_screens_on_both_sides_the_check_is_not_assessable(attacked):
    assert attacked([], []).passed is None
    assert attacked([1.0] * 40, []).passed is None


@pytest.mark.parametrize(("weights", "passed"), [((100, 125), True), ((100, 126), False), ((None, 100), None)])
def test_weights_that_take_much_more_memory_are_refused(evaluations, rows, settings, weights, passed):
    sides = evaluations(rows(right=20))
    sized = [side.model_copy(update={"weights_bytes": size}) for side, size in zip(sides, weights, strict=True)]
    assert memory(pair(*sized), settings)[0].passed is passed
