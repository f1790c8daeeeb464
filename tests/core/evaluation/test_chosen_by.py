"""How an item was chosen decides what its label is evidence of."""

import pytest

from core.evaluation.pairs import BIASED, BLIND, pair
from core.schema import ChosenBy, Evaluation, ItemScore


def test_every_way_of_choosing_is_known_to_the_gate() -> None:
    assert {*BLIND, *BIASED, ChosenBy.DISAGREEMENT} == set(ChosenBy)
    assert not {*BLIND} & {*BIASED}


def evaluation(release: str, how: ChosenBy) -> Evaluation:
    blind = [(f"a{n:02}", ChosenBy.RANDOM_AUDIT, float(n > 2)) for n in range(20)]
    chosen = [(f"b{n:02}", how, float(n > 10)) for n in range(20)]
    scores = tuple(
        ItemScore(example=id, cluster=id, score=score, chosen_by=by, was_wrong=not score)
        for id, by, score in (*blind, *chosen)
    )
    return Evaluation(id=release, environment="screen", release=release, suite="s", scores=scores)


@pytest.mark.parametrize("how", [ChosenBy.JUDGES, ChosenBy.NOVELTY, ChosenBy.DRIFT])
def test_what_was_chosen_for_being_odd_is_weighed_as_a_doubtful_verdict_is(how: ChosenBy) -> None:
    weighed = [pair(evaluation("a", by), evaluation("b", by)).weights for by in (how, ChosenBy.REVIEW_QUEUE)]
    assert (weighed[0] == weighed[1]).all()
    mistakes = [n for n in range(40) if n < 3 or 20 <= n <= 30]
    assert weighed[0][mistakes].sum() / weighed[0].sum() == pytest.approx((3 + 0.5) / 21)
