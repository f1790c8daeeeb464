"""What the Review page asks the server for, by raw HTTP; and the judge's opinion."""

import pytest
from serving import said

from app.opinions import Opinion, Opinions
from core.schema import CANNOT_TELL, Claim, Correction, Judgment

DOOR = "/console/screen/review"
JUNK = [None, "x", -1, [], {}, {"sitting": "../x"}, {"sitting": "a" * 65}, {"sitting": "a", "want": 10**9}]


@pytest.fixture
def waiting(client, request):
    """Two verdicts that nobody looked at."""
    return [said(client, work=f"{request.node.name}, work {n}.")["prediction_id"] for n in range(2)]


def ask(client, what, **body):
    return client.post(f"{DOOR}/{what}", json={"sitting": "one", **body})


def items(client, **body):
    response = ask(client, "items", want=20, **body)
    assert response.status_code == 200, response.text
    return response.json()


def word(prediction, answer, key="k"):
    return {"key": key, "prediction": prediction, "answer": answer}


def test_items_come_with_everything_that_is_shown_and_are_claimed(client, ws, waiting):
    found = items(client)
    assert set(waiting) <= {item["prediction"] for item in found["items"]}
    assert all(item["figure"].startswith("<figure") and "ns-ask" in item["words"] for item in found["items"])
    assert {claim.prediction for claim in ws.store.find(Claim)} >= set(waiting)
    assert items(client, held=[item["prediction"] for item in found["items"]])["items"] == []


def test_nothing_of_a_hidden_verdict_is_sent(client, waiting):  # noqa: ARG001
    for item in items(client, blind=True)["items"]:
        assert item["why"] == "" and "ns-box" not in item["figure"]
        assert "The model says" not in item["words"] and "aria-valuenow" not in item["words"]


def test_words_are_stored_or_say_why_not_each_by_itself(client, ws, waiting):
    first, second = waiting
    items(client)
    before = ws.store.count(Correction)
    given = [word(first, CANNOT_TELL, "k1"), word(second, "perhaps", "k2"), word("nobody", CANNOT_TELL, "k3")]
    reply = ask(client, "words", words=given).json()
    stored, *refused = reply["results"]
    assert ws.store.get(Correction, stored["correction"]).prediction == first
    assert ["is not an answer" in each.get("problem", "") for each in refused] == [True, False]
    assert "was not given to you" in refused[1]["problem"]
    assert ws.store.count(Correction) == before + 1
    again = ask(client, "words", words=given[:1]).json()["results"]
    assert again == [stored] and ws.store.count(Correction) == before + 1


def test_undo_gives_the_item_back_and_refuses_what_is_not_there(client, ws, waiting):
    items(client)
    (stored,) = ask(client, "words", words=[word(waiting[0], CANNOT_TELL)]).json()["results"]
    reply = ask(client, "undo", prediction=waiting[0], correction=stored["correction"])
    assert reply.json()["item"]["prediction"] == waiting[0]
    assert ws.store.find(Correction)[-1].retracts == stored["correction"]
    assert ask(client, "undo", prediction="nobody").status_code == 409
    assert ask(client, "undo", prediction=waiting[0], correction="nobody").status_code == 409


def test_leaving_gives_everything_back(client, waiting):  # noqa: ARG001
    held = [item["prediction"] for item in items(client)["items"]]
    other = client.post(f"{DOOR}/items", json={"sitting": "two", "want": 20}).json()["items"]
    assert not {item["prediction"] for item in other} & set(held)
    assert ask(client, "leave", predictions=held).status_code == 204
    other = client.post(f"{DOOR}/items", json={"sitting": "two", "want": 20}).json()["items"]
    assert {item["prediction"] for item in other} == set(held)
    client.post(f"{DOOR}/leave", json={"sitting": "two", "predictions": held})


@pytest.mark.parametrize("what", ["items", "words", "undo", "leave"])
def test_every_route_withstands_raw_requests(client, ws, what):
    before = ws.store.count(Correction)
    for junk in JUNK:
        assert client.post(f"{DOOR}/{what}", json=junk).status_code == 422
    assert client.post(f"{DOOR}/{what}", json={}, headers={"Origin": "http://elsewhere"}).status_code == 403
    assert ws.store.count(Correction) == before


def test_the_judge_is_asked_beside_the_page_and_its_judgment_is_kept(client, ws):
    prediction = said(client, work="What does the judge say?")["prediction_id"]
    opinions = Opinions(ws, "screen")
    assert opinions.look(prediction) == Opinion()
    assert opinions.ask(prediction).waits
    opinions.settle()
    judgment = opinions.look(prediction).judgment
    assert ws.store.get(Judgment, judgment.id) == judgment
    assert Opinions(ws, "screen").ask(prediction).judgment == judgment


def test_a_judge_cannot_be_asked_about_nothing(ws):
    assert "there is no prediction" in Opinions(ws, "screen").ask("nobody").problem
