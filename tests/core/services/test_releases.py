import os
import time

import pytest
import torch
from releases import make_release, promote
from safetensors.torch import load_file, save_file

from core.environments import environment
from core.schema import Decision, NightshiftError, Outcome, new_id
from core.services import (
    Workspace,
    collect_garbage,
    compare_releases,
    promote_release,
    quarantine_release,
    reject_release,
    release_facts,
    releases,
    verify_releases,
)


def with_bias(ws: Workspace, bias: float, run: str = "night"):
    """A release that leans one way on every screen."""
    policy = environment("screen").untrained_policy(ws.settings)
    with torch.no_grad():
        policy.model.bias.fill_(bias)
    folder = ws.home / f"bias {bias}"
    policy.save(folder)
    parent = ws.registry.champion("screen").checkpoints["policy"]
    checkpoint = ws.registry.put(folder, environment="screen", policy=policy.name, parent=parent, run=run)
    return ws.registry.release("screen", {"policy": checkpoint.id})


def states(ws: Workspace) -> dict[str, str]:
    return {each["release"]: each["state"] for each in releases(ws, "screen")}


def test_the_list_says_how_each_release_stands(ws):
    first, made = ws.store.champion("screen"), [make_release(ws, 1.0 + n / 4) for n in range(1, 6)]
    promote(ws, made[0])
    decision = Decision(
        id=new_id(), environment="screen", run="night", champion=made[0].id, challenger=made[1].id, gates=(),
        outcome=Outcome.UNDECIDED, reason="too few",
    )  # fmt: skip
    ws.store.add(decision)
    reject_release(ws, "screen", made[2].id, reason="odd")
    quarantine_release(ws, "screen", made[3].id, reason="worse than odd")
    expected = ["former champion", "champion", "undecided", "rejected", "quarantined", "not compared"]
    assert states(ws) == dict(zip([first, *(each.id for each in made)], expected, strict=True))
    assert releases(ws, "screen")[0]["release"] == made[-1].id


def test_one_release_is_told_with_its_lineage_its_decision_and_what_was_said_of_it(ws):
    first = ws.registry.champion("screen")
    second = with_bias(ws, 1.0)
    promote(ws, second, "better on 40 examples")
    third = with_bias(ws, 2.0)
    facts = release_facts(ws, "screen", second.id[:12])
    assert facts["lineage"] == [second.checkpoints["policy"], first.checkpoints["policy"]]
    assert len(release_facts(ws, "screen", "challenger")["lineage"]) == 3
    assert [each["reason"] for each in facts["decisions"]] == ["better on 40 examples"]
    assert [each["action"] for each in facts["changes"]] == ["promote"]
    quarantine_release(ws, "screen", third.id, reason="odd")
    assert [each["mark"] for each in release_facts(ws, "screen", third.id)["marks"]] == ["quarantined"]


def test_deciding_by_hand_takes_a_reason(ws):
    other = make_release(ws, 2.0)
    for decide in (promote_release, reject_release, quarantine_release):
        with pytest.raises(NightshiftError, match="give a reason"):
            decide(ws, "screen", other.id, reason=" ")
    change = promote_release(ws, "screen", other.id, reason="measured by hand", by="mara")
    assert (ws.store.champion("screen"), change.by) == (other.id, "mara")


def test_a_release_with_numbers_that_are_not_finite_is_damaged_and_not_promoted(ws):
    broken = with_bias(ws, float("nan"))
    found = verify_releases(ws, "screen")
    assert not found["ok"]
    assert {each["release"]: each["state"] for each in found["releases"]}[broken.id] == "damaged"
    with pytest.raises(NightshiftError, match="not finite"):
        promote_release(ws, "screen", broken.id, reason="x")
    assert ws.store.champion("screen") != broken.id


def test_a_changed_file_is_found_and_named_releases_alone_are_looked_at(ws):
    other = make_release(ws, 2.0)
    weights = ws.registry.path(other.checkpoints["policy"]) / "model.safetensors"
    save_file({name: tensor + 1 for name, tensor in load_file(weights).items()}, weights)
    assert verify_releases(ws, "screen", ["champion"])["ok"]
    (found,) = verify_releases(ws, "screen", [other.id])["releases"]
    assert "is damaged" in found["problem"]


def test_collected_weights_are_told_apart_from_damaged_ones(ws):
    lost = make_release(ws, 2.0)
    long_ago = time.time() - 1e6
    os.utime(ws.registry.path(lost.checkpoints["policy"]), (long_ago, long_ago))
    assert [f.id for f in collect_garbage(ws, really=False) if not f.kept_for] == [lost.checkpoints["policy"]]
    assert states(ws)[lost.id] == "not compared"
    collect_garbage(ws, really=True)
    assert states(ws)[lost.id] == "removed"
    found = verify_releases(ws, "screen")
    assert found["ok"]
    assert {each["state"] for each in found["releases"]} == {"whole", "removed"}


def test_comparing_prints_every_example_whose_verdict_changed(imported, folder, pairs):
    one, other = with_bias(imported, 50.0), with_bias(imported, -50.0)
    found = compare_releases(imported, "screen", one.id, other.id, dataset=folder)
    assert found["n"] - found["golden"] == len(pairs)
    assert len(found["changed"]) == found["n"] == found["fixed"] + found["broken"]
    assert found["a"]["right"] + found["b"]["right"] == found["n"]
    assert found["fixed"] == found["b"]["right"]
    assert {each["shown"] for each in found["changed"] if each["source"] == "dataset"} == {p.file for p in pairs}
    same = compare_releases(imported, "screen", "champion", make_release(imported, 2.0).id, dataset=folder)
    assert same["changed"] == []


def test_comparing_needs_two_releases_and_labelled_examples(ws):
    with pytest.raises(NightshiftError, match="are the same release"):
        compare_releases(ws, "screen", "champion", "champion")
    with pytest.raises(NightshiftError, match="no golden example yet"):
        compare_releases(ws, "screen", "champion", make_release(ws, 2.0).id)
