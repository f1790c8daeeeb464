import html
import json
import re
import threading
import time
from pathlib import Path

import pytest
from releases import make_release, promote
from serving import said

from app.console.deciding import _Desk
from app.console.drawing import figure_of, verdict_card, why_card
from app.console.models import _Models
from app.console.tonight import Tonight
from app.engine import Engine
from core.schema import Correction, Evidence, Media, NightshiftError, Prediction, Promotion
from core.services import Workspace

NASTY = "<img src=x onerror=alert(1)> ${alert(2)} {{value}} \"'"
PAGES = ("", "review", "figures", "runs", "models", "judge")
JUNK = [None, "x", -1, [], {}, {"prediction_id": "nobody"}, "\ud800", ["x"] * 9, {"path": "/etc/passwd"}]


def configuration(client, page=""):
    text = client.get(f"/{page}").text
    return json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", text, re.S)[1])


def handlers(client):
    """Index and number of inputs of every handler on every page."""
    return {
        each["id"]: len(each["inputs"])
        for page in PAGES
        for each in configuration(client, page)["dependencies"]
        if each["backend_fn"]
    }


def call(client, index, data, event_data=None):
    body = {"fn_index": index, "data": data, "session_hash": "somebody", "event_data": event_data}
    return client.post(
        "/gradio_api/run/predict", content=json.dumps(body), headers={"content-type": "application/json"}
    )


def counts(ws):
    return ws.store.count(Correction), ws.store.count(Promotion), ws.store.count(Prediction)


def test_no_handler_is_in_a_public_list(client):
    for page in PAGES:
        assert all(each["api_visibility"] == "private" for each in configuration(client, page)["dependencies"])


def test_every_handler_withstands_raw_requests(client, ws):
    said(client)
    known = handlers(client)
    assert len(known) > 12
    before = counts(ws)
    for index, inputs in known.items():
        for junk in JUNK:
            response = call(client, index, [junk] * inputs, event_data=junk)
            assert response.status_code in (200, 422, 500), (index, junk)
            assert "Traceback" not in response.text
    assert counts(ws) == before


def test_no_page_holds_an_answer_of_the_environment_in_its_source():
    answers = re.compile(r"on_task|off_task|on task|off task", re.I)
    for source in Path("app/console").rglob("*.*"):
        if source.suffix in (".py", ".js", ".css"):
            assert not answers.search(source.read_text()), source


def nasty_prediction():
    return Prediction(
        id="p",
        environment="screen",
        example="e",
        answer="on_task",
        probability=0.9,
        confidence=0.9,
        evidence=(
            Evidence(text=NASTY),
            Evidence(text=NASTY, box=(0.1, 0.1, 0.2, 0.2), weight=1.0),
        ),
        release=NASTY,
        latency_ms=1.0,
    )


def test_what_stands_on_a_screen_is_shown_and_never_run(ws):
    environment = ws.environment("screen")
    media = Media(id="m", blob="b", width=10, height=10, phash="0" * 16)
    said = nasty_prediction()
    drawn = (
        verdict_card(environment, said, turn=NASTY)
        + why_card(environment, said)
        + figure_of(environment, media, said.evidence, alt=NASTY)
    )
    assert "<img src=x" not in drawn
    assert drawn.count("onerror") == drawn.count("onerror=alert(1)&gt;")
    assert html.escape(NASTY) in drawn


def test_boxes_stand_where_the_evidence_stands_in_the_colour_of_the_answer_it_speaks_for(ws):
    environment = ws.environment("screen")
    media = Media(id="m", blob="b", width=200, height=100, phash="0" * 16)
    evidence = (
        Evidence(text="for", box=(0.1, 0.2, 0.3, 0.4), weight=2.0),
        Evidence(text="against", box=(0.5, 0.5, 0.6, 0.6), weight=-1.0),
        Evidence(text="nowhere"),
    )
    drawn = figure_of(environment, media, evidence, alt="")
    assert "left:10.00%;top:20.00%;width:20.00%;height:20.00%" in drawn
    assert re.findall(r"ns-box ns-answer-(\d)", drawn) == ["0", "1"]


def test_a_person_s_answer_is_not_explained_by_the_model(ws):
    said = nasty_prediction().model_copy(update={"from_person": True})
    assert "A person says" in verdict_card(ws.environment("screen"), said, turn="t")
    assert "What decided it" not in why_card(ws.environment("screen"), said)


def test_the_champion_s_page_knows_where_a_rollback_goes(home):
    fresh = Workspace.open(home)
    page = _Models(fresh, Engine(fresh), fresh.environment("screen"))
    assert page._target(page._history()) is None
    first = fresh.store.champion("screen")
    promote(fresh, make_release(fresh, 2.0))
    assert page._target(page._history()) == first
    assert "promoted" in page.facts()[2]


@pytest.mark.parametrize(
    ("why", "champion", "told"),
    [("", None, "give a reason"), ("  ", None, "give a reason"), ("bad", "x", "changed since")],
)
def test_a_rollback_wants_a_reason_and_the_champion_that_was_looked_at(home, why, champion, told):
    fresh = Workspace.open(home)
    promote(fresh, make_release(fresh, 2.0))
    present = fresh.store.champion("screen")
    page = _Models(fresh, Engine(fresh), fresh.environment("screen"))
    assert told in page.roll_back(champion or present, why)[2]
    assert fresh.store.champion("screen") == present
    assert "is champion again" in page.roll_back(present, "worse on music")[2]
    assert fresh.store.champion("screen") != present


def until_compared(desk, release):
    deadline = time.monotonic() + 30
    while desk.comparisons.is_at_work(release) and time.monotonic() < deadline:
        time.sleep(0.02)
    told, poll = desk.compared(release)
    assert not poll.active
    return told


def test_a_comparison_is_made_beside_the_page_which_looks_until_it_is_there(ws, monkeypatch):
    may_end = threading.Event()
    side = {"release": "c" * 12, "right": 3}

    def compare(*asked):
        assert may_end.wait(30)
        return {"n": 4, "a": side, "b": {"release": asked[-1], "right": 2}, "changed": []}

    monkeypatch.setattr("app.console.comparing.compare_releases", compare)
    desk = _Desk(ws, ws.environment("screen"))
    told, poll = desk.compare("first")
    assert "Both answer" in told and poll.active
    assert "another comparison is at work" in desk.compare("second")[0]
    may_end.set()
    assert "has 3 right" in until_compared(desk, "first")


def test_a_comparison_that_cannot_be_made_says_why(ws):
    desk = _Desk(ws, ws.environment("screen"))
    desk.compare("nobody")
    assert "Not compared" in until_compared(desk, "nobody")


def test_run_now_says_clearly_that_nothing_is_up(home):
    fresh = Workspace.open(home)
    tonight = Tonight(fresh, fresh.environment("screen"))
    with pytest.raises(NightshiftError, match="not up"):
        tonight.start()
    with pytest.raises(NightshiftError, match="not up"):
        tonight.cancel()
    look = tonight.look(None)
    assert "Prefect is not running" in look.card
    assert (look.is_at_work, look.asked) == (False, None)
