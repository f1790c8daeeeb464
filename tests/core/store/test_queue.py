"""The review queue and claims, on both engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from store_records import correction

from core.schema import Alternative, ChosenBy, Claim, Example, Judgment, Prediction, Signal, content_id, new_id, now
from core.store import Asked, Order, Sought, Ticket, open_store
from core.store.database import engine_of, open_database
from core.store.migrate import load_migrations

QUEUE_SINCE = 12
"The schema version from which what the queue looks at stands in columns of its own."


def example(n: int, ask: str = "Write the report.") -> Example:
    return Example.make("screen", (f"{n:064x}",), ask, answers=("on_task", "off_task"), cluster="c")


def said(of: Example, confidence: float = 0.7, answer: str = "on_task", **fields) -> Prediction:
    given = {"environment": "screen", "example": of.id, "answer": answer, "probability": confidence}
    return Prediction(id=new_id(), confidence=confidence, release="r", latency_ms=1, **given, **fields)


def claim(about: Prediction, reviewer: str = "ann", sitting: str = "a", seconds: float = 60) -> Claim:
    return Claim(
        id=new_id(),
        environment="screen",
        example=about.example,
        prediction=about.id,
        reviewer=reviewer,
        sitting=sitting,
        chosen_by=ChosenBy.REVIEW_QUEUE,
        until=now() + timedelta(seconds=seconds),
    )


def word(about: Prediction, reviewer: str, answer: str = "on_task", **fields):
    return correction(about.example, answer, prediction=about.id, reviewer=reviewer, **fields)


def told(store, order: Order = Order.DOUBT, reviewer: str = "ann", sitting: str = "a", **fields) -> list[str]:
    asked = Asked("screen", reviewer, now(), sitting=sitting, order=order, limit=50, **fields)
    return [id for id, _, _ in store.waiting(asked).told]


@pytest.fixture
def waiting(store) -> list[Prediction]:
    """Six predictions, ever surer."""
    examples = [example(n, f"Work {n} of the week.") for n in range(6)]
    made = [said(each, 0.5 + n / 20) for n, each in enumerate(examples)]
    store.add(*examples, *made)
    return made


def ids(predictions) -> list[str]:
    return [each.id for each in predictions]


def test_doubt_first_and_what_is_answered_or_at_hand_not_at_all(store, waiting):
    assert told(store) == ids(waiting)
    taken_back = word(waiting[2], "bob")
    store.add(word(waiting[0], "bob"), taken_back, word(waiting[2], "bob", retracts=taken_back.id))
    store.claim([Ticket(claim(waiting[1], "bob", "b"))])
    assert told(store) == ids(waiting[2:])
    assert told(store, held=(waiting[3].id,)) == ids([waiting[2], *waiting[4:]])


def test_an_item_at_hand_is_nobody_elses_until_its_time_is_over(store, waiting):
    first = claim(waiting[0], "ann", "a")
    assert store.claim([Ticket(first)]) == [first]
    for reviewer, sitting in (("bob", "b"), ("ann", "another window")):
        assert store.claim([Ticket(claim(waiting[0], reviewer, sitting))]) == []
        assert waiting[0].id not in told(store, reviewer=reviewer, sitting=sitting)
    store.add(first.model_copy(update={"id": new_id(), "until": now()}))
    assert waiting[0].id in told(store, reviewer="bob", sitting="b")
    assert len(store.claim([Ticket(claim(waiting[0], "bob", "b"))])) == 1


def test_an_overlapping_item_is_for_two_people_and_no_third(store, waiting):
    about = waiting[0]
    store.add(word(about, "bob"))
    assert about.id in told(store, reviewer="ann", overlap_share=1.0)
    assert about.id not in told(store, reviewer="bob", overlap_share=1.0)
    assert about.id not in told(store, reviewer="ann", overlap_share=0.0)
    assert len(store.claim([Ticket(claim(about, "ann", "a"), seats=2)])) == 1
    assert store.claim([Ticket(claim(about, "cid", "c"), seats=2)]) == []
    assert about.id not in told(store, reviewer="cid", sitting="c", overlap_share=1.0)


def test_what_was_imported_needs_no_second_opinion(store, waiting):
    store.add(word(waiting[0], "import", chosen_by=ChosenBy.IMPORT))
    assert waiting[0].id not in told(store, overlap_share=1.0)


def test_judges_that_contradict_the_verdict_come_first_where_they_are_asked_for(store, waiting):
    def judged(about: Prediction, on_task: float) -> Judgment:
        scores = (Alternative(answer="on_task", score=on_task), Alternative(answer="off_task", score=1 - on_task))
        return Judgment(
            id=new_id(), environment="screen", example=about.example, judge="j", prompt_version="1", scores=scores
        )

    store.add(judged(waiting[0], 0.9), judged(waiting[1], 0.4), judged(waiting[2], 0.1))
    assert told(store, Order.JUDGES, judges=("j",)) == ids([waiting[2], waiting[1]])


def test_novelty_and_drift_are_as_their_last_signal_says(store, waiting):
    def signal(about: Prediction, basis: int, novelty: float, drift: float | None) -> Signal:
        id = content_id("signal", about.example, basis)
        known = {"environment": "screen", "example": about.example, "domain": "mail", "basis": basis}
        return Signal(id=id, novelty=novelty, drift=drift, **known)

    store.add(signal(waiting[0], 0, 1.0, 2.0))
    store.add(signal(waiting[0], 50, 0.1, None), signal(waiting[1], 50, 0.5, 1.0), signal(waiting[2], 50, 0.2, -1.0))
    assert told(store, Order.NOVELTY) == ids([waiting[1], waiting[2], waiting[0]])
    assert told(store, Order.DRIFT) == [waiting[1].id]
    assert told(store, sought=Sought(domain="mail")) == ids(waiting[:3])
    assert store.without_signal("screen", 50, newest=10, limit=10) == [each.example for each in waiting[:2:-1]]


def test_what_is_in_dispute_comes_in_the_order_it_is_named_and_to_whoever_has_no_word_on_it_first(store, waiting):
    last, first, mine = waiting[0], waiting[1], waiting[2]
    store.add(word(last, "bob"), word(first, "bob"), word(mine, "ann"))
    disputed = tuple(each.example for each in (mine, first, last))
    assert told(store, Order.CONTRADICTION, disputed=disputed) == ids([first, last, mine])
    store.add(claim(first, "cid", "c"))
    assert told(store, Order.CONTRADICTION, disputed=disputed) == ids([last, mine])
    assert told(store, Order.CONTRADICTION) == []


def test_filters_find_by_work_verdict_session_time_and_reviewer(store, waiting):
    other = example(9, "Plan the trip.")
    odd = said(other, 0.9, "off_task", session="evening", at=now() - timedelta(days=3))
    store.add(other, odd, word(waiting[5], "bob"))
    yesterday = now() - timedelta(days=1)
    assert told(store, sought=Sought(work="TRIP")) == [odd.id]
    assert told(store, sought=Sought(verdict="off_task")) == [odd.id]
    assert told(store, sought=Sought(session="evening")) == [odd.id]
    assert told(store, sought=Sought(until=yesterday)) == [odd.id]
    assert told(store, sought=Sought(since=yesterday)) == ids(waiting[:5])
    assert told(store, sought=Sought(reviewer="bob")) == [waiting[5].id]


def test_what_is_kept_for_audits_is_never_picked_out(store, waiting):
    everything = {"audit_share": 1.0}
    asked = Asked("screen", "ann", now(), sitting="a", order=Order.RANDOM, limit=50, **everything)
    found = store.waiting(asked)
    assert found.told == [] and sorted(found.audits) == sorted(ids(waiting))
    assert found.audits == ids(sorted(waiting, key=lambda each: each.example))
    assert told(store, Order.NOVELTY, **everything) == []
    assert told(store, sought=Sought(verdict="on_task"), **everything) == []


def test_the_day_counts_what_stands_of_this_reviewer_and_was_not_volunteered(store, waiting):
    midnight = now() - timedelta(hours=1)
    kept = word(waiting[0], "ann", chosen_by=ChosenBy.NOVELTY)
    undone = word(waiting[1], "ann", chosen_by=ChosenBy.REVIEW_QUEUE)
    store.add(kept, undone, word(waiting[1], "ann", retracts=undone.id), word(waiting[2], "ann"))
    store.add(word(waiting[3], "bob", chosen_by=ChosenBy.REVIEW_QUEUE))
    assert store.reviewed_since("screen", "ann", midnight) == 1
    assert store.reviewed_since("screen", "ann", now() + timedelta(seconds=1)) == 0


def test_of_many_who_reach_for_an_item_at_once_one_has_it(store, waiting):
    def reach(n: int) -> int:
        return len(store.claim([Ticket(claim(waiting[0], f"reviewer {n}", f"window {n}"))]))

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(reach, range(6))) == 1


def test_what_was_stored_before_there_was_a_queue_is_in_it(url):
    earlier = [step for step in load_migrations() if step.version < QUEUE_SINCE]
    old = open_database(engine_of(url), earlier, deadline_s=30)
    of = [example(n) for n in range(2)]
    made = [said(of[0], 0.9, "off_task"), said(of[1], 0.6)]

    def fill(on) -> None:
        for seq, each in enumerate(of, start=1):
            on.execute(
                'INSERT INTO example_event (seq, id, "at", environment, cluster, payload) VALUES (?, ?, ?, ?, ?, ?)',
                [seq, each.id, each.at, each.environment, each.cluster, each.model_dump_json()],
            )
        for seq, each in enumerate(made, start=1):
            on.execute(
                'INSERT INTO prediction_event (seq, id, "at", environment, example, release, from_person, payload) '
                "VALUES (?, ?, ?, ?, ?, ?, false, ?)",
                [seq, each.id, each.at, each.environment, each.example, each.release, each.model_dump_json()],
            )

    old.write(fill)
    store = open_store(url)
    assert told(store) == ids(made[::-1])
    assert told(store, sought=Sought(verdict="off_task", work="report")) == [made[0].id]
