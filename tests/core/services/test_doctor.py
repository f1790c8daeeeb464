from pathlib import Path

import pytest
from served_homes import in_each_environment

from core.services import Workspace, doctor


def findings(home: Path) -> dict[str, tuple[bool, str, str]]:
    return {each.name: (each.ok, each.what, each.do) for each in doctor(home)}


def test_a_healthy_installation_has_nothing_wrong(imported: Workspace) -> None:
    found = findings(imported.home)
    looked_at = {"settings", "disk", "store", "pictures", "erasure", "privacy", "reading"}
    looked_at |= {"champion of screen", "judge of screen"}
    assert set(found) == looked_at
    assert all(ok for ok, _, _ in found.values()), found


def test_a_judge_that_cannot_be_asked_is_found_with_what_it_lacks(imported: Workspace) -> None:
    (imported.home / "nightshift.toml").write_text('judge = ["reading", "openai"]\n')
    ok, what, do = findings(imported.home)["judge of screen"]
    assert not ok
    assert "judging.model" in what and "unjudged" in do


def test_looking_changes_nothing(imported: Workspace) -> None:
    before = imported.store.tables()
    doctor(imported.home)
    assert imported.store.tables() == before


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    ok, _, do = findings(tmp_path / "nowhere")["home"]
    assert not ok
    assert "nightshift up" in do
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("written", ["[gate\n", "[gate]\nalpha = 7\n"])
def test_wrong_settings_are_found(home: Path, written: str) -> None:
    (home / "nightshift.toml").write_text(written)
    ok, _, do = findings(home)["settings"]
    assert not ok
    assert "nightshift.toml" in do


def test_a_damaged_store_is_found(imported: Workspace) -> None:
    (imported.home / "nightshift.duckdb").write_bytes(b"this is no database" * 1000)
    ok, what, do = findings(imported.home)["store"]
    assert not ok
    assert what
    assert "backup" in do


def test_a_missing_picture_is_found(imported: Workspace) -> None:
    next(path for path in (imported.home / "blobs").rglob("*.png")).unlink()
    ok, _, do = findings(imported.home)["pictures"]
    assert not ok
    assert "backup" in do


@in_each_environment
@pytest.mark.parametrize("how", ["removed", "changed"])
def test_a_damaged_champion_is_found(ws: Workspace, environment: str, how: str) -> None:
    champion = ws.registry.champion(environment)
    assert champion is not None
    for stage, checkpoint in champion.checkpoints.items():
        (weights,) = ws.registry.path(checkpoint).rglob("*.safetensors")
        weights.parent.chmod(0o755)
        weights.chmod(0o644)
        whole = weights.read_bytes()
        if how == "removed":
            weights.unlink()
        else:
            weights.write_bytes(whole[:-1] + b"\x01")
        ok, _, do = findings(ws.home)[f"champion of {environment}"]
        assert not ok, stage
        assert f"rollback --environment {environment}" in do
        weights.write_bytes(whole)


def test_a_home_that_is_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert not all(ok for ok, _, _ in findings(tmp_path / "file").values())
