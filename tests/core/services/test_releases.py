import os
import time

import pytest
from releases import make_release, not_finite, promote
from safetensors.torch import load_file, save_file
from served_homes import at_length_in_each_environment, in_each_environment

from core.access import audit_log, open_house
from core.schema import Decision, NightshiftError, Outcome, Release, new_id
from core.services import (
    Workspace,
    collect_garbage,
    compare_releases,
    promote_release,
    quarantine_release,
    reject_release,
    release_facts,
    releases,
    rollback,
    verify_releases,
)


def leaning(ws: Workspace, bias: float) -> Release:
    """A release that leans one way on every screen."""
    return make_release(ws, 1.0, change=lambda policy: policy.model.bias.data.fill_(bias))


def states(ws: Workspace, environment: str) -> dict[str, str]:
    return {each["release"]: each["state"] for each in releases(ws, environment)}


@at_length_in_each_environment
def test_the_list_says_how_each_release_stands(ws, environment):
    first, made = ws.store.champion(environment), [make_release(ws, 1.0 + n / 4, environment) for n in range(1, 6)]
    promote(ws, made[0])
    decision = Decision(
        id=new_id(), environment=environment, run="night", champion=made[0].id, challenger=made[1].id, gates=(),
        outcome=Outcome.UNDECIDED, reason="too few",
    )  # fmt: skip
    ws.store.add(decision)
    reject_release(ws, environment, made[2].id, reason="odd")
    quarantine_release(ws, environment, made[3].id, reason="worse than odd")
    expected = ["former champion", "champion", "undecided", "rejected", "quarantined", "not compared"]
    assert states(ws, environment) == dict(zip([first, *(each.id for each in made)], expected, strict=True))
    assert releases(ws, environment)[0]["release"] == made[-1].id


def test_what_changes_who_serves_and_its_line_in_the_audit_log_are_one(ws):
    first, (second, third) = ws.registry.champion("screen"), [make_release(ws, 1.0 + n) for n in range(2)]
    promote_release(ws, "screen", second.id, reason="better")
    with pytest.raises(NightshiftError, match="as expected"):
        promote_release(ws, "screen", third.id, reason="late", expected=first.id)
    rollback(ws, "screen", reason="worse after all")
    for _ in range(2):
        quarantine_release(ws, "screen", third.id, reason="odd")
    told = [(line.action, line.detail) for line in audit_log(open_house(ws.home)) if line.action.startswith("release.")]
    assert sorted(told) == [
        ("release.promoted", "better"),
        ("release.quarantined", "odd"),
        ("release.rolled_back", "worse after all"),
    ]


@at_length_in_each_environment
def test_one_release_is_told_with_its_lineage_its_decision_and_what_was_said_of_it(ws, environment):
    first = ws.registry.champion(environment)
    second = make_release(ws, 2.0, environment, parent=first.checkpoints["policy"])
    promote(ws, second, "better on 40 examples")
    third = make_release(ws, 3.0, environment, parent=second.checkpoints["policy"])
    facts = release_facts(ws, environment, second.id[:12])
    assert facts["lineage"] == [second.checkpoints["policy"], first.checkpoints["policy"]]
    assert {each["role"] for each in facts["checkpoints"]} == set(first.checkpoints)
    assert len(release_facts(ws, environment, "challenger")["lineage"]) == 3
    assert [each["reason"] for each in facts["decisions"]] == ["better on 40 examples"]
    assert [each["action"] for each in facts["changes"]] == ["promote"]
    quarantine_release(ws, environment, third.id, reason="odd")
    assert [each["mark"] for each in release_facts(ws, environment, third.id)["marks"]] == ["quarantined"]


@at_length_in_each_environment
def test_deciding_by_hand_takes_a_reason(ws, environment):
    other = make_release(ws, 2.0, environment)
    for decide in (promote_release, reject_release, quarantine_release):
        with pytest.raises(NightshiftError, match="give a reason"):
            decide(ws, environment, other.id, reason=" ")
    change = promote_release(ws, environment, other.id, reason="measured by hand", by="mara")
    assert (ws.store.champion(environment), change.by) == (other.id, "mara")


