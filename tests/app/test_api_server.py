import socket
import time

import httpx
import pytest
from releases import make_release, promote
from serving import WORK, picture

from app.server import serve
from core.schema import NightshiftError, Prediction


def post(address):
    return httpx.post(
        f"{address}/v1/screen/predictions",
        files={"image": ("s.png", picture())},
        data={"work": WORK},
        timeout=60,
    )


def test_it_serves_pages_and_verdicts_under_its_own_port(served):
    address, ws = served
    assert "Nightshift" in httpx.get(f"{address}/").text
    answer = post(address).json()
    assert ws.store.get(Prediction, answer["prediction_id"]) is not None


def test_the_name_that_is_pointed_at_it_is_refused(served):
    address, _ = served
    port = address.rpartition(":")[2]
    assert httpx.get(f"{address}/healthz", headers={"host": f"evil.example:{port}"}).status_code == 403
    assert httpx.get(f"{address}/healthz", headers={"host": f"localhost:{port}"}).status_code == 200


def test_forwarded_headers_are_nobodys_word(served):
    address, _ = served
    headers = {
        "host": "evil.example",
        "x-forwarded-host": address.removeprefix("http://"),
        "x-forwarded-for": "127.0.0.1",
    }
    assert httpx.get(f"{address}/healthz", headers=headers).status_code == 403


def test_a_large_body_is_refused_before_it_is_sent(served):
    address, _ = served
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(
            f"POST /v1/screen/predictions HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
            "Content-Length: 9000000000\r\n\r\n".encode()
        )
        assert b" 413 " in connection.recv(4096)


def test_a_promoted_champion_answers_without_a_restart(served):
    address, ws = served
    before = post(address).json()["release"]
    new = make_release(ws, 3.0)
    promote(ws, new)
    deadline = time.monotonic() + 30
    seen = [before]
    while seen[-1] != new.id and time.monotonic() < deadline:
        answer = post(address)
        assert answer.status_code == 200
        seen.append(answer.json()["release"])
    assert set(seen) == {before, new.id}


def test_a_port_that_is_taken_is_said_in_one_line(served, home):
    address, _ = served
    port = int(address.rpartition(":")[2])
    with pytest.raises(NightshiftError, match=f"cannot listen on 127.0.0.1:{port}"):
        serve(home, "127.0.0.1", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5"])
def test_anything_but_loopback_is_refused_and_nothing_is_made(tmp_path, host):
    with pytest.raises(NightshiftError, match="refusing to listen"):
        serve(tmp_path / "none", host, 0)
    assert not (tmp_path / "none").exists()
