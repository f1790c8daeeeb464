import base64

import pytest
from serving import WORK, picture, said, send, stored


def several(client, pictures, **fields):
    files = [("image", ("screen.png", data)) for data in pictures]
    return client.post("/v1/screen/predictions/batch", files=files, data=fields)


def in_json(data, work=WORK, **more):
    return {"image_base64": base64.b64encode(data).decode(), "work": work, **more}


def test_several_pictures_are_answered_in_their_order_and_as_they_would_be_alone(client):
    pictures = [picture(words) for words in ("Quarterly sales report", "Playlist of liked songs")]
    alone = [send(client, data).json() for data in pictures]
    answers = several(client, pictures, work=WORK, session="both").json()["answers"]
    for one, item in zip(alone, answers, strict=True):
        assert item["prediction"]["verdict"] == one["verdict"]
        assert item["prediction"]["probability"] == pytest.approx(one["probability"], abs=1e-4)
        assert item["prediction"]["session"] == "both"


def test_each_picture_may_have_a_work_of_its_own(client):
    works = [WORK, "Choose music for the party."]
    in_form = several(client, [picture(), picture()], work=works).json()["answers"]
    body = {"pictures": [in_json(picture(), work) for work in works]}
    as_json = client.post("/v1/screen/predictions/batch", json=body).json()["answers"]
    assert [item["prediction"]["verdict"] for item in in_form] == [item["prediction"]["verdict"] for item in as_json]


def test_a_picture_that_is_refused_does_not_keep_the_others_from_being_answered(client):
    good, bad = several(client, [picture(), b"hello there"], work=WORK).json()["answers"]
    assert good["status"] == 200 and good["prediction"]
    assert bad["status"] == 422 and bad["prediction"] is None
    assert "text file" in bad["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"pictures": []},
        {"pictures": [{"work": WORK}]},
        {"pictures": [in_json(b"x")] * 17},
        {"pictures": [in_json(b"x")], "work": WORK},
    ],
)
def test_a_batch_that_is_none_is_refused_and_nothing_is_stored(client, ws, body):
    before = stored(ws)
    assert client.post("/v1/screen/predictions/batch", json=body).status_code == 422
    assert stored(ws) == before


def test_a_form_needs_a_work_for_all_or_one_for_each(client):
    assert several(client, [picture()] * 3, work=[WORK, WORK]).status_code == 422
    assert several(client, [picture()] * 3).status_code == 422


def test_what_is_not_answered_in_time_is_given_up_and_not_stored(client, ws):
    before = stored(ws)[1]
    late = client.post(
        "/v1/screen/predictions",
        files={"image": ("s.png", picture("A screen that comes late"))},
        data={"work": WORK},
        headers={"X-Deadline-Ms": "1"},
    )
    assert late.status_code == 504
    assert "0.001 s" in late.json()["detail"]
    assert stored(ws)[1] == before
    for wrong in ("0", "-5", "soon", "600001"):
        refused = client.post("/v1/screen/predictions", headers={"X-Deadline-Ms": wrong})
        assert refused.status_code == 422
        assert refused.json()["detail"].startswith("X-Deadline-Ms: ")


def test_stored_predictions_are_listed_newest_first_page_by_page(client):
    sent = [said(client, f"Page {number}", f"{WORK} Listing.")["prediction_id"] for number in range(5)]
    found, before = [], None
    while len(found) < 5:
        page = client.get("/v1/predictions", params={"limit": 2, **({"before": before} if before else {})}).json()
        found += [each["prediction_id"] for each in page["predictions"]]
        before = page["before"]
    assert found[:5] == sent[::-1]


def test_the_last_page_says_that_it_is_the_last(client):
    several(client, [picture()], work=WORK, session="only this one")
    page = client.get("/v1/predictions", params={"session": "only this one"}).json()
    assert len(page["predictions"]) == 1
    assert page["before"] is None


def test_predictions_are_filtered_by_what_they_were_asked_and_who_answered(client):
    answer = said(client, "Filtered words")
    other = {"on_task": "off_task", "off_task": "on_task"}[answer["verdict"]]
    client.post("/v1/feedback", json={"prediction_id": answer["prediction_id"], "label": other})
    corrected = said(client, "Filtered words")
    of_people = client.get("/v1/predictions", params={"from_person": True}).json()["predictions"]
    assert corrected["prediction_id"] in {each["prediction_id"] for each in of_people}
    assert all(each["from_person"] for each in of_people)
    assert client.get("/v1/predictions", params={"release": "nobody"}).json()["predictions"] == []
    assert client.get("/v1/predictions", params={"limit": 1000}).status_code == 422


def test_an_explanation_says_what_was_asked_how_sure_the_model_was_and_what_a_person_said(client):
    answer = said(client, "Explained words")
    address = f"/v1/predictions/{answer['prediction_id']}/explanation"
    before = client.get(address).json()
    assert before["work"] == WORK
    assert before["probabilities"][answer["verdict"]] == pytest.approx(answer["confidence"])
    assert sum(before["probabilities"].values()) == pytest.approx(1)
    assert before["evidence"] == answer["evidence"]
    assert before["word"] is None
    client.post(
        "/v1/feedback", json={"prediction_id": answer["prediction_id"], "label": "off_task", "reason": "a game"}
    )
    after = client.get(address).json()
    assert (after["word"]["label"], after["word"]["reason"]) == ("off_task", "a game")
    assert client.get(f"/v1/media/{after['media'][0]}").status_code == 200
    assert client.get("/v1/predictions/nobody/explanation").status_code == 404
