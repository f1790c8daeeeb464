"""Feedback over HTTP, in each environment."""

import json
from functools import partial

import pytest
from served_homes import in_each_environment
from serving import picture, said

from core.environments.group_qc.summaries import Summariser
from core.schema import Correction
from core.services import Workspace

pytestmark = in_each_environment

AN_ANSWER = "an answer of the environment"


@pytest.fixture(scope="module")
def answers(ws, environment):
    return ws.environment(environment).answers


@pytest.fixture(scope="module")
def asked(client, environment):
    """Asks about a screen, or a group of one photo, with these words on it."""

    def group(words):
        files = {"photos": ("1.png", picture(words))}
        response = client.post(f"/v1/{environment}/groups", files=files, data={"mission": "air_baffle"})
        assert response.status_code == 200, response.text
        return {**response.json(), "prediction_id": response.json()["prediction"]}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Summariser, "write", lambda *asked: [("正面，挡风板齐全，标签清晰", None)] * len(asked[-1]))
        yield group if environment == "group_qc" else partial(said, client)


@pytest.fixture(scope="module")
def answered(asked):
    """An answer that nobody has said anything of."""
    return asked("Fifth words")["prediction_id"]


def give(client, prediction, **body):
    return client.post("/v1/feedback", json={"prediction_id": prediction, **body})


def words(ws):
    return ws.store.count(Correction)


def test_feedback_is_committed_before_it_is_acknowledged(client, asked, answers, module_home):
    answer = asked("First words")
    response = give(client, answer["prediction_id"], label=answers[1], reason="a game")
    assert response.status_code == 201
    elsewhere = Workspace.open(module_home)
    word = elsewhere.store.get(Correction, response.json()["correction_id"])
    assert (word.answer, word.reason, word.prediction) == (answers[1], "a game", answer["prediction_id"])


def test_a_word_can_be_taken_back_once(client, asked, answers):
    answer = asked("Second words")
    given = give(client, answer["prediction_id"], label=answers[0]).json()
    undone = give(client, answer["prediction_id"], undo=True)
    assert undone.status_code == 201
    assert undone.json()["undone"] == given["correction_id"]
    assert undone.json()["label"] is None
    assert give(client, answer["prediction_id"], undo=True).status_code == 409


def test_a_corrected_picture_answers_as_corrected_at_once(client, asked, answers):
    first = asked("Third words")
    other = next(each for each in answers if each != first["verdict"])
    give(client, first["prediction_id"], label=other)
    second = asked("Third words")
    assert (second["verdict"], second["from_person"]) == (other, True)
    assert not first["from_person"]


def test_nobody_can_tell_is_kept_and_answers_nothing(client, asked):
    first = asked("Fourth words")
    assert give(client, first["prediction_id"], label="cannot_tell").status_code == 201
    assert not asked("Fourth words")["from_person"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": AN_ANSWER, "undo": True},
        {"undo": False},
        {"undo": "yes"},
        {"undo": True, "reason": "why not"},
        {"label": "On task"},
        {"label": ""},
        {"label": [AN_ANSWER]},
        {"label": AN_ANSWER, "reviewer": "somebody else"},
        {"label": AN_ANSWER, "reason": "x" * 2001},
    ],
)
def test_feedback_that_is_none_is_refused_and_nothing_is_stored(client, answered, answers, ws, body):
    before = words(ws)
    if body.get("label") == AN_ANSWER:
        body = {**body, "label": answers[0]}
    response = give(client, answered, **body)
    assert response.status_code == 422, response.text
    assert isinstance(response.json()["detail"], str)
    assert words(ws) == before


@pytest.mark.parametrize("prediction", ["nobody", "0" * 32, "../../etc/passwd", "' OR 1=1 --"])
def test_feedback_on_an_unknown_prediction_is_refused(client, answers, ws, prediction):
    before = words(ws)
    assert give(client, prediction, label=answers[0]).status_code == 404
    assert give(client, prediction, undo=True).status_code == 404
    assert words(ws) == before


def test_a_form_of_another_page_cannot_be_feedback(client, answered, answers, ws):
    before = words(ws)
    body = json.dumps({"prediction_id": answered, "label": answers[0]})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert client.post("/v1/feedback", content=body, headers={"content-type": kind}).status_code == 415
    assert words(ws) == before


def test_feedback_is_json(client):
    response = client.post("/v1/feedback", content=b"{", headers={"content-type": "application/json"})
    assert response.status_code == 400
