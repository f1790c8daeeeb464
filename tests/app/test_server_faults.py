"""What is wrong with the server is never called a fault of the request, so that nobody throws away what they sent."""

from collections.abc import Callable
from pathlib import Path

import pytest
from people import PASSWORD, log_in
from serving import ADDRESS, HOST, PORT, WORK, picture
from starlette.testclient import TestClient

from app.server import create_app
from core.access import add_user, directory
from core.schema import Role
from core.services import Workspace


def blobs_cannot_be_written(home: Path) -> None:
    (home / "blobs").write_text("in the way")


def store_is_no_store_any_more(home: Path) -> None:
    (home / "nightshift.duckdb").write_bytes(b"junk" * 5000)


def release_is_damaged(home: Path) -> None:
    weights = next((home / "registry").rglob("*.safetensors"))
    weights.chmod(0o600)
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0\0")


@pytest.mark.parametrize("breaks", [blobs_cannot_be_written, store_is_no_store_any_more, release_is_damaged])
def test_a_fault_of_the_server_is_a_503_that_says_when_to_come_again(
    home: Path, breaks: Callable[[Path], None]
) -> None:
    ws = Workspace.open(home)
    with TestClient(create_app(ws, host=HOST, port=PORT), base_url=ADDRESS) as client:
        breaks(home)

        answer = client.post("/v1/screen/predictions", files={"image": picture()}, data={"work": WORK})

    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["detail"]


def test_whoever_is_not_signed_in_is_not_told_where_the_store_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws = Workspace.open(home)
    add_user(ws, "ada", Role.ADMIN, PASSWORD)
    monkeypatch.setattr(directory, "STALE_S", 0.0)
    with TestClient(create_app(ws, host=HOST, port=PORT), base_url=ADDRESS) as client:
        store_is_no_store_any_more(home)

        token = {"authorization": "Bearer ns_somebody"}
        answers = [client.get("/readyz"), client.get("/v1/me", headers=token), log_in(client, "ada")]

    assert [answer.status_code for answer in answers] == [503] * 3
    assert not any(str(home) in answer.text for answer in answers)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers)
