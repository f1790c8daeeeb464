import json

import pytest
from playwright.sync_api import expect
from releases import make_release, promote

from core.evaluation import PRIMARY
from core.schema import (
    Decision,
    Evaluation,
    GateResult,
    ItemScore,
    Outcome,
    Promotion,
    Run,
    StageResult,
    content_id,
    new_id,
)
from core.services.night.evaluate import SUITE

REASON = "Better: it mends 6 and breaks 1 of 40 examples."


def evaluation(run, release, right):
    scores = tuple(
        ItemScore(
            example=f"{n:064x}", cluster=f"{n:064x}", score=float(n in right), domain="music", expected="on_task",
            answer="on_task" if n in right else "off_task", probability=0.8, expected_probability=0.8,
        )
        for n in range(40)
    )  # fmt: skip
    return Evaluation(id=new_id(), environment="screen", release=release, suite=SUITE, run=run, scores=scores)


@pytest.fixture(scope="module")
def night(ws):
    """A night that promoted a challenger, as a night leaves it in the store."""
    run = Run(id=new_id(), environment="screen", seed=7, trigger="console")
    champion, challenger = ws.store.champion("screen"), make_release(ws, 2.0)
    gates = (
        GateResult(name=PRIMARY, value=0.03, bound=0.05, passed=True, note="mends 6 and breaks 1 of 40"),
        GateResult(name="calibration", value=0.01, bound=0.0, passed=True, note="fits"),
        GateResult(name="domain:music", value=None, bound=None, passed=None, note="too few <b>examples</b>"),
    )
    decision = Decision(
        id=new_id(),
        environment="screen",
        run=run.id,
        champion=champion,
        challenger=challenger.id,
        gates=gates,
        outcome=Outcome.PROMOTED,
        reason=REASON,
    )
    judged = {"judge": "reading", "judged": 3, "unscored": 0, "share": 0.25, "budget_spent": False, "calls": 3}
    results = {"judge": judged, "variants": {"made": {"reworded": 4}, "dropped": {}}}
    stages = [
        StageResult(
            id=content_id(run.id, name),
            run=run.id,
            stage=name,
            result=results.get(name, {"outcome": "promoted"}),
            seconds=1.5,
        )
        for name in ("ingest", "variants", "judge", "train", "evaluate", "gate", "promote", "report")
    ]
    evaluations = (
        evaluation(run.id, champion, set(range(20))),
        evaluation(run.id, challenger.id, set(range(1, 26))),
    )
    ws.store.add(run, decision, *stages, *evaluations)
    (ws.run_dir(run.id) / "training").mkdir(parents=True)
    (ws.run_dir(run.id) / "training" / "steps.jsonl").write_text(
        "".join(
            json.dumps(
                {"challenger": "full", "step": n, "reward": 1 - 0.4 / n, "loss": 0.9 / n, "kl": 0.01 * n, "seconds": n}
            )
            + "\n"
            for n in range(1, 41)
        )
    )
    (ws.run_dir(run.id) / "report.html").write_text("<!doctype html><title>report</title><h1>What was learnt</h1>")
    ws.registry.promote(challenger, expected=champion, decision=decision, lease=None, token=None)
    return run


@pytest.fixture
def opened(page, night):  # noqa: ARG001
    page.goto("/models")
    page.wait_for_selector("#ns-panel .ns-headline")
    return page


def card(page, title):
    return page.locator(".ns-card", has=page.locator(f"h3:text-is('{title}')"))


def test_the_champion_is_shown_with_how_it_came_to_be(opened, ws):
    champion = card(opened, "Champion")
    expect(champion).to_contain_text(ws.store.champion("screen")[:10])
    expect(champion).to_contain_text("promoted by nightshift")
    expect(champion).to_contain_text(REASON)


def test_the_last_night_is_told_gate_by_gate(opened):
    last = card(opened, "The last night")
    expect(last).to_contain_text("The challenger beat the champion")
    rows = last.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("Better overall")
    expect(rows.nth(1)).to_contain_text("passed")
    expect(rows.nth(2)).to_be_hidden()
    last.locator(".ns-gates summary").click()
    expect(rows.nth(2)).to_contain_text("not assessable")
    expect(rows.nth(2)).to_contain_text("too few <b>examples</b>")


