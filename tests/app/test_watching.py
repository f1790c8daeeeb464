"""Watching a screen, with an answerer that can be away."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from serving import said

from app.commands.watch import _as_kept
from app.watching import Screen, Server, Spool, Watcher, change_between
from app.watching.answerers import Away, Here, Refused, Verdict
from core.reading import read_image
from core.schema import Correction, NightshiftError, Prediction
from core.services import standing_word
from core.settings import load_settings

ANSWERS = ("on_task", "off_task")


class Fake:
    """Answers every screen as on task, unless it is away; remembers under which keys it was asked."""

    def __init__(self):
        self.away, self.refuses = False, False
        self.classified, self.words = {}, {}

    def classify(self, picture, work, session, key):
        self._here()
        self.classified[key] = (picture, work, session)
        return Verdict(f"of {key}", "on_task", 0.9, False)

    def say(self, prediction_id, label, key):
        self._here()
        self.words[key] = (prediction_id, label)

    def _here(self):
        if self.away:
            raise Away("the server cannot be reached")
        if self.refuses:
            raise Refused("no")


def shot(seed):
    """A screen of noise: another one for another seed."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (90, 160, 3), dtype=np.uint8), "RGB")


def watcher(folder, answerer, screens, as_kept=bytes, **bounds):
    shots = iter(screens)
    return Watcher(
        lambda: next(shots),
        answerer,
        Spool(folder, **bounds),
        work="Write the report.",
        session="monday",
        answers=ANSWERS,
        longest_side=2560,
        as_kept=as_kept,
    )


@contextmanager
def answered_with(status, headers, body):
    """The URL of a server that answers everything so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format, *arguments):
            """Nothing: the test says what it saw."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def until(claim, seconds=20):
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def answerer():
    return Fake()


def test_a_screen_that_did_not_change_is_not_sent_again(tmp_path, answerer):
    with_clock = shot(1).copy()
    with_clock.paste("white", (150, 84, 158, 88))
    watching = watcher(tmp_path, answerer, [shot(1), with_clock, shot(2)])
    watching.start()
    assert [watching.look() for _ in range(3)] == [True, False, True]
    watching.stop(20)
    told = watching.told()
    assert (told["screens"], told["unchanged"], told["answered"], told["waiting"]) == (3, 1, 2, 0)
    assert {(work, session) for _, work, session in answerer.classified.values()} == {("Write the report.", "monday")}


def test_a_key_corrects_the_last_verdict_once_and_another_takes_it_back(tmp_path, answerer):
    watching = watcher(tmp_path, answerer, [shot(1)])
    watching.start()
    assert watching.correct() is None
    watching.look()
    until(lambda: watching.last is not None)
    assert watching.correct() == "off_task" and watching.correct() is None
    assert watching.undo() and not watching.undo()
    watching.stop(20)
    assert list(answerer.words.values()) == [(watching.last.prediction_id, each) for each in ("off_task", None)]


def test_what_is_seen_while_the_server_is_away_is_sent_in_order_when_it_is_back(tmp_path, answerer):
    watching = watcher(tmp_path, answerer, [shot(1), shot(2), shot(3)])
    answerer.away = True
    watching.start()
    watching.look()
    until(lambda: watching.away is not None)
    watching.look()
    watching.look()
    assert watching.told()["waiting"] == 3 and answerer.classified == {}
    answerer.away = False
    watching.stop(20)
    assert list(answerer.classified) == sorted(answerer.classified) and len(answerer.classified) == 3
    assert watching.away is None


def test_what_was_left_on_disk_is_sent_by_the_next_sitting_under_the_same_key(tmp_path, answerer):
    answerer.away = True
    first = watcher(tmp_path, answerer, [shot(1)])
    first.start()
    first.look()
    first.stop(0)
    (left,) = tmp_path.glob("*.json")
    answerer.away = False
    second = watcher(tmp_path, answerer, [])
    second.start()
    second.stop(20)
    assert list(answerer.classified) == [left.stem] and not list(tmp_path.glob("*.png"))


def test_the_oldest_screens_make_room_and_are_counted_but_no_word_is_lost(tmp_path):
    spool = Spool(tmp_path, most_screens=2)
    word = spool.add_word({"prediction_id": "a", "label": None})
    ids = [spool.add_screen(b"picture", {"work": "w", "session": "s"}) for _ in range(4)]
    assert [each.id for each in spool.waiting()] == [word, *ids[2:]]
    assert spool.dropped == 2


def test_what_a_crash_cut_off_is_cleared_and_the_rest_kept(tmp_path):
    spool = Spool(tmp_path)
    kept = spool.add_screen(b"picture", {"work": "w", "session": "s"})
    (tmp_path / "0.png").write_bytes(b"half")
    (tmp_path / "1.tmp").write_bytes(b"half")
    spool.close()
    assert [each.id for each in Spool(tmp_path).waiting()] == [kept]
    assert {path.suffix for path in tmp_path.iterdir() if path.stem in "01"} == set()


def test_two_at_once_do_not_share_a_folder(tmp_path):
    first = Spool(tmp_path)
    with pytest.raises(NightshiftError, match="another `nightshift watch`"):
        Spool(tmp_path)
    first.close()
    Spool(tmp_path)


