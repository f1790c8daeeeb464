"""Groups of photos over HTTP."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

import pytest
from serving import ADDRESS, HOST, PORT, picture
from starlette.testclient import TestClient

from app.server import create_app
from core.environments.group_qc.summaries import Summariser
from core.policy.vlm.tiny import tiny_vlm
from core.schema import Prediction
from core.services import Workspace

GROUPS = "/v1/group_qc/groups"
LINES = ("正面，挡风板齐全，标签清晰", "左侧，缺少挡风板，标签清晰")


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    told = {"model": str(tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny"))), "max_new_tokens": 24}
    home = tmp_path_factory.mktemp("served") / "home"
    return Workspace.open(home, environments=("group_qc",), group_qc=told, media={"max_bytes": 100_000})


@pytest.fixture(scope="module")
def client(ws: Workspace) -> Iterator[TestClient]:
    with (
        pytest.MonkeyPatch.context() as patch,
        TestClient(create_app(ws, host=HOST, port=PORT), base_url=ADDRESS, raise_server_exceptions=False) as client,
    ):
        patch.setattr(Summariser, "write", lambda *asked: [(line, None) for line in LINES[: len(asked[-1])]])
        yield client


def send(client: TestClient, *photos: bytes, mission: str = "air_baffle"):
    files = [("photos", (f"{number}.png", photo)) for number, photo in enumerate(photos, start=1)]
    return client.post(GROUPS, files=files, data={"mission": mission, "group": "north_2031-02-03_7"})


def test_photos_of_a_group_get_one_verdict_with_lines_and_reason(client: TestClient, ws: Workspace) -> None:
    answer = send(client, picture("one"), picture("two")).json()
    assert answer["verdict"] in ("通过", "不通过")
    assert answer["reason"]
    assert answer["summaries"] == {"图片_1": LINES[0], "图片_2": LINES[1]}
    stored = ws.store.get(Prediction, answer["prediction"])
    assert stored is not None
    assert (stored.answer, stored.reason) == (answer["verdict"], answer["reason"])
    fetched = client.get(f"/v1/predictions/{answer['prediction']}").json()
    assert (fetched["verdict"], fetched["reason"]) == (answer["verdict"], answer["reason"])


def test_an_inspector_can_say_what_is_right_and_is_counted(client: TestClient) -> None:
    answer = send(client, picture("three"), picture("four")).json()
    word = {"prediction_id": answer["prediction"], "label": "不通过", "reason": "图片_2缺少挡风板"}
    assert client.post("/v1/feedback", json=word).status_code == 201
    again = send(client, picture("three"), picture("four")).json()
    assert (again["verdict"], again["reason"], again["from_person"]) == ("不通过", "图片_2缺少挡风板", True)
    cell = client.get("/v1/group_qc/monitoring").json()["missions"]["air_baffle"]
    assert cell["groups"] >= 2
    assert list(cell["sites"]) == ["north"]


@pytest.mark.parametrize(
    ("photos", "mission", "status", "says"),
    [
        ((), "air_baffle", 422, "photos"),
        ((b"no picture",), "air_baffle", 422, "1.png"),
        ((picture("five"),), "doors", 422, "no mission 'doors'"),
        ((picture("six"), picture("six")), "air_baffle", 422, "the same photo twice"),
        ((b"x" * 100_001,), "air_baffle", 413, "100,001 bytes"),
    ],
)
def test_what_is_no_group_is_refused_with_why(
    client: TestClient, photos: tuple[bytes, ...], mission: str, status: int, says: str
) -> None:
    answer = send(client, *photos, mission=mission)
    assert (answer.status_code, says in answer.text) == (status, True), answer.text


def test_more_groups_than_there_are_places_for_are_sent_away_and_those_inside_are_answered(
    client: TestClient, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def write(*asked):
        assert go_on.wait(60)
        return [(line, None) for line in LINES[: len(asked[-1])]]

    monkeypatch.setattr(Summariser, "write", write)
    groups = ws.settings.group_qc.places + 1
    with ThreadPoolExecutor(groups) as senders:
        answers = as_completed([senders.submit(send, client, picture(f"busy {number}")) for number in range(groups)])
        refused = next(answers).result()
        go_on.set()
        assert (refused.status_code, int(refused.headers["Retry-After"]) >= 1) == (429, True)
        assert [each.result().status_code for each in answers] == [200] * (groups - 1)
    assert send(client, picture("one too many")).status_code == 200