@in_each_environment
def test_a_release_with_numbers_that_are_not_finite_is_damaged_and_not_promoted(ws, environment):
    broken = make_release(ws, 2.0, environment, change=not_finite)
    found = verify_releases(ws, environment)
    assert not found["ok"]
    assert {each["release"]: each["state"] for each in found["releases"]}[broken.id] == "damaged"
    with pytest.raises(NightshiftError, match="not finite"):
        promote_release(ws, environment, broken.id, reason="x")
    assert ws.store.champion(environment) != broken.id


@pytest.mark.parametrize("environment", ["group_qc"], indirect=True)
def test_a_stage_before_the_student_is_held_to_the_same(ws, environment):
    (stage,) = ws.environment(environment).earlier_stages(ws.settings)
    policy = ws.environment(environment).untrained_stages(ws.of(environment).settings)[stage.name]
    not_finite(policy)
    folder = ws.home / "broken"
    folder.mkdir()
    policy.save(folder)
    put = ws.registry.put(folder, environment=environment, policy=policy.name, run="night")
    champion = ws.registry.champion(environment)
    broken = ws.registry.release(environment, {**champion.checkpoints, stage.name: put.id})
    (found,) = verify_releases(ws, environment, [broken.id])["releases"]
    assert "not finite" in found["problem"]


@at_length_in_each_environment
def test_a_changed_file_is_found_and_named_releases_alone_are_looked_at(ws, environment):
    other = make_release(ws, 2.0, environment)
    (weights,) = ws.registry.path(other.checkpoints["policy"]).rglob("*.safetensors")
    save_file({name: tensor + 1 for name, tensor in load_file(weights).items()}, weights)
    assert verify_releases(ws, environment, ["champion"])["ok"]
    (found,) = verify_releases(ws, environment, [other.id])["releases"]
    assert "is damaged" in found["problem"]


@at_length_in_each_environment
def test_collected_weights_are_told_apart_from_damaged_ones(ws, environment):
    lost = make_release(ws, 2.0, environment)
    long_ago = time.time() - 1e6
    os.utime(ws.registry.path(lost.checkpoints["policy"]), (long_ago, long_ago))
    assert [f.id for f in collect_garbage(ws, really=False) if not f.kept_for] == [lost.checkpoints["policy"]]
    assert states(ws, environment)[lost.id] == "not compared"
    collect_garbage(ws, really=True)
    assert states(ws, environment)[lost.id] == "removed"
    found = verify_releases(ws, environment)
    assert found["ok"]
    assert {each["state"] for each in found["releases"]} == {"whole", "removed"}


def test_comparing_prints_every_example_whose_verdict_changed(imported, folder, pairs):
    one, other = leaning(imported, 50.0), leaning(imported, -50.0)
    found = compare_releases(imported, "screen", one.id, other.id, dataset=folder)
    assert found["n"] - found["golden"] == len(pairs)
    assert len(found["changed"]) == found["n"] == found["fixed"] + found["broken"]
    assert found["a"]["right"] + found["b"]["right"] == found["n"]
    assert found["fixed"] == found["b"]["right"]
    assert {each["shown"] for each in found["changed"] if each["source"] == "dataset"} == {p.file for p in pairs}
    same = compare_releases(imported, "screen", "champion", make_release(imported, 2.0).id, dataset=folder)
    assert same["changed"] == []


@at_length_in_each_environment
def test_comparing_needs_two_releases_and_labelled_examples(ws, environment):
    with pytest.raises(NightshiftError, match="are the same release"):
        compare_releases(ws, environment, "champion", "champion")
    with pytest.raises(NightshiftError, match="no golden example yet"):
        compare_releases(ws, environment, "champion", make_release(ws, 2.0, environment).id)
