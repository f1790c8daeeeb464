"""How a set is chosen from what a judge said."""

from collections import Counter
from random import Random

import pytest

from core.environments import environment
from core.schema import JUDGED, SET_ASIDE, NightshiftError
from core.services.bootstrap.selection import Candidate, select_version
from core.settings import BootstrapSettings

SETTINGS = BootstrapSettings()
DOMAINS = [f"domain {number}" for number in range(15)]


def candidates(count: int, share_on: float = 0.5) -> list[Candidate]:
    """Two questions a picture; confidence at random."""
    rng = Random(4)
    screen = environment("screen")
    return [
        Candidate(
            example=screen.example((f"{number // 2:064}",), f"Do the work number {number}.", cluster=f"c{number // 2}"),
            answer="on_task" if rng.random() < share_on else "off_task",
            confidence=rng.uniform(0.5, 1),
            domain=rng.choice(DOMAINS),
            relation="on_task",
        )
        for number in range(count)
    ]


def test_a_thousand_balanced_examples_and_two_hundred_set_aside_by_default() -> None:
    given = candidates(2160)
    chosen = select_version(given, "screen", SETTINGS, golden_share=0.2, seed=0)
    by_id = {candidate.example.id: candidate for candidate in given}
    sides = {True: [], False: []}
    for example, (role, _) in chosen.version.labels.items():
        sides[role == SET_ASIDE].append(by_id[example])
    assert (len(sides[False]), len(sides[True]), chosen.figures["short"]) == (1000, 200, 0)
    assert Counter(each.answer for each in sides[False]) == {"on_task": 500, "off_task": 500}
    assert {each.example.cluster for each in sides[True]}.isdisjoint(each.example.cluster for each in sides[False])
    domains = Counter(each.domain for each in sides[False])
    assert len(domains) == 15 and min(domains.values()) > 40


def test_levels_go_from_what_the_judge_is_sure_of_to_what_it_doubts() -> None:
    given = candidates(2160)
    chosen = select_version(given, "screen", SETTINGS, golden_share=0.2, seed=0)
    confidence = {candidate.example.id: candidate.confidence for candidate in given}
    levels = [
        [confidence[entry.split("=")[0]] for entry in chosen.version.items[f"{JUDGED}{level}"]] for level in (1, 2, 3)
    ]
    assert [len(level) for level in levels] == chosen.figures["levels"]
    means = [sum(level) / len(level) for level in levels]
    assert means == sorted(means, reverse=True) and means[0] - means[2] > 0.2


def test_the_same_seed_chooses_the_same_set_in_any_order() -> None:
    given = candidates(600)
    one, again, other = (
        select_version(order, "screen", SETTINGS, golden_share=0.2, seed=seed).version.id
        for order, seed in ((given, 3), (given[::-1], 3), (given, 4))
    )
    assert one == again != other


def test_where_there_are_too_few_of_an_answer_it_is_said_how_many_are_missing() -> None:
    chosen = select_version(candidates(400, share_on=0.1), "screen", SETTINGS, golden_share=0.2, seed=0)
    train, validation = int(str(chosen.figures["train"])), int(str(chosen.figures["validation"]))
    assert train < 100
    assert chosen.figures["short"] == 1200 - train - validation


def test_one_answer_alone_is_nothing_to_learn_from() -> None:
    with pytest.raises(NightshiftError, match="answers are all off_task"):
        select_version(candidates(50, share_on=0.0), "screen", SETTINGS, golden_share=0.2, seed=0)
