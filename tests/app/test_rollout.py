"""A challenger's way past shadow, approval and canary, with the engine that serves it."""

import shutil
from datetime import timedelta

import pytest
from fastapi import FastAPI
from releases import make_release
from serving import WORK, picture
from starlette.testclient import TestClient

from app.engine import Engine
from app.rollout_api import rollout_routes
from core.schema import Decision, NightshiftError, Outcome, Prediction, ShadowAnswer, Trial, new_id, now
from core.services import Workspace, advance, approve, correct, reject_release, rollout_state
from core.services.rollout import begin_trial, open_trial


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A home whose champion is there already, with a challenger beside it."""
    home = tmp_path_factory.mktemp("trial") / "home"
    ws = Workspace.open(home)
    return home, make_release(ws, 2.0).id


@pytest.fixture
def opened(taught, tmp_path):
    """Opens a copy of the home under some settings of the rollout, and begins a trial."""

    def start(**rollout):
        home = tmp_path / "home"
        shutil.copytree(taught[0], home)
        ws = Workspace.open(home, rollout=rollout)
        decision = Decision(
            id=new_id(), environment="screen", run=new_id(), champion=ws.store.champion("screen"),
            challenger=taught[1], gates=(), outcome=Outcome.PROMOTED, reason="better",
        )  # fmt: skip
        ws.store.add(decision)
        return ws, begin_trial(ws, decision)

    return start


def ask(engine: Engine, count: int) -> list[Prediction]:
    return [engine.classify("screen", picture(), f"{WORK} Week {number}.") for number in range(count)]


def stage(ws: Workspace) -> str | None:
    found = open_trial(ws, "screen")
    return found.stage if found else None


def test_without_any_step_set_there_is_no_trial(opened):
    ws, trial = opened()
    assert trial is None
    assert rollout_state(ws, "screen") is None


def test_a_challenger_of_groups_waits_for_approval_alone_as_none_of_its_steps_would_see_a_group(opened):
    ws, _ = opened(shadow_share=1.0, approval=True, canary_share=0.5)
    told = {"environment": "group_qc", "champion": "c", "challenger": "d", "gates": (), "reason": "better"}
    trial = begin_trial(ws, Decision(id=new_id(), run=new_id(), outcome=Outcome.PROMOTED, **told))
    assert trial.plan == ("approval", "promotion")


def test_silent_answers_are_kept_apart_and_end_the_shadow(opened):
    ws, trial = opened(shadow_share=1.0, shadow_answers=4)
    engine = Engine(ws)
    said = ask(engine, 3)
    engine._shadows.settle()
    assert {each.release for each in said} == {ws.store.champion("screen")}
    assert advance(ws, "screen")["figures"]["answers"] == 3
    ask(engine, 4)
    engine._shadows.settle()
    kept = ws.store.find(ShadowAnswer)
    assert len(kept) == 4
    assert {each.release for each in kept} == {trial.release}
    assert {each.release for each in ws.store.find(Prediction)} == {trial.champion}
    assert all(each.agrees and each.latency_ms > 0 for each in kept)
    done = advance(ws, "screen")
    assert [step["stage"] for step in done["steps"]] == ["shadow", "promotion"]
    assert ws.store.champion("screen") == trial.release


def test_a_canary_serves_its_share_and_the_same_screen_always_falls_on_the_same_side(opened):
    ws, trial = opened(canary_share=0.5, canary_answers=1000)
    engine = Engine(ws)
    first, again = ask(engine, 12), ask(engine, 12)
    assert [each.release for each in first] == [each.release for each in again]
    assert {each.release for each in first} == {trial.release, trial.champion}
    assert advance(ws, "screen")["figures"]["answers"] == sum(each.release == trial.release for each in first)


def test_a_canary_that_people_contradict_is_reverted_by_itself(opened):
    ws, trial = opened(canary_share=0.5, canary_answers=1000)
    engine = Engine(ws)
    for said in ask(engine, 30):
        if said.release == trial.release:
            correct(ws, said.id, "on_task" if said.answer == "off_task" else "off_task")
    state = advance(ws, "screen")
    (step,) = state["steps"]
    assert (step["stage"], step["passed"]) == ("canary", False)
    assert step["figures"]["evidence"] >= 20
    assert "rejected" in ws.registry.marks(ws.registry.named("screen", trial.release))
    engine.seats.look()
    assert {each.release for each in ask(engine, 12)} == {trial.champion}


def test_a_canary_without_evidence_of_harm_becomes_champion(opened):
    ws, trial = opened(canary_share=0.5, canary_answers=3)
    engine = Engine(ws)
    ask(engine, 12)
    advance(ws, "screen")
    assert ws.store.champion("screen") == trial.release


def test_an_approved_challenger_becomes_champion_and_a_reason_is_asked(opened):
    ws, trial = opened(approval=True)
    with pytest.raises(NightshiftError, match="give a reason"):
        approve(ws, "screen", approved=True, reason=" ")
    with pytest.raises(NightshiftError, match="look again"):
        approve(ws, "screen", approved=True, reason="ok", release="another")
    step = approve(ws, "screen", approved=True, reason="looked at it", by="mara")
    assert (step.by, step.passed) == ("mara", True)
    assert ws.store.champion("screen") == trial.release
    with pytest.raises(NightshiftError, match="nothing of 'screen' waits"):
        approve(ws, "screen", approved=False, reason="too late")


def test_after_the_deadline_it_is_rejected_and_not_approved(opened, monkeypatch):
    ws, trial = opened(approval=True, approval_hours=1)
    late = now() + timedelta(hours=2)
    monkeypatch.setattr("core.services.rollout.now", lambda: late)
    with pytest.raises(NightshiftError, match="nobody approved it within 1 hours"):
        approve(ws, "screen", approved=True, reason="looks good")
    assert ws.store.champion("screen") == trial.champion
    assert "rejected" in ws.registry.marks(ws.registry.named("screen", trial.release))


def test_rejecting_the_challenger_ends_its_trial(opened):
    ws, trial = opened(approval=True)
    reject_release(ws, "screen", trial.release, reason="odd on music")
    assert stage(ws) is None
    assert "odd on music" in rollout_state(ws, "screen")["steps"][-1]["reason"]
    assert ws.store.champion("screen") == trial.champion


def test_a_champion_that_changed_meanwhile_ends_the_trial(opened):
    ws, trial = opened(approval=True)
    other = make_release(ws, 3.0)
    ws.registry.promote_by_hand(other, expected=trial.champion, reason="by hand", by="mara")
    assert "which it was not compared with" in advance(ws, "screen")["steps"][-1]["reason"]
    assert ws.store.champion("screen") == other.id


def test_a_newer_challenger_takes_the_place_of_one_on_trial(opened):
    ws, _ = opened(approval=True)
    newer = make_release(ws, 3.0)
    decision = ws.store.find(Decision)[0].model_copy(update={"id": new_id(), "challenger": newer.id})
    ws.store.add(decision)
    begin_trial(ws, decision)
    assert open_trial(ws, "screen").trial.release == newer.id
    assert len(ws.store.find(Trial)) == 2
    assert begin_trial(ws, decision).release == newer.id and len(ws.store.find(Trial)) == 2


def test_approval_over_http(opened):
    ws, trial = opened(approval=True)
    app = FastAPI()
    app.include_router(rollout_routes(ws))
    client = TestClient(app)
    assert client.get("/v1/screen/rollout").json()["rollout"]["stage"] == "approval"
    wrong = {"release": "f" * 12, "approve": True, "reason": "ok"}
    assert client.post("/v1/screen/rollout", json=wrong).status_code == 409
    right = {**wrong, "release": trial.release[:12]}
    assert client.post("/v1/screen/rollout", json=right).status_code == 200
    assert ws.store.champion("screen") == trial.release
    assert client.get("/v1/films/rollout").status_code == 404
