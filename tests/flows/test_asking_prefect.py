"""What is asked of a Prefect server that is busy: asked again, and not for ever."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from core.schema import NightshiftError
from flows import server
from flows.server import ask


@contextmanager
def answering(statuses: list[int]) -> Iterator[tuple[str, list[bytes]]]:
    """The URL of a server that answers with these in turn, the last one from then on, and the bodies it was sent."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            reply = json.dumps({"asked": len(bodies)}).encode()
            self.send_response(statuses[min(len(bodies), len(statuses)) - 1])
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test says what it saw."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}", bodies
        finally:
            http.shutdown()
            thread.join()


def test_a_busy_server_is_asked_the_same_again() -> None:
    with answering([503, 503, 200]) as (url, bodies):
        assert ask("POST", url, {"key": "k"}) == {"asked": 3}
    assert bodies == [b'{"key": "k"}'] * 3


def test_a_server_that_stays_busy_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BUSY_WAITS_S", (0.0, 0.0))
    with answering([503]) as (url, bodies), pytest.raises(NightshiftError, match="503"):
        ask("POST", url, {})
    assert len(bodies) == 3


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_refusal_is_not_asked_again(status: int) -> None:
    with answering([status, 200]) as (url, bodies), pytest.raises(NightshiftError, match=str(status)):
        ask("POST", url, {})
    assert len(bodies) == 1
