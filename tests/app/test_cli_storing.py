"""`nightshift backup`, `restore` and `store`, as programs read them."""

from pathlib import Path

import pytest
from forked import nightshift
from lakes import new_lake

from core.services import Workspace


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.open(tmp_path_factory.mktemp("stored") / "home")


def say(work: Path, *arguments: object, ok: bool = True) -> dict:
    ended = nightshift(work, *map(str, arguments), "--json")
    assert (ended.status == 0) == ok, ended.err
    return ended.answer


def test_a_backup_is_restored_and_neither_is_done_twice(filled, tmp_path):
    kept = say(tmp_path, "backup", tmp_path / "backup", "--home", filled.home)
    assert kept["checkpoints"]
    again = say(tmp_path, "backup", tmp_path / "backup", "--home", filled.home, ok=False)
    assert "there already" in again["error"]
    back = say(tmp_path, "restore", tmp_path / "backup", "--home", tmp_path / "back")
    assert back["sha256"] == kept["sha256"]
    over = say(tmp_path, "restore", tmp_path / "backup", "--home", tmp_path / "back", ok=False)
    assert "left as it is" in over["error"]
    assert say(tmp_path, "models", "history", "--home", tmp_path / "back")["history"]


def test_a_store_is_copied_to_a_lake_that_serves_the_same_home(filled, postgres, tmp_path):
    lake = new_lake(postgres, tmp_path / "data")
    copied = say(tmp_path, "store", "copy", "--from", filled.settings.store_url, "--to", lake, "--home", filled.home)
    assert copied["source"]["sha256"] == copied["target"]["sha256"]
    (tmp_path / "nightshift.toml").write_text(f'store = "{lake}"\n')
    assert say(tmp_path, "store", "tend", "--home", tmp_path)["done"]["rows_flushed"] >= 0
    assert say(tmp_path, "models", "history", "--home", tmp_path)["history"]


def test_there_is_nothing_to_put_in_order_in_a_file(filled, tmp_path):
    assert say(tmp_path, "store", "tend", "--home", filled.home) == {"done": {}}
