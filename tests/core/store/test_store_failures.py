import resource
from pathlib import Path

import pytest
from store_records import correction

from core.schema import Correction, NightshiftError, Unavailable
from core.store import open_store

SMALL_FILES = {"file": 3_000_000, "lake": 300_000}


def one_line(error: pytest.ExceptionInfo[NightshiftError]) -> bool:
    return type(error.value) in (NightshiftError, Unavailable) and len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"x", b"hello world\n" * 1000], ids=["empty", "a byte", "text"])
def test_a_file_that_is_not_a_database_is_refused_and_left_alone(url, file, content):
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(NightshiftError, match=rf"{file} is not a Nightshift store") as error:
        open_store(url)
    assert one_line(error)
    assert file.read_bytes() == content


def test_a_database_that_was_cut_short_is_refused(url, store, file):
    store.add(*(correction() for _ in range(1000)))
    file.write_bytes(file.read_bytes()[:9000])
    with pytest.raises(NightshiftError) as error:
        open_store(url).find(Correction)
    assert one_line(error)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "store.duckdb"
    with pytest.raises(NightshiftError, match=f"cannot create the store {path}") as error:
        open_store(f"duckdb:///{path}")
    assert one_line(error)


def test_a_folder_that_cannot_be_written_is_named():
    path = Path("/proc/store.duckdb")
    if not path.parent.is_dir():
        pytest.skip("needs /proc")
    with pytest.raises(NightshiftError, match=str(path)) as error:
        open_store(f"duckdb:///{path}")
    assert one_line(error)


def test_a_folder_in_place_of_the_file_is_refused(url, file):
    file.mkdir(parents=True)
    with pytest.raises(NightshiftError) as error:
        open_store(url)
    assert one_line(error)


def test_a_store_that_is_deleted_while_in_use_is_missed(store, file):
    file.unlink()
    with pytest.raises(NightshiftError, match="is gone"):
        store.count(Correction)


@pytest.mark.parametrize("wrong", ["", "duckdb:///", "duckdb:///:memory:", "sqlite:///x", "/a/path"])
def test_a_url_that_is_not_known_is_refused_with_one_that_is(wrong):
    with pytest.raises(NightshiftError, match="duckdb:///PATH"):
        open_store(wrong)


@pytest.mark.parametrize("name", ["a b.duckdb", "it's.duckdb", "a;b.duckdb", "main.duckdb", "memory", "über.db"])
def test_a_path_may_hold_any_character(tmp_path, name):
    store = open_store(f"duckdb:///{tmp_path / name}")
    assert store.add(correction()) == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_full_disk_is_one_clear_line_and_loses_nothing_that_was_acknowledged(store, engine):
    # A limit on the size of files fails writes at the same places as a full disk does. On a lake this process writes
    # large writes alone to files.
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    kept = []
    resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_FILES[engine], hard))
    try:
        with pytest.raises(NightshiftError, match="cannot be read or written") as error:
            for _ in range(100):
                batch = [correction(reason="x" * 300) for _ in range(len(kept) // 2 + 300)]
                store.add(*batch)
                kept += batch
        assert one_line(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert kept
    assert store.find(Correction)[: len(kept)] == kept
    assert store.add(correction()) == 1
