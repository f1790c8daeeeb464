import pytest

from core.evaluation.costs import costly_answers
from core.evaluation.pairs import Pair, Pairs
from core.schema import ItemScore
from core.settings import GateSettings

SETTINGS = GateSettings(costly_answer="pass", costly_times=5, costly_rate=0.2)


def pairs(
    failing: int, passed_wrongly: int, *, domain: str = "one", clusters: int | None = None, champion: int = 0
) -> Pairs:
    def item(place: int, answer: str) -> ItemScore:
        cluster = f"c{place % (clusters or failing)}"
        return ItemScore(
            example=f"{domain}{place}", cluster=cluster, score=float(answer == "fail"), answer=answer, expected="fail",
            domain=domain,
        )  # fmt: skip

    found = [
        Pair(
            item(place, "pass" if place < champion else "fail"),
            item(place, "pass" if place < passed_wrongly else "fail"),
        )
        for place in range(failing)
    ]
    return Pairs(pairs=tuple(found), champion="a", challenger="b")


@pytest.mark.parametrize(
    ("failing", "wrongly", "passed"),
    [(30, 0, True), (30, 1, True), (30, 6, False), (10, 0, None), (10, 2, None), (10, 3, False)],
)
def test_a_false_pass_must_be_shown_to_be_rare(failing: int, wrongly: int, passed: bool | None) -> None:
    (result,) = costly_answers(pairs(failing, wrongly), SETTINGS)
    assert (result.name, result.passed) == ("false pass:one", passed)


def test_with_few_examples_it_is_refused_only_where_it_is_worse_than_the_champion() -> None:
    (as_often,) = costly_answers(pairs(10, 3, champion=3), SETTINGS)
    (far_too_often,) = costly_answers(pairs(10, 8, champion=9), SETTINGS)
    assert (as_often.passed, far_too_often.passed) == (None, False)


def test_each_domain_has_its_own_gate() -> None:
    both = Pairs(pairs=(*pairs(30, 0).pairs, *pairs(30, 12, domain="two").pairs), champion="a", challenger="b")
    assert {result.name: result.passed for result in costly_answers(both, SETTINGS)} == {
        "false pass:one": True,
        "false pass:two": False,
    }


def test_examples_of_one_cluster_count_once() -> None:
    (result,) = costly_answers(pairs(60, 0, clusters=5), SETTINGS)
    assert result.passed is None


def test_where_no_answer_costs_more_nothing_is_asked() -> None:
    assert costly_answers(pairs(30, 30), GateSettings()) == []
