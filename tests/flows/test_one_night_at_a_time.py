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
from core.store import LeaseHeld, LeaseLost, Store, open_store
from flows.vigil import only_night

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
