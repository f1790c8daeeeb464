"""What Prefect is told, and what it does of itself then."""

import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from core.schema import Event, NightshiftError, Notice
from core.settings import NoticeSettings
from flows.automations import emit, set_up
from flows.server import ask


class Heard(HTTPServer):
    """A chat room's door: keeps what is posted to it."""

    posts: list[str]


@pytest.fixture
def room() -> Iterator[Heard]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.posts.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = Heard(("127.0.0.1", 0), Door)
    server.posts = []
    Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def automations(api_url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask("POST", f"{api_url}/automations/filter", {"limit": 200})
    return found


def test_a_block_that_is_not_there_is_named_in_one_line(api_url: str) -> None:
    with pytest.raises(NightshiftError, match="no block 'slack-webhook/nobody'"):
        set_up(api_url, NoticeSettings(prefect_block="slack-webhook/nobody"))


def test_prefect_tells_the_block_of_an_event_of_ours_and_each_automation_is_made_once(
    api_url: str, room: Heard
) -> None:
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    CustomWebhookNotificationBlock(
        name="ops", url=f"http://127.0.0.1:{room.server_port}/", json_data={"text": "{{subject}} / {{body}}"}
    ).save("ops", overwrite=True)
    settings = NoticeSettings(prefect_block="custom-webhook/ops")

    set_up(api_url, settings)
    made = {each["name"] for each in automations(api_url)}
    set_up(api_url, settings)

    assert len([each for each in automations(api_url) if each["name"] in made]) == len(made)
    assert {f"tell custom-webhook/ops of nightshift: {event.value.replace('_', ' ')}" for event in Event} <= made

    deadline = time.monotonic() + 60
    while not room.posts and time.monotonic() < deadline:
        # The server takes a moment to know a new automation, and an event before that goes by unheard.
        emit(Notice(id="n", environment="screen", event=Event.DRIFT, title="screen: answers moved", subject="s"))
        time.sleep(2)
    assert room.posts and "screen: answers moved" in room.posts[0] and "Nightshift: drift" in room.posts[0]
