import os
import time

import pytest
from served_homes import in_each_environment

from core.registry import collect, survey
from core.schema import NightshiftError, Outcome
from core.store import Quarantined

DAY_S = 24 * 3600


def quarantine(registry, release):
    return registry.mark(release, "quarantined", reason="blind on music", by="mara")


def age(registry, *releases, days=2.0):
    """Makes the folders of these releases look as old as that."""
    then = time.time() - days * DAY_S
    for release in releases:
        for checkpoint in release.checkpoints.values():
            os.utime(registry.path(checkpoint), (then, then))


def checkpoints(*releases):
    """Of their students; a stage before them is everybody's."""
    return {release.checkpoints["policy"] for release in releases}


@in_each_environment
def test_quarantining_the_champion_makes_the_one_before_it_champion_at_once(registry, promoted, environment):
    first, second = promoted(0), promoted(1)
    mark = quarantine(registry, second)
    assert (mark.mark, mark.by, mark.reason) == ("quarantined", "mara", "blind on music")
    assert registry.champion(environment) == first
    last = registry.history(environment)[-1]
    assert (last.action, last.release, last.previous, last.reason) == (
        "rollback", first.id, second.id, "quarantined: blind on music",
    )  # fmt: skip


@in_each_environment
def test_a_quarantined_release_is_neither_promoted_nor_gone_back_to(registry, promoted, decision, environment):
    first, second, third = promoted(0), promoted(1), promoted(2)
    quarantine(registry, second)
    with pytest.raises(Quarantined):
        registry.promote_by_hand(second, expected=third.id, reason="I like it", by="mara")
    with pytest.raises(Quarantined):
        registry.promote(second, expected=third.id, decision=decision(third, second, run="new"), lease=None, token=None)
    with pytest.raises(Quarantined):
        registry.rollback(environment, reason="worse", by="mara", to=second.id)
    assert registry.champion(environment) == third
    assert registry.rollback(environment, reason="worse", by="mara").release == first.id


def test_the_only_champion_is_not_quarantined_and_neither_are_all(registry, promoted):
    first = promoted(0)
    with pytest.raises(NightshiftError, match="nothing to go back to"):
        quarantine(registry, first)
    second = promoted(1)
    quarantine(registry, second)
    with pytest.raises(NightshiftError, match="nothing to go back to"):
        quarantine(registry, first)
    assert registry.champion("screen") == first


def test_quarantining_twice_changes_nothing(registry, promoted):
    promoted(0)
    second = promoted(1)
    once = quarantine(registry, second)
    assert quarantine(registry, second) == once
    assert len(registry.history("screen")) == 3
    assert registry.quarantined("screen") == {second.id}


def test_a_rejected_challenger_is_promoted_by_a_person_alone(registry, promoted, released, decision):
    first, second = promoted(0), released(1)
    registry.mark(second, "rejected", reason="not yet", by="mara")
    with pytest.raises(NightshiftError, match="rejected by a person"):
        registry.promote(second, expected=first.id, decision=decision(first, second), lease=None, token=None)
    promotion = registry.promote_by_hand(second, expected=first.id, reason="now", by="mara")
    assert (promotion.action, promotion.decision, promotion.by) == ("promote", None, "mara")
    with pytest.raises(NightshiftError, match="is champion; roll back or quarantine"):
        registry.mark(second, "rejected", reason="no", by="mara")


def test_promoting_by_hand_over_a_champion_that_changed_meanwhile_does_nothing(registry, promoted, released):
    first, second = promoted(0), released(1)
    third = promoted(2)
    with pytest.raises(NightshiftError, match="was not made champion"):
        registry.promote_by_hand(second, expected=first.id, reason="better", by="mara")
    assert registry.champion("screen") == third


def test_a_release_is_named_by_its_part_or_how_its_id_begins(registry, promoted, released):
    first, second = promoted(0), released(1)
    assert registry.named("screen", "champion") == first
    assert registry.named("screen", "challenger") == second
    assert registry.named("screen", second.id[:20]) == second
    for name in ("", "nothing"):
        with pytest.raises(NightshiftError, match="begins with"):
            registry.named("screen", name)


@in_each_environment
def test_garbage_is_what_is_old_and_nobody_needs(registry, promoted, released):
    champions = [promoted(number) for number in range(3)]
    lost, young = released(10), released(11)
    age(registry, *champions, lost)
    found = {folder.id: folder.kept_for for folder in survey(registry, retention_days=30)}
    assert found[lost.checkpoints["policy"]] == ""
    assert found[young.checkpoints["policy"]] == "came less than a day ago"
    assert found[champions[-1].checkpoints["policy"]] == "is the champion"
    assert found[champions[0].checkpoints["policy"]].startswith("was champion until")
    assert {folder.id for folder in collect(registry, retention_days=30)} == checkpoints(lost)
    assert "removed" in registry.marks(lost)
    with pytest.raises(NightshiftError, match="there is no checkpoint"):
        registry.path(lost.checkpoints["policy"])
    assert [registry.path(each) for each in checkpoints(*champions, young)]


@in_each_environment
def test_a_former_champion_goes_once_its_retention_is_over_and_the_champion_never(registry, promoted, environment):
    first, second = promoted(0), promoted(1)
    age(registry, first, second, days=400)
    assert {folder.id for folder in collect(registry, retention_days=0)} == checkpoints(first)
    assert registry.path(second.checkpoints["policy"])
    with pytest.raises(NightshiftError, match="cannot serve as policy"):
        registry.rollback(environment, reason="worse", by="mara")
    assert registry.champion(environment) == second


def test_an_undecided_challenger_and_what_a_night_is_at_work_on_stay(registry, promoted, released, decision, store):
    first, frozen, begun, trained = promoted(0), released(1), released(2), released(3, run="tonight")
    store.add(decision(first, frozen, Outcome.UNDECIDED))
    age(registry, first, frozen, begun, trained)
    at_work = {"tonight": "a night is at work on it", begun.id: "a night began from it"}
    assert collect(registry, retention_days=0, at_work=at_work) == []
    registry.mark(frozen, "rejected", reason="no", by="mara")
    assert {folder.id for folder in collect(registry, retention_days=0, at_work=at_work)} == checkpoints(frozen)


def test_a_folder_that_is_kept_again_is_as_young_as_a_new_one(registry, promoted, released, tmp_path):
    promoted(0)
    old = released(1)
    age(registry, old)
    folder = tmp_path / "saved 1"
    registry.put(folder, environment="screen", policy="reader", parent=None, run="other")
    assert collect(registry, retention_days=0) == []


def test_while_somebody_relies_on_the_folders_none_is_taken_away(registry, promoted, released, monkeypatch):
    monkeypatch.setattr("core.registry.shelf.LOCK_S", 0.05)
    promoted(0)
    lost = released(1)
    age(registry, lost)
    with registry.shelf.still(), pytest.raises(NightshiftError, match="was at work"):
        collect(registry, retention_days=0)
    assert registry.path(lost.checkpoints["policy"])
