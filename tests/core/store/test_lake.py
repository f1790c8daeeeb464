"""What only a lake has: a catalog in Postgres, a turn to write, a memory beside the catalog, files to put in order."""

import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import psycopg
import pytest
from lakes import new_lake
from store_records import correction, one_of_each, promotion

from core.schema import Correction, NightshiftError, Promotion
from core.store import StoreBusy, open_store
from core.store.database import engine_of
from core.store.lake_address import parse_lake_url


@pytest.fixture
def url(postgres, tmp_path) -> str:
    return new_lake(postgres, tmp_path / "data")


@pytest.fixture
def catalog(url):
    """A session of somebody else in the catalog's Postgres."""
    with psycopg.connect(parse_lake_url(url).conninfo, autocommit=True) as connection:
        connection.execute("SET search_path = nightshift")
        yield connection


def end_all_others(catalog) -> None:
    catalog.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )


def test_small_writes_lie_in_postgres_and_tending_moves_them_into_files(store, tmp_path):
    records = [correction(str(n)) for n in range(30)]
    for record in records:
        store.add(record)
    store.swap_champion("screen", expected=None, new="a", promotion=promotion("a", None))
    assert not list((tmp_path / "data").rglob("*.parquet"))
    assert store.tend()["rows_flushed"] >= len(records)
    assert list((tmp_path / "data").rglob("*.parquet"))
    assert store.find(Correction) == records
    assert store.champion("screen") == "a"
    assert store.add(records[7], correction()) == 1
    assert store.head("screen") == len(records) + 1
    assert store.swap_champion("screen", expected="a", new="b", promotion=promotion("b", "a"))
    assert store.tend()["rows_flushed"] > 0
    assert [change.release for change in store.find(Promotion)] == ["a", "b"]
    assert store.champion("screen") == "b"
    assert not [problem for problem in store.check() if "sequence" in problem]


def test_tending_while_others_write_loses_nothing(url, store):
    written = []

    def write() -> None:
        mine = open_store(url)
        for _ in range(30):
            record = correction()
            mine.add(record)
            written.append(record.id)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        store.tend()
    for writer in writers:
        writer.join()
    store.tend()
    assert sorted(record.id for record in store.find(Correction)) == sorted(written)
    assert store.head("screen") == len(written)


def test_a_large_write_goes_into_files_at_once(store, tmp_path):
    assert store.add(*(correction(str(n)) for n in range(1_500))) == 1_500
    assert list((tmp_path / "data").rglob("*.parquet"))


def test_a_transaction_that_began_before_another_was_committed_is_run_again(url, store):
    other, tries = open_store(url), []

    def work(connection):
        tries.append(connection.execute("SELECT count(*) FROM correction").fetchone())
        if len(tries) == 1:
            # As if the turn had been lost: the other writes although this one has not committed.
            connection._turn.abandon()
            other.add(correction())
        connection.execute("INSERT INTO champion (environment, release) VALUES ('screen', 'mine')")

    store.database.write(work)
    assert tries == [(0,), (1,)]
    assert store.champion("screen") == "mine"


def test_records_whose_writer_died_right_after_its_commit_are_known_and_counted(store, catalog):
    first = correction()
    store.add(first)
    lost = correction()
    store.add(lost)
    # What the second write left beside the lake's commit is undone.
    catalog.execute("DELETE FROM known WHERE id = %s", [lost.id])
    catalog.execute("UPDATE last SET seq = 1 WHERE name = 'correction_event'")
    catalog.execute("UPDATE turn SET snapshot = snapshot - 1")
    assert store.find(Correction) == [first, lost]
    assert store.add(lost, correction()) == 1
    assert store.head("screen") == store.count(Correction) == 3


def test_what_somebody_wrote_out_of_turn_is_neither_forgotten_nor_written_twice(url, store, catalog):
    other, record = open_store(url), correction()

    def work(connection):
        if not other.count(Correction):
            # As if the turn had been lost while this transaction had not begun: the other writes and commits.
            catalog.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'turn'::regclass AND mode = %s",
                ["ExclusiveLock"],
            )
            other.add(record)
        connection.execute("INSERT INTO champion (environment, release) VALUES ('screen', 'mine')")

    store.database.write(work)
    assert store.champion("screen") == "mine"
    assert store.add(record) == 0
    assert store.add(correction()) == 1
    assert store.head("screen") == store.count(Correction) == 2


def test_connections_that_were_ended_are_opened_again(store, catalog):
    store.add(correction())
    end_all_others(catalog)
    assert store.count(Correction) == 1
    end_all_others(catalog)
    assert store.add(correction()) == 1
    assert store.head("screen") == 2


def test_a_turn_that_nobody_gives_back_leaves_the_store_busy_and_readable(url, store, catalog):
    store.add(correction())
    impatient = open_store(url, deadline_s=0.3)
    with catalog.transaction():
        catalog.execute("LOCK TABLE turn IN EXCLUSIVE MODE")
        with pytest.raises(StoreBusy):
            impatient.add(correction())
        assert impatient.count(Correction) == 1
    assert impatient.add(correction()) == 1


def test_a_database_is_shared_with_tables_of_others(url, catalog):
    catalog.execute("CREATE TABLE public.recipes (name TEXT)")
    catalog.execute("INSERT INTO public.recipes VALUES ('soup')")
    store = open_store(url)
    store.add(*one_of_each())
    assert catalog.execute("SELECT name FROM public.recipes").fetchall() == [("soup",)]


