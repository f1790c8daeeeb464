import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.registry import Shelf
from core.schema import Checkpoint, NightshiftError


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "registry")


def test_a_folder_comes_back_as_it_was_put(shelf, saved):
    original = saved(1)
    folder = shelf.path(shelf.add(original))
    for file in ("model.safetensors", "config.json", "tokenizer/vocab.txt"):
        assert (folder / file).read_bytes() == (original / file).read_bytes()


def test_the_same_content_has_the_same_id_and_is_kept_once(shelf, saved, tmp_path):
    first = shelf.add(saved(1))
    shutil.copytree(tmp_path / "saved 1", tmp_path / "elsewhere")
    assert shelf.add(tmp_path / "elsewhere") == first
    assert [folder.name for folder in shelf.folders.iterdir()] == [first]


def test_other_weights_another_name_or_another_file_make_another_id(shelf, saved, tmp_path):
    ids = {shelf.add(saved(1)), shelf.add(saved(2))}
    (tmp_path / "saved 2" / "config.json").rename(tmp_path / "saved 2" / "settings.json")
    ids.add(shelf.add(tmp_path / "saved 2"))
    (tmp_path / "saved 2" / "README.md").write_text("more")
    ids.add(shelf.add(tmp_path / "saved 2"))
    assert len(ids) == 4


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3})?\.(json|txt|md)", fullmatch=True),
        st.binary(max_size=50),
        min_size=1,
        max_size=5,
    )
)
def test_the_id_follows_from_names_and_contents_alone(tmp_path, files):
    shelf = Shelf(tmp_path / "registry")
    ids = set()
    for name, order in (("a", sorted(files)), ("b", sorted(files, reverse=True))):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
        for file in order:
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_bytes(files[file])
        ids.add(shelf.add(tmp_path / name))
    assert len(ids) == 1


@pytest.mark.parametrize("name", ["weights.bin", "model.pkl", "model.pt", "code.py", "no_suffix", "MODEL.SAFETENSORS"])
def test_a_file_that_could_run_or_is_unknown_is_refused(shelf, saved, name):
    folder = saved(1)
    (folder / name).write_bytes(b"x")
    with pytest.raises(NightshiftError, match="has no place in a checkpoint"):
        shelf.add(folder)
    assert not shelf.folders.exists()


def test_a_pickle_under_a_safe_name_is_refused(shelf, saved):
    folder = saved(1)
    (folder / "model.safetensors").write_bytes(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.")
    with pytest.raises(NightshiftError, match="not a safetensors file"):
        shelf.add(folder)
    assert list(shelf.folders.iterdir()) == list(shelf.incoming.iterdir()) == []


def test_links_are_refused(shelf, saved, tmp_path):
    folder = saved(1)
    (folder / "more.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(NightshiftError, match="is a link"):
        shelf.add(folder)
    (tmp_path / "linked").symlink_to(saved(2))
    with pytest.raises(NightshiftError, match="is not a folder"):
        shelf.add(tmp_path / "linked")


def test_an_empty_folder_and_a_missing_one_are_refused(shelf, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "missing"):
        with pytest.raises(NightshiftError):
            shelf.add(tmp_path / folder)


@pytest.mark.parametrize("id", ["0" * 64, "..", "../../etc", ""])
def test_an_unknown_id_is_refused(shelf, saved, id):
    shelf.add(saved(1))
    with pytest.raises(NightshiftError, match="there is no checkpoint"):
        shelf.path(id)


def damage_a_byte(folder):
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


DAMAGES = {
    "a byte": damage_a_byte,
    "a missing file": lambda folder: (folder / "config.json").unlink(),
    "one file more": lambda folder: (folder / "more.json").write_text("{}"),
    "a truncated file": lambda folder: os.truncate(folder / "model.safetensors", 100),
    "a link": lambda folder: (folder / "more.txt").symlink_to("config.json"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_folder_is_refused_also_after_it_was_found_whole(shelf, saved, damage):
    id = shelf.add(saved(1))
    damage(shelf.path(id))
    for reader in (shelf, Shelf(shelf.root)):
        with pytest.raises(NightshiftError, match="is damaged"):
            reader.path(id)


def test_putting_the_same_content_again_mends_a_damaged_folder(shelf, saved, tmp_path):
    id = shelf.add(saved(1))
    damage_a_byte(shelf.path(id))
    assert shelf.add(tmp_path / "saved 1") == id
    assert shelf.path(id).is_dir()
    assert list(shelf.incoming.iterdir()) == []


def killed_at_write(number: int, shelf: Shelf, folder: Path) -> bool:
    """Adds the folder in a process that is killed at the n-th thing it does to the shelf; False if it gets through."""
    child = os.fork()
    if child == 0:
        done = 0

        def count(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal done
            if event in WRITES and str(shelf.root) in str(arguments[0]):
                done += 1
                if done == number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        shelf.add(folder)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


WRITES = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree"}


def kills(shelf: Shelf, folder: Path) -> Iterator[int]:
    number = 1
    while killed_at_write(number, shelf, folder):
        yield number
        number += 1


def test_killed_at_any_write_a_put_leaves_all_or_nothing_and_the_next_one_clears_up(tmp_path, saved):
    folder, whole = saved(1), Shelf(tmp_path / "undisturbed")
    id = whole.add(folder)
    tried = 0
    for number in kills(Shelf(tmp_path / "registry"), folder):
        shelf, tried = Shelf(tmp_path / "registry"), number
        assert [f.name for f in shelf.folders.glob("*")] in ([], [id])
        if (shelf.folders / id).exists():
            shelf.path(id)
        assert shelf.add(folder) == id
        assert shelf.path(id).is_dir()
        assert list(shelf.incoming.iterdir()) == []
        shutil.rmtree(shelf.root)
    assert tried >= 12


def test_a_sweep_takes_what_a_killed_put_left_and_not_what_is_being_written(shelf, saved):
    folder = saved(1)
    number = next(n for n in kills(shelf, folder) if list(shelf.incoming.glob("*/content/*.json")))
    assert number
    with shelf._aside() as living:
        (living / "content").mkdir()
        assert Shelf(shelf.root).sweep() == 1
        assert [path for path in shelf.incoming.iterdir() if path.is_dir()] == [living]
    assert list(shelf.incoming.iterdir()) == []


def test_a_put_killed_before_it_was_recorded_is_recorded_by_the_next(registry, saved, tmp_path, store):
    id = registry.shelf.add(saved(1))
    assert store.get(Checkpoint, id) is None
    again = registry.put(tmp_path / "saved 1", environment="screen", policy="reader", parent=None, run="run")
    assert store.get(Checkpoint, id) == again


def test_no_room_is_one_clear_line(shelf, saved):
    shelf.root.write_text("a file where the folder should be")
    with pytest.raises(NightshiftError, match="cannot keep"):
        shelf.add(saved(1))