def test_what_is_private_is_painted_over_before_a_screen_lies_on_disk(tmp_path, answerer):
    letter = Image.new("RGB", (900, 300), "white")
    for number, text in enumerate(("From: ann.other@example.com", "the budget is attached")):
        font = ImageFont.load_default(28)
        ImageDraw.Draw(letter).text((40, 60 + 90 * number), text, "black", font=font)
    settings = load_settings(tmp_path, redaction={"emails": True})
    watching = watcher(settings.watch_dir / "server", answerer, [letter], as_kept=_as_kept(settings))
    assert watching.look()
    (kept,) = watching.spool.waiting()
    assert [line.text for line in read_image(Image.open(kept.picture)).lines if "@" in line.text] == []
    assert any("budget" in line.text for line in read_image(Image.open(kept.picture)).lines)


def test_a_screen_that_cannot_be_painted_over_is_not_kept(tmp_path, answerer):
    def refuses(_):
        raise NightshiftError("something private could not be painted over")

    watching = watcher(tmp_path, answerer, [shot(1)], as_kept=refuses)
    assert not watching.look()
    assert watching.counts.refused == 1 and watching.spool.waiting() == []


def test_what_is_refused_is_not_sent_for_ever(tmp_path, answerer):
    answerer.refuses = True
    watching = watcher(tmp_path, answerer, [shot(1)])
    watching.start()
    watching.look()
    watching.stop(20)
    assert watching.told()["refused"] == 1 and watching.told()["waiting"] == 0


def test_a_word_that_is_refused_is_shown_and_can_be_said_again(tmp_path, answerer):
    watching = watcher(tmp_path, answerer, [shot(1)])
    watching.start()
    watching.look()
    until(lambda: watching.last is not None)
    answerer.refuses = True
    watching.correct()
    until(lambda: watching.unheard)
    assert watching.told()["unheard"] == [
        {"prediction_id": watching.last.prediction_id, "label": "off_task", "why": "no"}
    ]
    answerer.refuses = False
    assert watching.correct() == "off_task"
    watching.stop(20)
    assert len(answerer.words) == 1 and watching.told()["refused"] == 0


def test_nothing_is_lost_where_sending_fails_in_a_way_that_nobody_thought_of(tmp_path, answerer, monkeypatch, caplog):
    def breaks():
        raise RuntimeError("broken")

    watching = watcher(tmp_path, answerer, [shot(1)])
    with monkeypatch.context() as patch:
        patch.setattr(answerer, "_here", breaks)
        watching.start()
        watching.look()
        until(lambda: watching.away == "broken")
    assert "RuntimeError: broken" in caplog.text
    watching.stop(20)
    assert (watching.told()["answered"], watching.told()["waiting"], watching.away) == (1, 0, None)


OURS = {"X-Request-Id": "1"}


@pytest.mark.parametrize(
    ("status", "headers", "body", "follows"),
    [
        *((status, OURS, '{"detail": "no"}', Refused) for status in (400, 409, 413, 415, 422)),
        *((status, OURS, '{"detail": "no"}', Away) for status in (404, 408, 429, 500, 503)),
        (401, OURS, '{"detail": "no"}', NightshiftError),
        (302, {"Location": "https://portal.example/sign-in"}, "", Away),
        (404, {}, "default backend - 404", Away),
        (403, {}, "<html>sign in</html>", Away),
        (400, {}, "Request Header Or Cookie Too Large", Away),
        (422, {}, '{"detail": "another program"}', Away),
        (200, {}, "<html>sign in</html>", Away),
    ],
)
def test_a_screen_is_given_up_only_where_nightshift_itself_refuses_it(status, headers, body, follows):
    with answered_with(status, headers, body) as url, pytest.raises((Away, NightshiftError)) as raised:
        Server(url, None, "screen").classify(b"picture", "work", "monday", "key")
    assert raised.type is follows


def test_a_word_about_what_was_erased_is_given_up_and_not_sent_for_ever():
    with answered_with(404, OURS, '{"detail": "there is no prediction"}') as url, pytest.raises(Refused):
        Server(url, None, "screen").say("a", "on_task", "key")


def test_what_the_home_itself_cannot_do_now_waits(home):
    here = Here(home, "screen")
    (home / "nightshift.duckdb").write_bytes(b"junk" * 5000)
    with pytest.raises(Away):
        here.classify(b"picture", "work", "monday", "key")
    with pytest.raises(Away):
        here.say("a", "on_task", "key")


def test_another_size_is_another_screen():
    assert change_between(shot(1), shot(1).resize((80, 45))) == 1.0
    assert change_between(shot(1), shot(1)) == 0.0


@pytest.mark.parametrize("url", ["http://ns.example.org", "ns.example.org", "ftp://ns.example.org"])
def test_screens_and_token_are_not_sent_in_the_clear(url):
    with pytest.raises(NightshiftError, match="https://"):
        Server(url, "token", "screen")


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "Wayland"),
        ({"XDG_SESSION_TYPE": "wayland"}, "Wayland"),
        ({}, "no display"),
        ({"DISPLAY": ":987"}, "cannot be looked at"),
    ],
)
def test_where_no_screen_can_be_looked_at_it_says_why(monkeypatch, variables, why):
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NightshiftError, match=why):
        Screen()


def test_a_word_that_is_sent_again_in_this_process_counts_once_and_takes_back_no_other(client, ws, module_home):
    here = Here(module_home, "screen")
    about = said(client, "Watched")["prediction_id"]
    here.say(about, "on_task", "one")
    for _ in range(2):
        here.say(about, "off_task", "two")
        here.say(about, None, "three")
    assert [(word.answer, word.retracts is None) for word in ws.store.find(Correction, prediction=about)] == [
        ("on_task", True),
        ("off_task", True),
        ("off_task", False),
    ]
    assert standing_word(ws, ws.store.get(Prediction, about).example).answer == "on_task"
