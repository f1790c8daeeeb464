from datetime import timedelta

import pytest
from releases import make_release

from core.schema import (
    Correction,
    Decision,
    Evaluation,
    Example,
    ItemScore,
    JudgeAudit,
    Media,
    Outcome,
    Prediction,
    Promotion,
    new_id,
    now,
)
from core.schema.audits import Agreement
from core.services import Workspace, rollback
from core.services.metrics import Board
from core.services.night.evaluate import SUITE


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A home with two nights: the first left the champion, the second promoted its challenger."""
    ws = Workspace.open(tmp_path_factory.mktemp("measured") / "home", gate={"golden_share": 0.5})
    first = ws.store.champion("screen")
    weak, strong = make_release(ws, 2.0), make_release(ws, 3.0)
    compared(ws, first, weak.id, Outcome.REFUSED, right=(12, 10))
    decision = compared(ws, first, strong.id, Outcome.PROMOTED, right=(12, 18))
    ws.registry.promote(strong, expected=first, decision=decision, lease=None, token=None)
    return ws, strong


def compared(ws, champion, challenger, outcome, *, right):
    run = new_id()
    examples = [Example.make("screen", (f"{n:064x}",), f"work {n}", cluster=f"c{n}") for n in range(20)]
    ws.store.add(*examples, *(picture(example) for example in examples))
    ws.store.add(
        *(measured(run, release, examples, n) for release, n in ((champion, right[0]), (challenger, right[1])))
    )
    decision = Decision(
        id=new_id(), environment="screen", run=run, champion=champion, challenger=challenger, gates=(), outcome=outcome,
        reason="said why",
    )  # fmt: skip
    ws.store.add(decision)
    return decision


def picture(example):
    return Media(id=example.media[0], blob="b", width=800, height=600, phash="0" * 16)


def measured(run, release, examples, right):
    def score(n, example):
        is_right = n < right
        return ItemScore(
            example=example.id, cluster=example.cluster, score=float(is_right), expected="on_task",
            answer="on_task" if is_right else "off_task", probability=0.9 if is_right else 0.6,
            expected_probability=0.9 if is_right else 0.4, domain="mail" if n % 2 else "music", was_wrong=n == 15,
        )  # fmt: skip

    scores = tuple(score(n, example) for n, example in enumerate(examples))
    return Evaluation(id=new_id(), environment="screen", release=release, suite=SUITE, run=run, scores=scores)


def test_golden_accuracy_is_that_of_who_served_after_each_night(served):
    ws, strong = served
    history = Board(ws, "screen").golden()
    first, second = history.points
    assert first.release != strong.id and second.release == strong.id
    assert first.golden.n == second.golden.n and 0 < first.golden.n < 20
    assert second.golden.accuracy > first.golden.accuracy > first.challenger.accuracy
    assert [(each.action, each.after) for each in history.changes] == [("promote", 2)]


def test_the_champion_is_measured_by_its_own_evaluation(served):
    ws, strong = served
    quality = Board(ws, "screen").quality()
    assert quality.release == strong.id
    assert quality.confusion == {("on_task", "on_task"): 18, ("on_task", "off_task"): 2}
    assert [(each.n, each.right) for each in quality.reliability] == [(2, 0.0), (18, 1.0)]
    assert {name: each.n for name, each in quality.by_domain.items()} == {"mail": 10, "music": 10}


def test_what_was_taught_shows_each_changed_verdict_with_corrected_ones_first(served):
    ws, _ = served
    taught = Board(ws, "screen").taught()
    assert (taught.n, taught.champion.accuracy, taught.challenger.accuracy) == (20, 0.6, 0.9)
    assert len(taught.lessons) == 6 and all(each.change == "mended" for each in taught.lessons)
    assert taught.lessons[0].corrected and taught.lessons[0].example.ask == "work 15"
    assert {(group.domain, group.mended, group.broken) for group in taught.groups} == {("mail", 3, 0), ("music", 3, 0)}


def test_looking_again_reads_nothing_until_something_is_new(served, monkeypatch):
    ws, strong = served
    board = Board(ws, "screen")
    seen = board.golden(), board.quality(), board.live()
    monkeypatch.setattr(type(ws.store), "find", lambda *_, **__: pytest.fail("the store was read again"))
    assert (board.golden(), board.quality(), board.live()) == seen
    monkeypatch.undo()
    rollback(ws, "screen", reason="worse on music")
    assert board.quality().release != strong.id
    assert board.golden().changes[-1].reason == "worse on music"


def test_only_days_that_changed_are_summed_again(home, monkeypatch):
    ws = Workspace.open(home)
    board = Board(ws, "screen")
    ws.store.add(*(answered(days) for days in (3, 2, 0)))
    assert [day.predictions for day in board.live().days] == [1, 1, 1]
    asked = []
    real = type(ws.store).days_of_predictions
    monkeypatch.setattr(
        type(ws.store), "days_of_predictions", lambda self, *span: asked.append(span[1:]) or real(self, *span)
    )
    ws.store.add(answered(0))
    assert [day.predictions for day in board.live().days] == [1, 1, 2]
    today = now().date()
    assert asked == [(today, today)]


def answered(days_ago, **fields):
    told = {"answer": "on_task", "example": "e", "release": "r", **fields}
    return Prediction(
        id=new_id(), environment="screen", probability=0.9, confidence=0.9, latency_ms=5.0,
        at=now() - timedelta(days=days_ago), **told,
    )  # fmt: skip


def test_drift_is_told_of_verdicts_and_of_inputs(home):
    ws = Workspace.open(home)
    champion = ws.store.champion("screen")
    old, new = (Example.make("screen", (f"{n}" * 64,), ask, cluster="c") for n, ask in ((1, "Plan."), (2, "Draw.")))
    ws.store.add(old, new, picture(old), picture(new).model_copy(update={"width": 1920, "height": 1080}))
    board = Board(ws, "screen")
    assert board.drifts().found is None
    ws.store.add(
        *(answered(20, release=champion, example=old.id) for _ in range(120)),
        *(answered(1, release=champion, example=new.id, answer="off_task") for _ in range(120)),
    )
    found = {each.what: each.is_there for each in board.drifts().found}
    assert found["answers"] and found["sizes of screens"] and not found["confidence"]


def test_people_are_held_against_each_other_and_judges_against_people(home):
    ws = Workspace.open(home)
    examples = [Example.make("screen", (f"{n:064x}",), "work", cluster=f"c{n}") for n in range(10)]
    ws.store.add(*examples)
    for n, example in enumerate(examples):
        for who, answer in (("ada", "on_task" if n < 5 else "off_task"), ("ben", "on_task" if n < 4 else "off_task")):
            ws.store.add(Correction(id=new_id(), environment="screen", example=example.id, answer=answer, reviewer=who))
    board = Board(ws, "screen")
    (pair,) = board.people()
    assert (pair.first, pair.second, pair.n, pair.same) == ("ada", "ben", 10, 9)
    assert pair.kappa == pytest.approx(0.8)
    assert board.judges() == []
    ws.store.add(audit(0.3), audit(0.6))
    assert [(each.judge, each.overall.kappa) for each in board.judges()] == [("reading", 0.6)]
    assert ws.store.count(Promotion) == 1


def audit(kappa):
    overall = Agreement(n=20, scored=18, accuracy=0.9, kappa=kappa)
    return JudgeAudit(
        id=new_id(), environment="screen", judge="reading", prompt_version="1", upto_seq=1, overall=overall,
        by_category={}, champion="c", compared=18, wins=5, losses=1, share=0.25, calls=1, cached=1, seconds=1.0,
    )  # fmt: skip
