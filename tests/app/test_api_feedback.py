import json

import pytest
from serving import said

from core.schema import Correction
from core.services import Workspace


def give(client, prediction, **body):
    return client.post("/v1/feedback", json={"prediction_id": prediction, **body})


def words(ws):
    return ws.store.count(Correction)


def test_feedback_is_committed_before_it_is_acknowledged(client, module_home):
    answer = said(client, "First words")
    response = give(client, answer["prediction_id"], label="off_task", reason="a game")
    assert response.status_code == 201
    elsewhere = Workspace.open(module_home)
    word = elsewhere.store.get(Correction, response.json()["correction_id"])
    assert (word.answer, word.reason, word.prediction) == ("off_task", "a game", answer["prediction_id"])


def test_a_word_can_be_taken_back_once(client):
    answer = said(client, "Second words")
    given = give(client, answer["prediction_id"], label="on_task").json()
    undone = give(client, answer["prediction_id"], undo=True)
    assert undone.status_code == 201
    assert undone.json()["undone"] == given["correction_id"]
    assert undone.json()["label"] is None
    assert give(client, answer["prediction_id"], undo=True).status_code == 409


def test_a_corrected_picture_answers_as_corrected_at_once(client):
    first = said(client, "Third words")
    other = {"on_task": "off_task", "off_task": "on_task"}[first["verdict"]]
    give(client, first["prediction_id"], label=other)
    second = said(client, "Third words")
    assert (second["verdict"], second["from_person"]) == (other, True)
    assert not first["from_person"]


def test_nobody_can_tell_is_kept_and_answers_nothing(client):
    first = said(client, "Fourth words")
    assert give(client, first["prediction_id"], label="cannot_tell").status_code == 201
    assert not said(client, "Fourth words")["from_person"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": "on_task", "undo": True},
        {"undo": False},
        {"undo": "yes"},
        {"undo": True, "reason": "why not"},
        {"label": "On task"},
        {"label": ""},
        {"label": ["on_task"]},
        {"label": "on_task", "reviewer": "somebody else"},
        {"label": "on_task", "reason": "x" * 2001},
    ],
)
def test_feedback_that_is_none_is_refused_and_nothing_is_stored(client, ws, body):
    answer = said(client, "Fifth words")
    before = words(ws)
    response = give(client, answer["prediction_id"], **body)
    assert response.status_code == 422, response.text
    assert isinstance(response.json()["detail"], str)
    assert words(ws) == before


@pytest.mark.parametrize("prediction", ["nobody", "0" * 32, "../../etc/passwd", "' OR 1=1 --"])
def test_feedback_on_an_unknown_prediction_is_refused(client, ws, prediction):
    before = words(ws)
    assert give(client, prediction, label="on_task").status_code == 404
    assert give(client, prediction, undo=True).status_code == 404
    assert words(ws) == before


def test_a_form_of_another_page_cannot_be_feedback(client, ws):
    answer = said(client, "Sixth words")
    before = words(ws)
    body = json.dumps({"prediction_id": answer["prediction_id"], "label": "on_task"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert client.post("/v1/feedback", content=body, headers={"content-type": kind}).status_code == 415
    assert words(ws) == before


def test_feedback_is_json(client):
    response = client.post("/v1/feedback", content=b"{", headers={"content-type": "application/json"})
    assert response.status_code == 400
