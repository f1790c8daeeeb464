import base64
import struct
import zlib

import pytest
from serving import WORK, picture, said, send, stored

from core.schema import Media, Prediction

JSON = {"content-type": "application/json"}
FORM = {"content-type": "multipart/form-data; boundary=x"}


def in_base64(data):
    return base64.b64encode(data).decode()


def png_that_declares(width, height):
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def test_a_picture_gets_a_verdict_that_is_stored(client, ws):
    answer = said(client)
    assert answer["verdict"] in ("on_task", "off_task")
    assert 0.5 <= answer["confidence"] <= 1
    assert answer["release"] == ws.store.champion("screen")
    assert answer["latency_ms"] > 0
    assert ws.store.get(Prediction, answer["prediction_id"]).answer == answer["verdict"]


def test_a_stored_prediction_can_be_fetched_again(client):
    answer = said(client)
    assert client.get(f"/v1/predictions/{answer['prediction_id']}").json() == answer
    assert client.get("/v1/predictions/nobody").status_code == 404


def test_evidence_says_where_it_stands(client):
    boxes = [item["box"] for item in said(client, "Playlist of liked songs")["evidence"] if item["box"]]
    assert boxes
    assert all(0 <= left < right <= 1 and 0 <= top < bottom <= 1 for left, top, right, bottom in boxes)


def test_base64_in_json_gets_the_same_verdict_as_a_form(client):
    in_form = said(client)
    body = {"image_base64": in_base64(picture()), "work": WORK, "session": "monday"}
    in_json = client.post("/v1/screen/predictions", json=body)
    assert in_json.status_code == 200
    assert in_json.json()["verdict"] == in_form["verdict"]
    assert in_json.json()["probability"] == in_form["probability"]


def test_the_normalised_picture_is_served_and_kept_by_nobody(client, ws):
    said(client)
    media = ws.store.find(Media)[0]
    response = client.get(f"/v1/media/{media.id}")
    assert response.headers["content-type"] == "image/png"
    assert response.headers["cache-control"] == "private, no-store"
    assert response.content == ws.library.data(media.id)
    assert client.get(f"/v1/media/{'0' * 64}").status_code == 404


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (415, {}, b"hello"),
        (415, {"content-type": "text/plain"}, b"{}"),
        (400, JSON, b"{"),
        (400, JSON, b"\xff\xfe"),
        (400, JSON, b"[" * 100_000),
        (400, FORM, b"no boundary in here"),
        (422, JSON, b"[]"),
        (422, JSON, b'{"work": "x"}'),
        (422, JSON, b'{"image_base64": 1, "work": "x"}'),
        (422, JSON, b'{"image_base64": "", "work": "x", "url": "http://elsewhere.example/"}'),
        (400, JSON, b'{"image_base64": "not base64!", "work": "x"}'),
        (422, JSON, b'{"image_base64": "", "work": "x"}'),
        (422, JSON, b'{"image_base64": "", "work": "\\ud800"}'),
        (422, JSON, b'{"image_base64": "", "work": "a\\u0000b"}'),
    ],
)
def test_a_request_that_is_none_is_refused_with_a_reason_and_nothing_is_stored(client, ws, status, headers, body):
    before = stored(ws)
    response = client.post("/v1/screen/predictions", content=body, headers=headers)
    assert response.status_code == status, response.text
    assert isinstance(response.json()["detail"], str)
    assert stored(ws) == before


@pytest.mark.parametrize(
    ("data", "name", "told"),
    [
        (b"hello there", "notes.png", "text file"),
        (b"\0", "x.png", "no picture"),
        (b"", "x.png", ""),
        (picture()[:-40], "cut.png", "cut short"),
        (picture(), "screen.jpg", "wrongly named"),
        (png_that_declares(30_000, 30_000), "bomb.png", "30"),
        (b"GIF89a" + b"\0" * 40, "x.gif", "GIF"),
        (b"<svg onload=alert(1)>", "x.svg", "SVG"),
    ],
)
def test_a_picture_that_is_none_is_refused_with_a_reason_and_nothing_is_stored(client, ws, data, name, told):
    before = stored(ws)
    response = send(client, data, name=name)
    assert response.status_code == 422
    assert told in response.json()["detail"]
    assert stored(ws) == before


@pytest.mark.parametrize("work", ["", "   \n", "x" * 2001])
def test_no_work_or_endless_work_is_refused_and_nothing_is_stored(client, ws, work):
    before = stored(ws)
    response = send(client, picture("Something new"), work)
    assert response.status_code == 422
    assert "Work description" in response.json()["detail"]
    assert stored(ws) == before


def test_a_form_without_a_file_or_with_fields_of_its_own_is_refused(client):
    assert client.post("/v1/screen/predictions", files={"work": (None, WORK)}).status_code == 422
    fields = {"work": "x", "z": "1"}
    stranger = client.post("/v1/screen/predictions", files={"image": ("a.png", picture())}, data=fields)
    assert stranger.status_code == 422
    assert stranger.json()["detail"].startswith("z: ")


def test_an_unknown_environment_is_named(client):
    response = client.post("/v1/films/predictions", json={})
    assert response.status_code == 404
    assert "screen" in response.json()["detail"]


def test_a_picture_over_the_bound_is_refused(client, ws):
    response = send(client, b"\x89PNG\r\n\x1a\n" + b"\0" * ws.settings.media.max_bytes)
    assert response.status_code == 413


def test_a_body_over_the_bound_is_refused_by_what_it_announces(client):
    response = client.post("/v1/screen/predictions", headers={**JSON, "content-length": "1000000000"}, content=b"{}")
    assert response.status_code == 413
    assert isinstance(response.json()["detail"], str)


def test_a_body_over_the_bound_that_announces_nothing_is_refused_while_it_is_read(client):
    def long():
        yield b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
        yield from (b"x" * 100_000 for _ in range(100))

    for headers in (JSON, FORM):
        assert client.post("/v1/screen/predictions", headers=headers, content=long()).status_code == 413


def test_other_routes_take_small_bodies_only(client):
    for path in ("/v1/feedback", "/gradio_api/run/predict", "/gradio_api/queue/join"):
        assert client.post(path, headers=JSON, content=b" " * 2_000_000).status_code == 413


def test_the_openapi_document_shows_both_bodies_and_every_problem(client):
    document = client.get("/v1/openapi.json").json()
    post = document["paths"]["/v1/{environment}/predictions"]["post"]
    assert set(post["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
    assert {"200", "400", "404", "413", "415", "422"} <= set(post["responses"])
    assert not [path for path in document["paths"] if "gradio" in path]
    assert client.get("/docs").status_code == 404
    assert client.get("/redoc").status_code == 404


def test_it_is_alive_and_then_ready(client, ws):
    assert client.get("/healthz").json() == {"status": "alive"}
    said(client)
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["serving"] == {"screen": ws.store.champion("screen")}
