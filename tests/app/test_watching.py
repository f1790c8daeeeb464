"""Watching a screen, with an answerer that can be away."""

import time

import numpy as np
import pytest
from PIL import Image
from serving import said

from app.watching import Screen, Server, Spool, Watcher, change_between
from app.watching.answerers import Away, Here, Refused, Verdict
from core.schema import Correction, NightshiftError, Prediction
from core.services import standing_word

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


def watcher(folder, answerer, screens, **bounds):
    shots = iter(screens)
    return Watcher(
        lambda: next(shots),
        answerer,
        Spool(folder, **bounds),
        work="Write the report.",
        session="monday",
        answers=ANSWERS,
        longest_side=2560,
    )


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


def test_what_is_refused_is_not_sent_for_ever(tmp_path, answerer):
    answerer.refuses = True
    watching = watcher(tmp_path, answerer, [shot(1)])
    watching.start()
    watching.look()
    watching.stop(20)
    assert watching.told()["refused"] == 1 and watching.told()["waiting"] == 0


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
