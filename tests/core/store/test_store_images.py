import threading

import duckdb
import pytest
from lakes import new_lake
from store_records import correction, one_of_each, promotion

from core.schema import Claim, Correction, Example, LoginFailure, NightshiftError, Prediction, Promotion, Signal, new_id
from core.store import (
    KINDS,
    Store,
    StoreNewer,
    build_store,
    image_of,
    open_store,
    store_exists,
    verify_image,
    write_image,
)
from core.store.database import Database, engine_of, open_database
from core.store.image import _image
from core.store.migrate import load_migrations


@pytest.fixture
def filled(store):
    store.add(*one_of_each())
    store.swap_champion("screen", expected=None, new="a", promotion=promotion("a", None, action="install"))
    with store.lease("night", "somebody", 3600):
        pass
    for _ in range(3):
        store.add(correction(), correction())
    return store


@pytest.fixture(params=["file", "lake"])
def elsewhere(request, tmp_path) -> str:
    """The URL of another store, which is not made yet."""
    if request.param == "lake":
        return new_lake(request.getfixturevalue("postgres"), tmp_path / "elsewhere")
    return f"duckdb:///{tmp_path / 'elsewhere' / 'store.duckdb'}"


def test_a_store_built_from_an_image_is_the_same_whatever_the_engine(filled, elsewhere, tmp_path):
    image = write_image(filled.database, tmp_path / "image")
    verify_image(image, tmp_path / "image")
    build_store(elsewhere, image, tmp_path / "image")
    copy = open_store(elsewhere)
    assert image_of(copy.database) == image == image_of(filled.database)
    assert copy.tables() == filled.tables()
    assert copy.find(Correction) == filled.find(Correction)
    assert copy.champion("screen") == "a"
    assert copy.check() == filled.check()


def test_what_is_written_afterwards_goes_on_where_the_image_ends(filled, elsewhere, tmp_path):
    known = filled.find(Correction)[0]
    build_store(elsewhere, write_image(filled.database, tmp_path / "image"), tmp_path / "image")
    copy = open_store(elsewhere)
    assert copy.add(known) == 0
    assert copy.add(correction()) == 1
    assert copy.head("screen") == filled.head("screen") + 1
    with copy.lease("night", "somebody else", 3600) as lease:
        assert lease.token == 2
    assert copy.swap_champion("screen", expected="a", new="b", promotion=promotion("b", "a"))


def test_an_image_holds_all_that_was_acknowledged_before_it_and_a_beginning_of_the_rest(store, tmp_path):
    stop, acknowledged = threading.Event(), []

    def write():
        while not stop.is_set():
            record = correction()
            store.add(record)
            acknowledged.append(record.id)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    while len(acknowledged) < 20:
        stop.wait(0.01)
    before = list(acknowledged)
    image = write_image(store.database, tmp_path / "image")
    stop.set()
    for writer in writers:
        writer.join()
    verify_image(image, tmp_path / "image")
    url = f"duckdb:///{tmp_path / 'copy.duckdb'}"
    build_store(url, image, tmp_path / "image")
    copied = [record.id for record in open_store(url).find(Correction)]
    assert set(before) <= set(copied)
    assert copied == [record.id for record in store.find(Correction)][: len(copied)]


class Meanwhile(Database):
    """The database of a store in which something is done right after its moment was taken."""

    @classmethod
    def of(cls, store, work):
        found = cls(store.database.engine, store.database.version, store.database.deadline_s)
        object.__setattr__(found, "todo", [work])
        return found

    def read(self, work):
        found = super().read(work)
        while self.todo:
            self.todo.pop()()
        return found


