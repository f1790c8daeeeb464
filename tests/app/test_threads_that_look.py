"""What looks now and then for as long as a process lives goes on whatever goes wrong once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from app import trials
from core.notices import Courier
from flows import courier, threshold


def trials_look(monkeypatch: pytest.MonkeyPatch, look: Callable[..., Any]) -> None:
    monkeypatch.setattr(trials, "advance", look)
    trials.Trials(None, "screen").start()  # type: ignore[arg-type]


def threshold_looks(monkeypatch: pytest.MonkeyPatch, look: Callable[..., Any]) -> None:
    monkeypatch.setattr(threshold.Threshold, "look", look)
    threshold.Threshold(None, "screen").start()  # type: ignore[arg-type]


def courier_looks(monkeypatch: pytest.MonkeyPatch, look: Callable[..., Any]) -> None:
    monkeypatch.setattr(Courier, "look", look)
    threading.Thread(target=courier._watch, args=(Courier.__new__(Courier),), daemon=True).start()


@pytest.mark.parametrize("looks", [trials_look, threshold_looks, courier_looks])
def test_it_looks_again_after_what_nobody_thought_of(
    looks: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in (trials, threshold, courier):
        monkeypatch.setattr(module, "LOOK_S", 0.01)
    looked, again = [], threading.Event()

    def look(*about: object) -> None:
        looked.append(about)
        if len(looked) == 1:
            raise RuntimeError("nobody thought of this")
        again.set()
        threading.Event().wait()  # for ever: after the test nothing is looked at

    looks(monkeypatch, look)

    assert again.wait(20)
    assert "nobody thought of this" in caplog.text
