import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.media import BlobDamaged, Blobs, blob_key
from core.schema import NightshiftError, new_id

DATA = b"some bytes"
KEY = blob_key(DATA, "png")


@pytest.fixture(params=["path", "file", "memory"])
def blobs(request, tmp_path):
    url = {"path": f"{tmp_path}/blobs", "file": f"file://{tmp_path}/blobs", "memory": f"memory://{new_id()}"}
    return Blobs(url[request.param])


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "blobs"


def test_what_was_put_is_got(blobs):
    assert not blobs.exists(KEY)
    blobs.put(KEY, DATA)
    assert blobs.exists(KEY)
    assert blobs.get(KEY) == DATA
    assert blobs.size(KEY) == len(DATA)


def test_putting_twice_is_putting_once(blobs):
    blobs.put(KEY, DATA)
    blobs.put(KEY, DATA)
    assert blobs.get(KEY) == DATA


def test_what_was_deleted_is_gone(blobs):
    blobs.put(KEY, DATA)
    for _ in range(2):
        blobs.delete(KEY)
    assert not blobs.exists(KEY)
    for look in (blobs.get, blobs.size):
        with pytest.raises(NightshiftError, match=f"there is no blob {KEY}"):
            look(KEY)


def test_content_must_belong_under_its_key(blobs):
    with pytest.raises(ValueError, match="does not belong"):
        blobs.put(KEY, b"other bytes")
    assert not blobs.exists(KEY)


def test_a_damaged_blob_is_never_given_out_and_is_mended_by_putting_it_again(folder):
    blobs = Blobs(str(folder))
    blobs.put(KEY, DATA)
    (folder / KEY).write_bytes(DATA[:-1])
    with pytest.raises(BlobDamaged, match="does not match"):
        blobs.get(KEY)
    blobs.put(KEY, DATA)
    assert blobs.get(KEY) == DATA


def test_a_blob_is_its_only_file(folder):
    Blobs(str(folder)).put(KEY, DATA)
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()] == [KEY]


def test_threads_that_put_the_same_leave_one_whole_blob(folder):
    blobs = Blobs(str(folder))
    data = os.urandom(1_000_000)
    key = blob_key(data, "png")
    threads = [threading.Thread(target=blobs.put, args=(key, data)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert blobs.get(key) == data
    assert len(list((folder / key).parent.iterdir())) == 1


BAD_KEYS = ["", "../x", "/etc/passwd", KEY + "/../../x", KEY[3:], "ff" + KEY[2:], KEY.upper(), KEY + "\n", KEY[:-4]]


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_leads_nowhere_else(blobs, key):
    for use in (blobs.get, blobs.exists, blobs.delete, blobs.size, lambda key: blobs.put(key, DATA)):
        with pytest.raises(NightshiftError, match="not the key of a blob"):
            use(key)


@settings(deadline=None)
@given(key=st.text(alphabet="abf019./\\%~\0\n", max_size=75))
def test_no_text_that_is_not_a_hash_is_a_key(key):
    with pytest.raises(NightshiftError, match="not the key of a blob"):
        Blobs("memory://keys").get(key)


@settings(deadline=None, max_examples=30)
@given(data=st.binary())
def test_any_bytes_come_back(data):
    blobs = Blobs("memory://any")
    blobs.put(blob_key(data, "bin"), data)
    assert blobs.get(blob_key(data, "bin")) == data


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NightshiftError, match=f"cannot write to the blob store {tmp_path}/file"):
        Blobs(f"{tmp_path}/file").put(KEY, DATA)


def test_a_protocol_that_is_not_known_is_named():
    with pytest.raises(NightshiftError, match="blob store 'carrier-pigeon://x' cannot be used"):
        Blobs("carrier-pigeon://x")


def test_a_relative_path_is_taken_from_where_the_process_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blobs = Blobs("blobs")
    monkeypatch.chdir(Path("/"))
    blobs.put(KEY, DATA)
    assert (tmp_path / "blobs" / KEY).read_bytes() == DATA