def test_what_was_mended_and_broken_is_drawn(opened):
    chart = card(opened, "The last night").locator("svg").first
    expect(chart.locator("rect.better").first).to_be_visible()
    expect(chart).to_contain_text("6")
    expect(card(opened, "The last night")).to_contain_text("33 did not change")


def test_the_report_opens_and_runs_nothing(opened, night):
    with opened.context.expect_page() as report:
        opened.click("text=the whole report")
    expect(report.value.locator("h1")).to_have_text("What was learnt")
    answer = opened.request.get(f"/v1/nights/{night.id}/report")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_how_the_challenger_learnt_is_drawn_step_by_step(opened, night):
    opened.goto(f"/runs?night={night.id}")
    expect(opened.locator("#learning-curves polyline.curve").first).to_be_visible()
    expect(opened.locator("#learning-curves")).to_contain_text("0.6 → 0.99")
    steps = opened.request.get(f"/v1/nights/{night.id}/steps").json()
    assert [step["step"] for step in steps] == list(range(1, 41))
    assert opened.request.get(f"/v1/nights/{'0' * 32}/steps").status == 404


def test_nights_and_champions_are_listed(opened, night):
    expect(card(opened, "Champions so far").locator("tbody tr")).to_have_count(2)
    opened.goto("/runs")
    expect(card(opened, "Nights")).to_contain_text("promoted")
    opened.click(f"a[href='/runs?night={night.id}']")
    expect(card(opened, "Night")).to_contain_text("asked for by the console, seed 7")
    expect(card(opened, "What was decided")).to_contain_text("The challenger beat the champion")


def test_both_sides_are_shown_on_the_same_examples(opened):
    sides = card(opened, "Champion and challenger side by side").locator(".ns-side")
    expect(sides.nth(0)).to_contain_text("50.0%")
    expect(sides.nth(1)).to_contain_text("62.5%")


def test_a_model_leads_to_the_night_that_made_it(opened, ws):
    expect(opened.locator("#lineage-shown")).to_contain_text(ws.store.champion("screen")[:10])
    expect(opened.locator("#lineage-shown")).to_contain_text("the night that made it")


def test_a_night_cannot_start_where_nothing_is_up_and_the_page_says_so(opened):
    opened.goto("/runs")
    opened.click("#run-now")
    expect(opened.locator("#ns-panel")).to_contain_text("nightshift up")
    expect(opened.locator("#run-now")).to_be_enabled()


def test_rolling_back_takes_a_confirmation_and_a_reason(opened, ws):
    before = ws.store.champion("screen")
    opened.click("#roll-back")
    expect(opened.locator("#confirm")).to_contain_text("champion again?")
    opened.click("#rollback-yes")
    expect(opened.locator("#ns-panel")).to_contain_text("give a reason")
    assert ws.store.champion("screen") == before
    opened.fill("#rollback-reason textarea, #rollback-reason input", "worse on music")
    opened.click("#rollback-yes")
    expect(opened.locator("#ns-panel")).to_contain_text("is champion again")
    change = max(ws.store.find(Promotion), key=lambda promotion: promotion.at)
    assert (change.action, change.reason, change.release) == ("rollback", "worse on music", ws.store.champion("screen"))
    assert ws.store.champion("screen") != before
    expect(card(opened, "Champion")).to_contain_text("rolled back by local")
    expect(opened.locator("#roll-back")).to_be_disabled()


def test_a_champion_that_changed_meanwhile_is_not_rolled_back(opened, ws):
    promote(ws, make_release(ws, 3.0))
    opened.reload()
    opened.wait_for_selector("#ns-panel .ns-headline")
    opened.click("#roll-back")
    opened.fill("#rollback-reason textarea, #rollback-reason input", "worse")
    third = make_release(ws, 4.0)
    promote(ws, third)
    opened.click("#rollback-yes")
    expect(opened.locator("#ns-panel")).to_contain_text("changed since this page was shown")
    assert ws.store.champion("screen") == third.id
