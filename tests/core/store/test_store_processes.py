import os
import signal
import threading
import time
from pathlib import Path

import duckdb
import pytest
from store_records import correction

from core.schema import Correction
from core.store import StoreBusy, open_store

WRITERS = 4


def outcome(child):
    out, error = child.communicate(timeout=300)
    assert child.returncode == 0, error
    return out.split()


@pytest.mark.timeout(400)
@pytest.mark.parametrize("each", [40, pytest.param(200, marks=pytest.mark.soak)])
def test_four_writers_and_a_reader_lose_nothing_and_double_nothing(url, store, process, tmp_path, each):
    reader = process("read_until_stopped", url, tmp_path / "stop")
    writers = [process("write_corrections", url, writer, each) for writer in range(WRITERS)]
    acknowledged = [id for writer in writers for id in outcome(writer)]
    (tmp_path / "stop").touch()
    assert int(outcome(reader)[0]) > 1

    kept = [record.id for record in store.find(Correction)]
    assert len(kept) == WRITERS * each
    assert sorted(kept) == sorted(acknowledged)
    assert store.head("screen") == WRITERS * each
    assert not [problem for problem in store.check() if "sequence" in problem]


@pytest.mark.parametrize("after", [1, 7, 20])
def test_a_writer_that_is_killed_loses_nothing_that_it_acknowledged(url, store, process, after):
    writer = process("write_corrections", url, 0, 10_000)
    acknowledged = [writer.stdout.readline().strip() for _ in range(after)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += writer.communicate()[0].split()

    kept = [record.id for record in store.find(Correction)]
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) <= len(acknowledged) + 1
    assert store.add(correction()) == 1
    assert store.count(Correction) == len(kept) + 1


def test_threads_of_one_process_lose_nothing(store):
    def write():
        for _ in range(20):
            store.add(correction())
            store.find(Correction, limit=1)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count(Correction) == store.head("screen") == 120


def test_a_store_that_others_hold_is_busy_after_the_deadline_and_unharmed(url, file):
    impatient = open_store(url, deadline_s=0.2)
    held = duckdb.connect(str(file))
    with pytest.raises(StoreBusy, match="in use by others"):
        impatient.add(correction())
    with pytest.raises(StoreBusy):
        impatient.count(Correction)
    held.close()
    assert impatient.count(Correction) == 0


def test_a_writer_waits_for_who_holds_the_store_for_a_moment(store, file):
    held = duckdb.connect(str(file))
    threading.Timer(0.3, held.close).start()
    assert store.add(correction()) == 1


def test_nothing_stays_open_between_calls(store, file):
    store.add(correction())
    store.count(Correction)
    duckdb.connect(str(file)).close()
    open_files = {os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()}
    assert str(file) not in open_files


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_forked_while_a_thread_writes_can_use_the_store(store):
    stop = threading.Event()

    def write():
        while not stop.is_set():
            store.add(correction())

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.1)
    added, child = 0, os.fork()
    if child == 0:
        try:
            added = store.add(correction("from the child"))
        finally:
            os._exit(0 if added == 1 else 1)
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        stop.set()
        writer.join()
    assert store.count(Correction) == store.head("screen")
    assert len(store.find(Correction, example="from the child")) == 1
