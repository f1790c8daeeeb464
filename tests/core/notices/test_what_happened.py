"""Notices follow from what the store holds: each event once, nothing that did not happen."""

import random
from datetime import timedelta

import pytest

from core.notices import what_happened
from core.notices.happened import drifts
from core.schema import (
    Decision,
    Event,
    Notice,
    Outcome,
    Prediction,
    Promotion,
    Run,
    StageResult,
    content_id,
    new_id,
    now,
)
from core.settings import NoticeSettings
from core.store import Store

SCREEN = {"environment": "screen"}


def told(store: Store, **moved: timedelta) -> list[Notice]:
    at = now() + moved.get("later", timedelta())
    return what_happened(store, "screen", since=at - timedelta(days=1), at=at)


def change(action: str, release: str = "b" * 64) -> Promotion:
    return Promotion(id=new_id(), release=release, previous="a" * 64, action=action, reason="it was better", **SCREEN)


def decision(outcome: Outcome) -> Decision:
    return Decision(
        id=new_id(), run="n", champion="a", challenger="b", gates=(), outcome=outcome, reason="harm found", **SCREEN
    )


def result(run: Run, stage: str, **figures: object) -> StageResult:
    return StageResult(id=content_id(run.id, stage), run=run.id, stage=stage, result=figures, seconds=1.0)


def night() -> Run:
    return Run(id=new_id(), seed=1, **SCREEN)


def test_nothing_is_told_of_an_empty_home(store: Store) -> None:
    assert told(store) == []


@pytest.mark.parametrize(("action", "event"), [("promote", Event.PROMOTED), ("rollback", Event.ROLLED_BACK)])
def test_a_change_of_champion_is_told_with_its_reason(store: Store, action: str, event: Event) -> None:
    store.add(change(action))

    (notice,) = told(store)

    assert notice.event is event
    assert notice.detail["release"] == "b" * 64 and notice.detail["reason"] == "it was better"


def test_the_first_model_of_a_home_is_no_news(store: Store) -> None:
    store.add(change("install"))

    assert told(store) == []


def test_of_decisions_only_refusals_are_told(store: Store) -> None:
    store.add(*(decision(outcome) for outcome in Outcome))

    assert [(notice.event, notice.detail["reason"]) for notice in told(store)] == [(Event.REFUSED, "harm found")]


def test_a_night_that_failed_says_why(store: Store) -> None:
    failed = night()
    store.add(failed, result(failed, "abandoned", why="train: the loss is no longer a number"))

    (notice,) = told(store)

    assert (notice.event, notice.detail["why"]) == (Event.NIGHT_FAILED, "train: the loss is no longer a number")


def test_a_spent_budget_is_told_and_a_kept_one_is_not(store: Store) -> None:
    spent, kept = night(), night()
    store.add(spent, kept, result(spent, "judge", budget_spent=True, judge="openai", calls=9), result(kept, "judge"))

    (notice,) = told(store)

    assert (notice.event, notice.subject, notice.detail["calls"]) == (Event.JUDGE_BUDGET_SPENT, spent.id, 9)


def test_a_night_whose_lease_ran_out_is_a_zombie_until_another_takes_the_lease(store: Store) -> None:
    store.add(night())
    store.lease("night/screen", "a process that dies", ttl_s=0.001)

    assert [notice.event for notice in told(store, later=timedelta(minutes=11))] == [Event.ZOMBIE_RUN]
    assert told(store) == []  # it may yet renew

    with store.lease("night/screen", "the next one", ttl_s=60):
        assert told(store, later=timedelta(minutes=11)) == []


def test_a_night_that_ended_leaves_no_zombie(store: Store) -> None:
    done = night()
    store.add(done, result(done, "report"))
    store.lease("night/screen", "a process that dies", ttl_s=0.001)

    assert told(store, later=timedelta(minutes=11)) == []


def test_the_same_records_give_the_same_notices(store: Store) -> None:
    store.add(change("promote"), decision(Outcome.REFUSED))

    assert [notice.id for notice in told(store)] == [notice.id for notice in told(store)]
    assert len({notice.id for notice in told(store)}) == 2


def test_what_happened_long_ago_is_no_news(store: Store) -> None:
    store.add(change("promote"))

    assert told(store, later=timedelta(days=2)) == []


def served(store: Store, share_on_task: float, days_ago: float, number: int, release: str = "b") -> None:
    chance = random.Random(days_ago)
    at = now() - timedelta(days=days_ago)
    store.add(
        *(
            Prediction(
                id=new_id(),
                at=at,
                example="e",
                answer="on_task" if chance.random() < share_on_task else "off_task",
                probability=0.9,
                confidence=chance.uniform(0.6, 0.95),
                release=release,
                latency_ms=1.0,
                **SCREEN,
            )
            for _ in range(number)
        )
    )


def test_verdicts_that_moved_are_told_and_verdicts_that_did_not_are_not(store: Store) -> None:
    store.swap_champion("screen", expected=None, new="b", promotion=change_to("b"))
    served(store, 0.8, days_ago=20, number=400)
    served(store, 0.8, days_ago=1, number=400)
    assert drifts(store, "screen", NoticeSettings(), at=now()) == []

    served(store, 0.2, days_ago=2, number=1_200)
    (notice,) = drifts(store, "screen", NoticeSettings(), at=now())

    assert (notice.event, notice.detail["what"]) == (Event.DRIFT, "answers")


def test_a_new_champion_that_answers_otherwise_is_no_drift(store: Store) -> None:
    store.swap_champion("screen", expected=None, new="c", promotion=change_to("c"))
    served(store, 0.9, days_ago=20, number=400, release="b")
    served(store, 0.1, days_ago=1, number=400, release="c")

    assert drifts(store, "screen", NoticeSettings(), at=now()) == []


def change_to(release: str) -> Promotion:
    return Promotion(id=new_id(), release=release, previous=None, action="install", **SCREEN)