@pytest.mark.parametrize("gone", [slice(0, 3), slice(2, 3), slice(0, 1)], ids=["all", "the last", "the first"])
def test_rows_deleted_after_the_moment_of_an_image_leave_it_whole(store, elsewhere, tmp_path, gone):
    failures = [LoginFailure(id=new_id(), name="n", address="a") for _ in range(3)]
    store.add(*failures)
    ids = [each.id for each in failures[gone]]
    database = Meanwhile.of(store, lambda: store.erase({LoginFailure: {"id": ids}}))
    image = write_image(database, tmp_path / "image")
    verify_image(image, tmp_path / "image")
    build_store(elsewhere, image, tmp_path / "image")
    copy = open_store(elsewhere)
    assert copy.find(LoginFailure) == [each for each in failures if each.id not in ids]
    assert image_of(copy.database) == image == image_of(store.database)
    store.add(failures[0])
    copy.add(failures[0])
    assert image_of(copy.database) == image_of(store.database), "no number is given out again"


def test_an_image_with_rows_that_its_manifest_lacks_is_not_taken_for_whole(filled, tmp_path):
    image = write_image(filled.database, tmp_path / "image")
    none = image.records["correction_event"].model_copy(update={"rows": 0})
    changed = image.model_copy(update={"records": {**image.records, "correction_event": none}})
    with pytest.raises(NightshiftError, match="correction_event"):
        verify_image(changed, tmp_path / "image")


def test_a_store_that_is_there_is_left_alone(filled, url, tmp_path):
    image = write_image(filled.database, tmp_path / "image")
    with pytest.raises(NightshiftError, match="there is a store at"):
        build_store(url, image, tmp_path / "image")
    assert image_of(filled.database) == image


def test_an_image_that_was_changed_leaves_no_store(filled, elsewhere, tmp_path):
    image = write_image(filled.database, tmp_path / "image")
    page = next((tmp_path / "image" / "correction_event").iterdir())
    duckdb.sql(f"COPY (SELECT * REPLACE ('Eve' AS reviewer) FROM '{page}') TO '{tmp_path / 'changed.parquet'}'")
    (tmp_path / "changed.parquet").replace(page)
    with pytest.raises(NightshiftError, match="correction_event"):
        verify_image(image, tmp_path / "image")
    with pytest.raises(NightshiftError, match="correction_event"):
        build_store(elsewhere, image, tmp_path / "image")
    assert not store_exists(elsewhere)


def test_an_image_of_an_older_version_is_brought_up_to_date(filled, elsewhere, tmp_path):
    steps = load_migrations()
    old = Store(open_database(engine_of(f"duckdb:///{tmp_path / 'old.duckdb'}"), steps[:-1], 30))
    before = [each for each in one_of_each() if type(each) not in CHANGED]
    old.add(*before)
    tables = [f"{kind.kind}_event" for kind in KINDS if f"{kind.kind}_event" not in NEWEST]
    (tmp_path / "image").mkdir()
    build_store(elsewhere, _image(old.database, tables, tmp_path / "image"), tmp_path / "image")
    copy = open_store(elsewhere)
    assert copy.find(Promotion) == [each for each in before if isinstance(each, Promotion)]
    assert set(copy.tables()) == set(filled.tables())


NEWEST = ("claim_event", "signal_event")
"Tables that the last migration made."
CHANGED = (Claim, Signal, Prediction, Correction, Example)
"Kinds whose tables it made or gave columns."


def test_an_image_of_a_newer_version_is_refused(filled, elsewhere, tmp_path):
    image = write_image(filled.database, tmp_path / "image")
    with pytest.raises(StoreNewer):
        build_store(elsewhere, image.model_copy(update={"schema_version": 1000}), tmp_path / "image")
    assert not store_exists(elsewhere)


def test_the_newest_tables_are_those_of_the_last_step(tmp_path):
    made = [
        open_database(engine_of(f"duckdb:///{tmp_path / f'{n}.duckdb'}"), load_migrations()[:n], 30) for n in (-1, None)
    ]
    before, after = (set(each.read(lambda on: on.execute("SHOW TABLES").fetchall())) for each in made)
    assert {name for (name,) in after - before if name.endswith("_event")} == set(NEWEST)
