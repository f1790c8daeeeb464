import xml.etree.ElementTree as ET

import pytest

from app.console.judge import _Judge
from app.console.night_cards import reward_card
from core.evaluation.charts import Interval, interval_chart
from core.schema import (
    Agreement,
    Example,
    JudgeAudit,
    Judgment,
    Prediction,
    Rollout,
    Run,
    StageResult,
    new_id,
    now,
)
from core.services import Workspace
from core.services.standing import rewards_of

NASTY = "<img src=x onerror=alert(1)> ${alert(2)}"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A home whose judges were audited, and that had a night."""
    no_audits = {"audit_share": 0.0, "audits_per_night": 0}
    ws = Workspace.open(tmp_path_factory.mktemp("judged") / "home", judge=["reading", "openai"], review=no_audits)
    example = Example.make("screen", ("m" * 64,), NASTY, answers=("on_task", "off_task"), cluster="c")
    run = Run(id=new_id(), environment="screen", seed=1)
    said = Prediction(
        id=new_id(), environment="screen", example=example.id, answer="on_task", probability=0.6, confidence=0.6,
        release="r", latency_ms=1.0,
    )  # fmt: skip
    ws.store.add(example, run, said, StageResult(id="s", run=run.id, stage="ingest", result={}, seconds=1.0))
    for judge, on_task in (("reading", 0.1), ("openai", 0.9)):
        ws.store.add(audit(judge, 0.4), audit(judge, 0.7), judgment(example, judge, on_task))
    for answer, reward in (("on_task", 0.8), ("off_task", 0.2)):
        parts = {"judge": reward, "exact_verdict": None}
        ws.store.add(
            Rollout(
                id=new_id(), environment="screen", example=example.id, run=run.id, answer=answer, reward=reward,
                reward_parts=parts,
            )
        )  # fmt: skip
    return _Judge(ws, ws.environment("screen"))


def audit(judge, kappa):
    overall = Agreement(n=20, scored=18, accuracy=0.9, kappa=kappa, kappa_ci95=(kappa - 0.2, kappa + 0.2))
    return JudgeAudit(
        id=new_id(), environment="screen", judge=judge, prompt_version="1", upto_seq=1, overall=overall,
        by_category={NASTY: overall}, champion="c", compared=18, wins=5, losses=1, share=0.25, calls=36, cached=2,
        tokens=900, seconds=1.0,
    )  # fmt: skip


def judgment(example, judge, on_task):
    scores = [{"answer": "on_task", "score": on_task}, {"answer": "off_task", "score": 1 - on_task}]
    return Judgment(
        id=new_id(), environment="screen", example=example.id, judge=judge, prompt_version="1", scores=scores,
        tokens=1_000_000, at=now(),
    )  # fmt: skip


def test_the_page_says_what_was_measured_what_it_cost_and_what_is_left_to_people(page):
    agreement, disagreements, categories, standing = page.facts()
    assert agreement.count("<svg") == 2 and "on 18 examples" in agreement
    assert "90% of 18" in categories
    assert "earns 25% of its weight" in standing and "alone right 5 times" in standing
    assert "1,000,000 of 5,000,000 tokens" in standing
    assert "one example" in disagreements and 'href="/review"' in disagreements and "among judges" in disagreements


def test_what_answers_earned_is_shown_part_by_part(page):
    (run,) = page.ws.store.find(Run)
    drawn = reward_card(page.environment, rewards_of(page.ws, run.id))
    assert "exact verdict" in drawn and "0.80" in drawn and "–" in drawn and "<img" not in drawn


def test_nothing_that_stands_in_data_is_run(page):
    assert all("<img" not in fragment for fragment in page.facts())


def test_a_home_without_audits_says_how_to_make_one(home):
    ws = Workspace.open(home)
    agreement, disagreements, categories, standing = _Judge(ws, ws.environment("screen")).facts()
    assert "nightshift judge audit" in agreement and "nightshift judge audit" in standing
    assert "No judge contradicts" in disagreements and categories == ""


def test_an_audit_asked_for_where_nothing_is_up_says_so(page):
    assert "nightshift up" in page.audit_now()


@pytest.mark.parametrize("count", [1, 2, 60])
def test_intervals_stay_inside_the_drawing(count):
    points = [Interval(f"day {n}", 0.5, -0.9 if n % 2 else 0.4, 1.0) for n in range(count)]
    drawn = ET.fromstring(interval_chart(points, title="t"))
    _, _, width, height = map(float, drawn.get("viewBox").split())
    for line in drawn.iter("line"):
        assert 0 <= float(line.get("x1")) <= width and 0 <= float(line.get("y2")) <= height
    assert len(list(drawn.iter("circle"))) == count
