"""The night's lease: kept while a night lives, waited for when it died, refused while another lives."""

import os
import queue
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.schema import NightshiftError
from core.store import ERASURE, LeaseHeld, LeaseLost, Store, open_store
from flows.vigil import in_turn, only_night

NAME = "night/screen"
GONE_MACHINE = "process 1 on a-machine-that-is-not-here, started 1.00"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"duckdb:///{tmp_path / 'store.duckdb'}")


def test_the_lease_outlasts_its_time_while_the_night_lives_and_is_free_after_it(store: Store) -> None:
    with only_night(store, NAME, 4.0, tell=print) as lease:
        time.sleep(6.0)
        store.check_token(NAME, lease.token)
        with pytest.raises(LeaseHeld):
            store.lease(NAME, "another", 1.0)

    assert store.lease(NAME, "another", 1.0).token > lease.token


def test_a_night_is_refused_at_once_while_another_of_this_machine_lives(store: Store) -> None:
    with (
        only_night(store, NAME, 600.0, tell=print),
        pytest.raises(NightshiftError, match=f"already running .process {os.getpid()} on {socket.gethostname()}"),
        only_night(store, NAME, 600.0, tell=print),
    ):
        pass


def test_a_night_waits_for_the_lease_of_one_that_was_killed_and_says_so(store: Store, tmp_path: Path) -> None:
    code = (
        "import os, signal\nfrom core.store import open_store\nfrom flows.vigil import only_night\n"
        f"with only_night(open_store({store_url(tmp_path)!r}), {NAME!r}, 6.0, tell=print):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    told: list[str] = []

    with only_night(store, NAME, 5.0, tell=told.append) as lease:
        store.check_token(NAME, lease.token)

    assert lease.token == 2
    assert len(told) == 1 and "died" in told[0]


def test_a_night_of_another_machine_that_renews_its_lease_lives(store: Store) -> None:
    theirs = store.lease(NAME, GONE_MACHINE, 20.0)
    over = threading.Event()

    def renew() -> None:
        while not over.wait(0.3):
            theirs.renew()

    renewing = threading.Thread(target=renew)
    renewing.start()
    try:
        with pytest.raises(NightshiftError, match="already running"), only_night(store, NAME, 9.0, tell=lambda _: None):
            pass
    finally:
        over.set()
        renewing.join()


def test_a_night_waits_for_an_erasure_that_renews_its_lease_and_says_so(store: Store) -> None:
    erasure = store.lease(NAME, ERASURE, 10.0)
    over = threading.Event()

    def erase() -> None:
        for _ in range(8):
            over.wait(0.3)
            erasure.renew()
        over.set()
        erasure.release()

    told: list[str] = []
    erasing = threading.Thread(target=erase)
    erasing.start()
    with only_night(store, NAME, 5.0, tell=told.append) as lease:
        assert over.is_set()
        store.check_token(NAME, lease.token)
    erasing.join()
    assert told == ["an erasure is at work; this night goes on after it"]


def test_a_night_waits_no_longer_than_an_hour_for_an_erasure(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.vigil.LONGEST_WAIT_S", 0.6)
    with (
        store.lease(NAME, ERASURE, 600.0),
        pytest.raises(NightshiftError, match=r"an erasure .* goes on for more than"),
        only_night(store, NAME, 5.0, tell=lambda _: None),
    ):
        pass


def test_nights_begin_one_after_the_other(store: Store) -> None:
    order: list[str] = []

    def begin(name: str) -> None:
        with in_turn(store, 5.0, tell=lambda _: None):
            order.extend([name, name])

    with in_turn(store, 5.0, tell=lambda _: None):
        others = [threading.Thread(target=begin, args=(name,)) for name in ("one", "other")]
        for each in others:
            each.start()
        time.sleep(1.2)
        assert order == []
    for each in others:
        each.join()
    assert order in (["one", "one", "other", "other"], ["other", "other", "one", "one"])


def test_a_night_of_another_machine_that_falls_silent_is_followed_by_the_next(store: Store) -> None:
    theirs = store.lease(NAME, GONE_MACHINE, 1.5)

    with only_night(store, NAME, 5.0, tell=lambda _: None), pytest.raises(LeaseLost):
        store.check_token(NAME, theirs.token)


def test_a_night_that_lost_its_lease_says_so_and_leaves_the_next_one_alone(store: Store) -> None:
    told: queue.Queue[str] = queue.Queue()
    with only_night(store, NAME, 1.0, tell=told.put) as lease:
        lease.release()
        theirs = store.lease(NAME, "another", 600.0)
        assert "lost its lease" in told.get(timeout=60)

    store.check_token(NAME, theirs.token)
    assert told.empty()


def store_url(tmp_path: Path) -> str:
    return f"duckdb:///{tmp_path / 'store.duckdb'}"
