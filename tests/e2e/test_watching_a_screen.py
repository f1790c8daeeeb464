"""A real display, a real server: what is shown on the one is answered by the other."""

import os
import shutil
import subprocess

import pytest

from app.watching import Screen, Server, Spool, Watcher
from core.schema import Correction, Prediction
from core.services import standing_word

WORK = "Write the quarterly report."


@pytest.fixture
def display(monkeypatch):
    """A display without a screen, of 640 by 400."""
    if shutil.which("Xvfb") is None:
        pytest.skip("there is no Xvfb on this machine; `make browser` installs it")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "640x400x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as told:
        number = told.readline().strip()
    monkeypatch.setenv("DISPLAY", f":{number}")
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    yield
    server.terminate()
    server.wait(10)


@pytest.mark.usefixtures("display")
def test_the_screen_is_classified_corrected_and_taken_back(server, ws, tmp_path):
    with Screen() as screen:
        watcher = Watcher(
            screen.grab,
            Server(server.address, None, "screen"),
            Spool(tmp_path),
            work=WORK,
            session="e2e",
            answers=("on_task", "off_task"),
            longest_side=2560,
        )
        watcher.start()
        assert [watcher.look(), watcher.look()] == [True, False]
        while watcher.last is None:
            assert watcher.ended is None
            watcher._over.wait(0.05)
        corrected = watcher.correct()
        assert watcher.undo()
        watcher.stop(60)
    (said,) = ws.store.find(Prediction, session="e2e")
    assert said.id == watcher.last.prediction_id and corrected != said.answer
    given, taken = ws.store.find(Correction, example=said.example)
    assert given.answer == corrected and taken.retracts == given.id
    assert standing_word(ws, said.example) is None