def test_a_lake_whose_files_are_elsewhere_is_refused(url, store):
    store.add(correction())
    with pytest.raises(NightshiftError, match="keeps its files elsewhere"):
        open_store(url.replace("%2Fdata", "%2Fother"))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("ducklake:x", "has its catalog in Postgres"),
        ("ducklake:sqlite:///x?data=/x", "has its catalog in Postgres"),
        ("ducklake:postgres://user@host/lake", "data="),
        ("ducklake:postgres://user@host/lake?data=relative", "data="),
        ("ducklake:postgres://user@host?data=/x", "no database"),
        ("ducklake:postgres://user@host/lake?data=/x&colour=red", "not one that Postgres knows"),
    ],
)
def test_a_url_that_means_no_lake_is_refused_with_one_that_does(wrong, why):
    with pytest.raises(NightshiftError, match=why) as refused:
        open_store(wrong)
    assert "ducklake:postgres://USER@HOST/DATABASE?data=FOLDER" in str(refused.value)


def test_no_message_holds_the_password(postgres, tmp_path):
    host = parse_qs(urlsplit(postgres).query)["host"][0]
    for database in ("nowhere", "postgres"):
        url = f"ducklake:postgres://nobody:sesame@/{database}?host={host}&data={tmp_path}"
        assert "sesame" not in repr(engine_of(url).address)
        with pytest.raises(NightshiftError) as refused:
            open_store(url)
        assert "sesame" not in str(refused.value)
        assert len(str(refused.value).splitlines()) == 1


def test_a_password_reaches_both_of_the_connections(postgres, tmp_path):
    folder = parse_qs(urlsplit(postgres).query)["host"][0]
    url = new_lake(postgres, tmp_path / "data")
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE ROLE guarded LOGIN SUPERUSER PASSWORD 'sesame''s'")
        entries = Path(folder, "pg_hba.conf")
        before = entries.read_text()
        entries.write_text("local all guarded scram-sha-256\n" + before)
        admin.execute("SELECT pg_reload_conf()")
        try:
            store = open_store(url.replace("postgres@", "guarded:sesame%27s@"))
            assert store.add(correction()) == 1
            with pytest.raises(NightshiftError, match="password authentication failed"):
                open_store(url.replace("postgres@", "guarded:wrong@"))
        finally:
            entries.write_text(before)
            admin.execute("SELECT pg_reload_conf()")


def everything_kept(folder: Path, catalog: psycopg.Connection) -> str:
    """All Parquet files below a folder, row by row, and all rows of the catalog, plain and as they are inlined."""
    duck = duckdb.connect()
    rows = [str(row) for path in sorted(folder.rglob("*.parquet")) for row in duck.read_parquet(str(path)).fetchall()]
    tables = catalog.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'nightshift'").fetchall()
    for (table,) in tables:
        rows += [str(row) for row in catalog.execute(f'SELECT t::text FROM "{table}" AS t').fetchall()]
    return "\n".join(rows)


def test_what_is_erased_lies_in_no_file_and_no_table_of_the_catalog_once_it_is_written_anew(store, catalog, tmp_path):
    name = "secret-name"
    in_a_file = [correction(name) for _ in range(1_100)]
    kept = [correction(f"kept {number}") for number in range(50)]
    store.add(*in_a_file, *kept[:25])
    store.add(correction(name), kept[25])
    store.tend()
    inlined = correction(name)
    store.add(inlined, *kept[26:])
    assert store.erase({Correction: {"example": [name]}}) == {"correction": 1_102}
    before = everything_kept(tmp_path / "data", catalog)
    assert name in before and inlined.id.encode().hex() in before
    assert store.remains([inlined.id], [name])

    assert store.compact()
    after = everything_kept(tmp_path / "data", catalog)
    gone = [name, inlined.id, *(word.id for word in in_a_file[:5])]
    assert not [each for each in gone if each in after or each.encode().hex() in after]
    assert not [
        path for path in (tmp_path / "data").rglob("*") if path.is_file() and name.encode() in path.read_bytes()
    ]
    assert store.remains([inlined.id], [name]) == []
    assert store.find(Correction) == kept
    assert store.add(correction("later")) == 1
    assert store.head("screen") == 1_153


def test_a_reader_whose_files_an_erasure_removes_reads_again(url, store, monkeypatch):
    # It would wait for the reader, which here waits for it.
    monkeypatch.setattr("core.store.ducklake.vacuum", lambda *_: None)
    store.add(*(correction("gone") for _ in range(1_100)), *(correction("stays") for _ in range(5)))
    other, tries = open_store(url), []

    def work(connection):
        tries.append(connection.execute("SELECT count(*) FROM champion").fetchone())
        if len(tries) == 1:
            other.erase({Correction: {"example": ["gone"]}})
            other.compact()
        return connection.execute("SELECT count(*) FROM correction").fetchone()[0]

    assert store.database.read(work) == 5
    assert len(tries) == 2


def test_a_file_that_was_lost_is_no_matter_of_trying_again(store, tmp_path):
    store.add(*(correction() for _ in range(1_100)))
    for path in (tmp_path / "data").rglob("*.parquet"):
        path.unlink()
    with pytest.raises(NightshiftError, match="cannot be read"):
        store.find(Correction)
