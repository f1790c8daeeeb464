"""The client against a real server, and against one that is busy, away or wrong."""

import asyncio
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from serving import WORK, picture

from app.client import AsyncNightshift, Nightshift, Problem

README = Path(__file__).resolve().parents[2] / "README.md"


def test_a_screen_is_classified_explained_corrected_and_listed(served):
    address, _ = served
    with Nightshift(address) as nightshift:
        answer = nightshift.classify(picture("By the client"), WORK, session="client")
        assert nightshift.prediction(answer.prediction_id) == answer
        word = nightshift.correct(answer.prediction_id, "off_task", reason="a game")
        why = nightshift.explanation(answer.prediction_id)
        assert why.word is not None
        assert (why.word.correction_id, why.word.reason) == (word.correction_id, "a game")
        assert nightshift.undo(answer.prediction_id).undone == word.correction_id
        items = nightshift.classify_many([picture("By the client"), b"hello"], WORK, session="client")
        assert [item.status for item in items] == [200, 422]
        assert len(list(nightshift.predictions(session="client"))) == 2
        labelled = nightshift.correct_screen(picture("Labelled"), WORK, "on_task", key="labelled-1")
        assert nightshift.correct_screen(picture("Labelled"), WORK, "on_task", key="labelled-1") == labelled


def test_the_same_can_be_awaited(served):
    address, _ = served

    async def story():
        async with AsyncNightshift(address) as nightshift:
            both = await asyncio.gather(
                *(nightshift.classify(picture(words), WORK, session="async") for words in ("One", "Two"))
            )
            word = await nightshift.correct(both[0].prediction_id, "off_task")
            assert (await nightshift.undo(both[0].prediction_id)).undone == word.correction_id
            listed = [each async for each in nightshift.predictions(session="async")]
            assert {each.prediction_id for each in listed} == {each.prediction_id for each in both}
            assert (await nightshift.explanation(both[1].prediction_id)).work == WORK
            assert await nightshift.prediction(both[1].prediction_id) == both[1]
            items = await nightshift.classify_many([picture("One")], [WORK])
            assert items[0].prediction is not None
            await nightshift.correct_screen(picture("One"), WORK, "on_task")

    asyncio.run(story())


def test_what_is_refused_says_why_and_which_request_it_was(served):
    address, _ = served
    with Nightshift(address) as nightshift, pytest.raises(Problem, match="text file") as refused:
        nightshift.classify(b"hello", WORK)
    assert refused.value.status == 422
    assert refused.value.request_id
    with Nightshift(address) as nightshift, pytest.raises(Problem, match="404"):
        nightshift.prediction("nobody")


def test_the_example_of_the_readme_runs(served, tmp_path, monkeypatch, capsys):
    address, ws = served
    (tmp_path / "screen.png").write_bytes(picture("Of the readme"))
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(example.replace("http://127.0.0.1:7860", address), "README.md", "exec"), {})
    assert "on_task" in (said := capsys.readouterr().out) or "off_task" in said
    assert ws.store.sessions("screen")[0].name == "monday"


class Moody(BaseHTTPRequestHandler):
    """Answers each request with the next mood: a status and headers, or nothing at all."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(dict(self.headers))
        status, headers = self.server.moods.pop(0)
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        body = self.server.answer if status == 201 else b'{"detail": "not now"}'
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def moody():
    with ThreadingHTTPServer(("127.0.0.1", 0), Moody) as server:
        server.seen, server.moods = [], []
        server.answer = (
            b'{"correction_id": "1", "prediction_id": "2", "label": "on_task", "undone": null, '
            b'"at": "2031-01-01T00:00:00Z"}'
        )
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def address_of(server):
    return f"http://127.0.0.1:{server.server_port}"


def test_a_busy_server_is_asked_again_when_it_says(moody):
    moody.moods = [(429, {"Retry-After": "1"}), (201, {})]
    began = time.monotonic()
    with Nightshift(address_of(moody)) as nightshift:
        assert nightshift.correct("2", "on_task").correction_id == "1"
    assert time.monotonic() - began >= 1


def test_a_word_whose_answer_was_lost_is_sent_again_under_the_same_key(moody):
    moody.moods = [(None, {}), (503, {"Retry-After": "0"}), (201, {})]
    with Nightshift(address_of(moody)) as nightshift:
        nightshift.correct("2", "on_task")
    keys = [headers["Idempotency-Key"] for headers in moody.seen]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_patience_ends(moody):
    moody.moods = [(503, {"Retry-After": "0"})] * 3
    with Nightshift(address_of(moody), attempts=3) as nightshift, pytest.raises(Problem, match="503: not now"):
        nightshift.correct("2", "on_task")
    assert len(moody.seen) == 3


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500, 504])
def test_what_would_be_refused_again_is_not_sent_again(moody, status):
    moody.moods = [(status, {})]
    with Nightshift(address_of(moody)) as nightshift, pytest.raises(Problem, match="not now"):
        nightshift.correct("2", "on_task")
    assert len(moody.seen) == 1


def test_a_server_that_is_not_there_is_a_problem_without_a_status():
    with Nightshift("http://127.0.0.1:1", attempts=1) as nightshift, pytest.raises(Problem) as away:
        nightshift.prediction("1")
    assert away.value.status is None
