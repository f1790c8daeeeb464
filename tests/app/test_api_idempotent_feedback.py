"""Feedback that is sent again, and feedback on screens that were never classified."""

import base64

import pytest
from serving import WORK, picture, said, send

from core.access import audit_log
from core.schema import Correction
from core.services import Workspace


def give(client, body, key=None, address="/v1/feedback"):
    return client.post(address, json=body, headers={"Idempotency-Key": key} if key else {})


def on_screen(client, data, key=None, **fields):
    body = {"image_base64": base64.b64encode(data).decode(), "work": WORK, **fields}
    return give(client, body, key, "/v1/screen/feedback")


def test_the_same_word_under_the_same_key_is_one_word_after_a_restart_too(client, module_home):
    body = {"prediction_id": said(client, "Once")["prediction_id"], "label": "off_task", "reason": "a game"}
    first, again = give(client, body, "key-1"), give(client, body, "key-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    # Nothing of it is kept in memory: another process finds it in the store.
    reopened = Workspace.open(module_home)
    assert len(reopened.store.find(Correction, prediction=body["prediction_id"])) == 1


@pytest.mark.parametrize("other", [{"label": "on_task"}, {"label": "off_task", "reason": "another"}, {"undo": True}])
def test_another_word_under_the_same_key_is_refused(client, ws, other):
    about = said(client, "Twice")["prediction_id"]
    key = f"key-{about}"
    assert give(client, {"prediction_id": about, "label": "off_task"}, key).status_code == 201
    refused = give(client, {"prediction_id": about, **other}, key)
    assert refused.status_code == 409
    assert "idempotency key" in refused.json()["detail"]
    assert len(ws.store.find(Correction, prediction=about)) == 1


def test_a_key_belongs_to_one_prediction(client):
    one, other = (said(client, words)["prediction_id"] for words in ("This one", "That one"))
    assert give(client, {"prediction_id": one, "label": "on_task"}, "shared").status_code == 201
    assert give(client, {"prediction_id": other, "label": "on_task"}, "shared").status_code == 409


def test_what_is_refused_for_its_key_leaves_no_line_in_the_audit_log(client, ws):
    about = said(client, "Logged")["prediction_id"]
    give(client, {"prediction_id": about, "label": "on_task"}, "given")
    give(client, {"prediction_id": about, "label": "off_task"})
    give(client, {"prediction_id": about, "undo": True}, "taken back")
    before = [line.action for line in audit_log(ws, action="correction")]
    assert give(client, {"prediction_id": about, "undo": True}, "given").status_code == 409
    assert give(client, {"prediction_id": about, "label": "on_task"}, "taken back").status_code == 409
    assert [line.action for line in audit_log(ws, action="correction")] == before


def test_taking_back_twice_under_one_key_takes_back_once(client):
    about = said(client, "Taken back")["prediction_id"]
    for label in ("on_task", "off_task"):
        give(client, {"prediction_id": about, "label": label})
    body = {"prediction_id": about, "undo": True}
    first, again = give(client, body, "undo-1"), give(client, body, "undo-1")
    assert first.status_code == 201
    assert first.json() == again.json()
    assert give(client, body, "undo-2").json()["undone"] != first.json()["undone"]


def test_a_screen_that_was_never_classified_can_be_labelled(client, ws):
    data = picture("Never classified")
    answer = on_screen(client, data, label="off_task", reason="a game")
    assert answer.status_code == 201
    word = ws.store.get(Correction, answer.json()["correction_id"])
    assert (word.answer, word.reason, word.prediction) == ("off_task", "a game", None)
    later = send(client, data).json()
    assert (later["verdict"], later["from_person"]) == ("off_task", True)


def test_a_word_on_a_screen_can_come_as_a_form_and_be_sent_again(client):
    files = {"image": ("screen.png", picture("In a form"))}
    fields = {"work": WORK, "label": "on_task"}
    sent = [
        client.post("/v1/screen/feedback", files=files, data=fields, headers={"Idempotency-Key": "form-1"})
        for _ in range(2)
    ]
    assert sent[0].status_code == 201
    assert sent[0].json() == sent[1].json()


@pytest.mark.parametrize(
    "fields", [{"label": "maybe"}, {}, {"label": "on_task", "work": " "}, {"label": "on_task", "reason": "x" * 2001}]
)
def test_a_word_on_a_screen_that_is_none_is_refused_and_nothing_is_stored(client, ws, fields):
    before = ws.store.tables()
    assert on_screen(client, picture("Refused words"), **fields).status_code == 422
    assert ws.store.tables() == before


def test_a_word_on_a_screen_of_an_unknown_environment_is_refused(client):
    assert give(client, {}, address="/v1/films/feedback").status_code == 404
