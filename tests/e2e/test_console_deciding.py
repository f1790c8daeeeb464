"""Deciding about releases on the Models page: a trial that waits for a person, and any release by its name."""

import pytest
from acting import serving
from playwright.sync_api import expect
from releases import make_release

from core.schema import Decision, Outcome, new_id
from core.services import Workspace
from core.services.rollout import begin_trial


@pytest.fixture(scope="module")
def waiting(tmp_path_factory):
    """A home in which a challenger waits for approval, and two more releases lie."""
    ws = Workspace.open(tmp_path_factory.mktemp("waiting") / "home", rollout={"approval": True})
    challenger = make_release(ws, 2.0)
    make_release(ws, 3.0)
    decision = Decision(
        id=new_id(), environment="screen", run=new_id(), champion=ws.store.champion("screen"),
        challenger=challenger.id, gates=(), outcome=Outcome.PROMOTED, reason="better",
    )  # fmt: skip
    ws.store.add(decision)
    begin_trial(ws, decision)
    return ws, challenger


@pytest.fixture(scope="module")
def server(waiting):
    with serving(waiting[0].home) as server:
        yield server


@pytest.fixture
def opened(page):
    page.goto("/models")
    page.wait_for_selector("#releases")
    return page


def test_a_challenger_is_approved_with_a_reason_and_a_bad_one_quarantined(opened, waiting):
    ws, challenger = waiting
    before = ws.store.champion("screen")
    expect(opened.locator("#ns-panel")).to_contain_text("Rejected by itself at")
    opened.click("#approve")
    expect(opened.locator("#ns-panel")).to_contain_text("give a reason")
    assert ws.store.champion("screen") == before
    opened.fill("#approval-reason textarea, #approval-reason input", "looked at it")
    opened.click("#approve")
    expect(opened.locator("#ns-panel")).to_contain_text("Approved.")
    expect(opened.locator("#approval")).to_be_hidden()
    assert ws.store.champion("screen") == challenger.id

    opened.click("#release input")
    opened.locator("#release [role=option]", has_text=challenger.id[:10]).click()
    opened.fill("#release-reason textarea, #release-reason input", "blind on music")
    opened.click("#quarantine")
    expect(opened.locator("#ns-panel")).to_contain_text("never serves again")
    assert ws.store.champion("screen") == before
    assert ws.registry.quarantined("screen") == {challenger.id}
