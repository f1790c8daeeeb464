import hashlib
import signal
import time
from pathlib import Path

import duckdb
import pytest
from store_records import correction

from core.schema import Correction, NightshiftError
from core.store import StoreNewer, open_store, store_exists
from core.store.database import engine_of, open_database
from core.store.migrate import Migration, load_migrations

STEPS = load_migrations()
PRESENT = STEPS[-1].version


def content(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def versions(url: str) -> list[int]:
    wanted = "SELECT version FROM schema_version ORDER BY version"
    rows = engine_of(url).read(lambda connection: connection.execute(wanted).fetchall(), 30)
    return [row[0] for row in rows]


def test_the_steps_are_numbered_without_gaps():
    assert [step.version for step in STEPS] == list(range(1, PRESENT + 1))


def test_opening_makes_the_store_and_its_folder(url, file):
    assert open_store(url).count(Correction) == 0
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_opening_a_store_that_is_up_to_date_writes_nothing(url, store, file):
    store.add(correction())
    before = content(file.parent)
    assert open_store(url).count(Correction) == 1
    assert content(file.parent) == before


@pytest.mark.parametrize("version", range(1, PRESENT))
def test_a_store_of_an_older_version_is_brought_up_to_date_with_its_rows(url, version):
    old = open_database(engine_of(url), STEPS[:version], deadline_s=30)
    record = correction()
    old.write(
        lambda connection: connection.execute(
            'INSERT INTO correction_event (seq, id, "at", environment, example, reviewer, chosen_by, payload) '
            "VALUES (1, ?, ?, 'screen', ?, 'local', 'volunteered', ?)",
            [record.id, record.at, record.example, record.model_dump_json()],
        )
    )
    store = open_store(url)
    assert store.find(Correction) == [record]
    assert store.head("screen") == len(store.labels("screen")) == 1
    assert versions(url) == list(range(1, PRESENT + 1))


@pytest.mark.parametrize("left_open", [False, True], ids=["closed", "killed"])
def test_a_store_from_a_newer_version_is_refused_with_nothing_written(url, file, left_open):
    newer = open_database(engine_of(url), [*STEPS, Migration(PRESENT + 1, "more", "SELECT 1")], deadline_s=30)
    if left_open:
        # As a killed process leaves it: rows in the write-ahead log that a writer would fold into the file.
        connection = duckdb.connect(str(file))
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("INSERT INTO lease VALUES ('x', 'x', 1, now(), false)")
        connection.close()
    before = content(file.parent)
    assert len(before) == 1 + left_open
    with pytest.raises(StoreNewer, match=rf"{file} has schema version {PRESENT + 1}.*up to {PRESENT}"):
        open_store(url)
    assert content(file.parent) == before
    assert newer.read(lambda connection: connection.execute("SELECT 1").fetchone()) == (1,)


def test_a_store_from_a_newer_version_is_refused_whatever_the_engine(url, store):
    store.add(correction())
    newer = open_database(engine_of(url), [*STEPS, Migration(PRESENT + 1, "more", "SELECT 1")], deadline_s=30)
    with pytest.raises(StoreNewer, match=rf"has schema version {PRESENT + 1}.*up to {PRESENT}"):
        open_store(url)
    assert newer.read(lambda connection: connection.execute("SELECT count(*) FROM correction").fetchone()) == (1,)


def test_a_process_that_runs_on_after_another_upgraded_the_store_is_refused(url, store):
    open_database(engine_of(url), [*STEPS, Migration(PRESENT + 1, "more", "SELECT 1")], deadline_s=30)
    for work in (lambda: store.add(correction()), lambda: store.count(Correction)):
        with pytest.raises(StoreNewer):
            work()


def test_a_step_that_fails_leaves_the_old_version(url, store):
    store.add(correction())
    broken = Migration(PRESENT + 1, "broken", "CREATE TABLE half (x INTEGER); INSERT INTO half VALUES (1), ('no');")
    with pytest.raises(duckdb.ConversionException):
        open_database(engine_of(url), [*STEPS, broken], deadline_s=30)
    assert versions(url) == list(range(1, PRESENT + 1))
    assert open_store(url).count(Correction) == 1


def test_a_first_opening_that_fails_leaves_no_store(url):
    broken = Migration(PRESENT + 1, "broken", "CREATE TABLE half (x INTEGER); INSERT INTO half VALUES ('no');")
    with pytest.raises(duckdb.ConversionException):
        open_database(engine_of(url), [*STEPS, broken], deadline_s=30)
    assert not store_exists(url)
    assert open_store(url).add(correction()) == 1


def test_a_first_opening_that_fails_leaves_no_file(url, file):
    broken = Migration(PRESENT + 1, "broken", "SELECT 'no'::INTEGER")
    with pytest.raises(duckdb.ConversionException):
        open_database(engine_of(url), [*STEPS, broken], deadline_s=30)
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("known", [0, 4], ids=["while making", "while migrating"])
def test_a_process_that_is_killed_in_the_middle_leaves_the_old_version(url, process, known):
    if known:
        open_database(engine_of(url), STEPS[:known], deadline_s=30)
    child = process("migrate_slowly", url, known)
    assert child.stdout.readline() == "migrating\n"
    time.sleep(0.3)
    child.send_signal(signal.SIGKILL)
    child.wait()

    if known:
        assert versions(url) == list(range(1, known + 1))
    else:
        assert not store_exists(url)
    assert open_store(url).add(correction()) == 1


def test_processes_that_open_a_new_store_at_once_all_succeed(url, process, tmp_path):
    children = [process("open_once", url, tmp_path / "start") for _ in range(3)]
    (tmp_path / "start").touch()
    for child in children:
        _, error = child.communicate(timeout=120)
        assert child.returncode == 0, error
    assert open_store(url).count(Correction) == 3
    assert versions(url) == list(range(1, PRESENT + 1))


def test_a_database_of_something_else_is_left_alone(url, file):
    file.parent.mkdir()
    connection = duckdb.connect(str(file))
    connection.execute("CREATE TABLE recipes (name VARCHAR)")
    connection.close()
    before = content(file.parent)
    with pytest.raises(NightshiftError, match="a database of something else"):
        open_store(url)
    assert content(file.parent) == before
