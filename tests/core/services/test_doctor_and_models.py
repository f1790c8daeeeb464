from pathlib import Path

import pytest
import torch

from core.environments import environment
from core.schema import Decision, GateResult, NightshiftError, Outcome, Release, content_id
from core.services import Classifier, Workspace, champion_card, doctor, history, rollback


def findings(home: Path) -> dict[str, tuple[bool, str, str]]:
    return {each.name: (each.ok, each.what, each.do) for each in doctor(home)}


def promote_another(ws: Workspace, tmp_path: Path, weight: float) -> Release:
    """A champion whose bias is `weight`, promoted by a decision."""
    policy = environment("screen").untrained_policy(ws.settings)
    with torch.no_grad():
        policy.model.bias.fill_(weight)  # type: ignore[operator, union-attr]
    folder = tmp_path / f"weights-{weight}"
    policy.save(folder)
    checkpoint = ws.registry.put(folder, environment="screen", policy="reader", run="night")
    release = ws.registry.release("screen", {"policy": checkpoint.id})
    champion = ws.store.champion("screen")
    assert champion is not None
    decision = Decision(
        id=content_id("decision", release.id), environment="screen", run="night", champion=champion,
        challenger=release.id, gates=(GateResult(name="primary", value=1, bound=0, passed=True),),
        outcome=Outcome.PROMOTED, reason="it is better",
    )  # fmt: skip
    ws.store.add(decision)
    ws.registry.promote(release, expected=champion, decision=decision, lease=None, token=None)
    return release


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


@pytest.mark.parametrize("how", ["removed", "changed"])
def test_a_damaged_champion_is_found(imported: Workspace, how: str) -> None:
    (weights,) = (imported.home / "registry").rglob("model.safetensors")
    weights.parent.chmod(0o755)
    weights.chmod(0o644)
    if how == "removed":
        weights.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    ok, _, do = findings(imported.home)["champion of screen"]
    assert not ok
    assert "rollback" in do


def test_a_home_that_is_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert not all(ok for ok, _, _ in findings(tmp_path / "file").values())


def test_a_new_installation_serves_the_untrained_model(ws: Workspace) -> None:
    card = champion_card(ws, "screen")
    assert (card["release"], card["how"], card["previous"]) == (ws.store.champion("screen"), "install", None)
    assert (card["challenger"], card["last_decision"]) == (None, None)
    assert [each.action for each in history(ws, "screen")] == ["install"]


def test_opening_an_installation_again_installs_nothing(ws: Workspace) -> None:
    before = ws.store.tables()
    assert Workspace.open(ws.home).store.tables() == before


def test_the_card_of_a_promoted_champion_says_since_when_and_why(ws: Workspace, tmp_path: Path) -> None:
    first = ws.store.champion("screen")
    second = promote_another(ws, tmp_path, 1.0)
    card = champion_card(ws, "screen")
    assert (card["release"], card["how"], card["previous"]) == (second.id, "promote", first)
    assert (card["reason"], card["challenger"], card["releases"]) == ("it is better", second.id, 2)
    assert card["last_decision"].challenger == second.id
    assert [each.release for each in history(ws, "screen")] == [second.id, first]


def test_rolling_back_a_promotion_makes_the_champion_before_serve(ws: Workspace, tmp_path: Path) -> None:
    first = ws.store.champion("screen")
    promote_another(ws, tmp_path, 1.0)
    promotion = rollback(ws, "screen", reason="too strict", by="mara")
    assert (promotion.action, promotion.release, promotion.reason) == ("rollback", first, "too strict")
    assert Classifier.of_champion(ws, "screen").release_id == first
    assert [each.action for each in history(ws, "screen")] == ["rollback", "promote", "install"]


def test_rolling_back_may_name_an_earlier_champion(ws: Workspace, tmp_path: Path) -> None:
    first = ws.store.champion("screen")
    assert first is not None
    for weight in (1.0, 2.0):
        promote_another(ws, tmp_path, weight)
    assert rollback(ws, "screen", to=first[:10]).release == first


def test_without_an_earlier_champion_nothing_is_rolled_back(ws: Workspace) -> None:
    before = ws.store.tables()
    with pytest.raises(NightshiftError):
        rollback(ws, "screen")
    assert ws.store.tables() == before
