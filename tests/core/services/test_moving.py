"""Backups, restoring them, and copying from one engine to the other, with real pictures and weights."""

import json
import shutil
import threading
from pathlib import Path

import pytest
from lakes import new_lake

from core.schema import Correction, Media, NightshiftError, new_id
from core.services import Classifier, Workspace, backup, copy_store, correct, restore
from core.settings import load_settings
from core.store import image_of, open_store, store_exists


def word(prediction: str = "none") -> Correction:
    return Correction(id=new_id(), environment="screen", example="e", prediction=prediction, answer="on_task")


@pytest.fixture(params=["file", "lake"])
def used(request: pytest.FixtureRequest, imported: Workspace, tmp_path: Path) -> Workspace:
    """An installation with screens, words and a champion, on each of the engines."""
    if request.param == "file":
        return imported
    url = new_lake(request.getfixturevalue("postgres"), tmp_path / "data")
    copy_store(imported.settings.store_url, url, home=imported.home)
    (imported.home / "nightshift.toml").write_text(f'store = "{url}"\n')
    return Workspace.open(imported.home)


@pytest.fixture
def elsewhere(used: Workspace, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A home that is empty but for settings that name a store of the same engine."""
    home = tmp_path / "elsewhere"
    home.mkdir()
    if "ducklake" in used.settings.store_url:
        url = new_lake(request.getfixturevalue("postgres"), tmp_path / "other-data")
        (home / "nightshift.toml").write_text(f'store = "{url}"\n')
    return home


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_backed_up_comes_back_and_serves(used, elsewhere, tmp_path):
    kept = backup(used.home, tmp_path / "backup")
    assert restore(elsewhere, tmp_path / "backup") == kept
    back = Workspace.open(elsewhere)
    assert image_of(back.store.database) == image_of(used.store.database) == kept.store
    assert back.store.champion("screen") == used.store.champion("screen")
    assert Classifier.of_champion(back, "screen").release_id == used.store.champion("screen")
    assert kept.pictures == len(content(elsewhere / "blobs")) > 0
    assert not kept.missing
    assert backup(elsewhere, tmp_path / "again").sha256 == kept.sha256


def test_a_backup_made_under_load_is_one_moment_that_lacks_nothing_acknowledged_before(used, elsewhere, tmp_path):
    acknowledged: list[str] = []
    stop = threading.Event()

    def write() -> None:
        store = open_store(used.settings.store_url)
        while not stop.is_set():
            record = word()
            store.add(record)
            acknowledged.append(record.id)

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    while len(acknowledged) < 30:
        stop.wait(0.01)
    before = list(acknowledged)
    backup(used.home, tmp_path / "backup")
    stop.set()
    for writer in writers:
        writer.join()
    restore(elsewhere, tmp_path / "backup")
    there = [record.id for record in Workspace.open(elsewhere).store.find(Correction)]
    written = [record.id for record in used.store.find(Correction)]
    assert set(before) <= set(there)
    assert there == written[: len(there)]
    assert len(there) < len(written)


def test_a_backup_is_never_written_over_anything(used, tmp_path):
    (tmp_path / "backup").mkdir()
    with pytest.raises(NightshiftError, match="there already"):
        backup(used.home, tmp_path / "backup")
    assert content(tmp_path / "backup") == {}


def test_an_installation_is_never_restored_over_another(used, tmp_path):
    backup(used.home, tmp_path / "backup")
    used.store.add(word())
    before = image_of(used.store.database)
    with pytest.raises(NightshiftError, match="there is a store at"):
        restore(used.home, tmp_path / "backup")
    assert image_of(used.store.database) == before


def damaged(folder: Path) -> dict[str, Path]:
    """One file of each part of a backup."""
    return {
        "manifest": folder / "manifest.json",
        "records": next((folder / "records" / "media_event").iterdir()),
        "picture": next((folder / "blobs").rglob("*.png")),
        "model": next((folder / "registry" / "checkpoints").rglob("*.safetensors")),
    }


@pytest.mark.parametrize("part", ["manifest", "records", "picture", "model"])
@pytest.mark.parametrize("how", ["changed", "removed"])
def test_a_damaged_backup_leaves_no_installation(used, elsewhere, tmp_path, part, how):
    backup(used.home, tmp_path / "backup")
    file = damaged(tmp_path / "backup")[part]
    if how == "removed":
        file.unlink()
    elif part == "manifest":
        told = json.loads(file.read_text())
        file.write_text(json.dumps(told | {"pictures": told["pictures"] + 1}))
    else:
        data = file.read_bytes()
        half = len(data) // 2
        file.write_bytes(data[:half] + bytes(byte ^ 0xFF for byte in data[half : half + 200]) + data[half + 200 :])
    with pytest.raises(NightshiftError):
        restore(elsewhere, tmp_path / "backup")
    assert not store_exists(load_settings(elsewhere).store_url)


def test_settings_come_back_where_the_home_has_none_and_go_again_where_restoring_fails(imported, tmp_path):
    (imported.home / "nightshift.toml").write_text("[learning]\nsteps = 7\n")
    backup(imported.home, tmp_path / "backup")
    picture = damaged(tmp_path / "backup")["picture"]
    picture.rename(tmp_path / "kept")
    with pytest.raises(NightshiftError, match="damaged"):
        restore(tmp_path / "home", tmp_path / "backup")
    assert not (tmp_path / "home" / "nightshift.toml").exists()
    (tmp_path / "kept").rename(picture)
    restore(tmp_path / "home", tmp_path / "backup")
    assert load_settings(tmp_path / "home").learning.steps == 7


def test_what_is_lost_already_is_named_and_the_rest_is_backed_up(imported, tmp_path):
    lost = imported.store.find(Media)[0].blob
    imported.blobs.delete(lost)
    weights = next(iter(imported.registry.champion("screen").checkpoints.values()))
    next(imported.registry.path(weights).glob("*.safetensors")).write_bytes(b"damaged")
    kept = backup(imported.home, tmp_path / "backup")
    assert kept.missing == (lost, weights)
    restore(tmp_path / "home", tmp_path / "backup")
    assert image_of(Workspace.open(tmp_path / "home").store.database) == image_of(imported.store.database)


def test_a_store_moves_to_the_other_engine_and_back_with_the_same_manifest(imported, postgres, tmp_path):
    here = imported.settings.store_url
    lake, back = new_lake(postgres, tmp_path / "data"), f"duckdb:///{tmp_path / 'back.duckdb'}"
    there = copy_store(here, lake, home=imported.home, to_home=tmp_path / "other")
    again = copy_store(lake, back, home=tmp_path / "other", to_home=tmp_path / "third")
    assert there.source.sha256 == there.target.sha256 == again.source.sha256 == again.target.sha256
    assert content(tmp_path / "other" / "blobs") == content(tmp_path / "third" / "blobs")
    moved = Workspace.open(tmp_path / "third", store=back)
    assert moved.store.champion("screen") == imported.store.champion("screen")
    assert Classifier.of_champion(moved, "screen").release_id == imported.store.champion("screen")


def test_a_store_is_copied_neither_from_nowhere_nor_over_another(imported, postgres, tmp_path):
    lake = new_lake(postgres, tmp_path / "data")
    nowhere = f"duckdb:///{tmp_path / 'nowhere.duckdb'}"
    with pytest.raises(NightshiftError, match="no store at"):
        copy_store(nowhere, lake, home=imported.home)
    assert not store_exists(nowhere)
    open_store(lake)
    with pytest.raises(NightshiftError, match="left as it is"):
        copy_store(imported.settings.store_url, lake, home=imported.home)
    assert open_store(lake).count(Media) == 0


def test_people_go_on_correcting_after_a_move(imported, postgres, tmp_path):
    lake = new_lake(postgres, tmp_path / "data")
    copy_store(imported.settings.store_url, lake, home=imported.home)
    (imported.home / "nightshift.toml").write_text(f'store = "{lake}"\n')
    shutil.move(imported.home / "nightshift.duckdb", tmp_path / "old.duckdb")
    moved = Workspace.open(imported.home)
    before = moved.store.head("screen")
    prediction = moved.store.find(Correction)[0].prediction
    if prediction:
        correct(moved, prediction, "cannot_tell")
        assert moved.store.head("screen") == before + 1
    moved.store.tend()
    assert moved.store.check() == imported_problems(tmp_path / "old.duckdb")


def imported_problems(file: Path) -> list[str]:
    return open_store(f"duckdb:///{file}").check()
