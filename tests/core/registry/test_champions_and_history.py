import shutil
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from served_homes import in_each_environment

from core.registry import former_champions
from core.schema import Decision, NightshiftError, Outcome, Promotion, Release
from core.store import LeaseLost


def promote(registry, decision, champion, release, **lease):
    given_lease = {"lease": None, "token": None} | lease
    return registry.promote(release, expected=champion.id, decision=decision(champion, release), **given_lease)


def roll_back(registry, environment="screen", **where):
    return registry.rollback(environment, reason="worse in use", by="operator", **where)


def champion_id(registry, environment="screen"):
    return registry.champion(environment).id


def test_a_new_registry_has_neither_champion_nor_challenger_nor_history(registry):
    assert registry.champion("screen") is None
    assert registry.challenger("screen") is None
    assert registry.history("screen") == []


def test_the_first_champion_is_installed_and_installing_it_again_changes_nothing(registry, released):
    release = released(0, run=None)
    first = registry.install(release, "the untrained model")
    assert registry.install(release, "the untrained model") == first
    assert registry.champion("screen") == release
    assert registry.history("screen") == [first]


def test_installing_over_another_champion_is_refused(registry, released):
    registry.install(released(0), "first")
    with pytest.raises(NightshiftError, match="was not made champion"):
        registry.install(released(1), "second")


def test_the_challenger_is_the_release_a_run_registered_last(registry, released):
    released(0, run=None)
    assert registry.challenger("screen") is None
    for number in (1, 2):
        newest = released(number)
    released(3, run=None)
    assert registry.challenger("screen") == newest


def test_a_release_of_checkpoints_that_are_not_here_is_refused(registry):
    with pytest.raises(NightshiftError, match="cannot serve as policy: there is no checkpoint"):
        registry.release("screen", {"policy": "0" * 64})


def test_a_promotion_changes_champion_and_history_and_keeps_the_decision(registry, released, decision, store):
    first, second = released(0), released(1)
    registry.install(first, "first")
    promotion = promote(registry, decision, first, second)
    assert registry.champion("screen") == second
    assert [(p.action, p.previous, p.release) for p in registry.history("screen")] == [
        ("install", None, first.id),
        ("promote", first.id, second.id),
    ]
    assert store.get(Decision, promotion.decision) is not None


def test_promoting_twice_with_the_same_decision_changes_nothing(registry, released, decision):
    first, second = released(0), released(1)
    registry.install(first, "first")
    once = promote(registry, decision, first, second)
    assert promote(registry, decision, first, second) == once
    assert len(registry.history("screen")) == 2


@in_each_environment
def test_a_promotion_that_runs_again_after_a_rollback_does_not_undo_the_rollback(
    registry, released, decision, environment
):
    first, second = released(0), released(1)
    registry.install(first, "first")
    promote(registry, decision, first, second)
    roll_back(registry, environment)
    promote(registry, decision, first, second)
    assert registry.champion(environment) == first


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNDECIDED])
def test_a_decision_that_does_not_promote_promotes_nothing(registry, released, decision, outcome):
    first, second = released(0), released(1)
    registry.install(first, "first")
    with pytest.raises(NightshiftError, match=f"not promoted by its decision but {outcome}"):
        registry.promote(second, expected=first.id, decision=decision(first, second, outcome), lease=None, token=None)
    assert registry.champion("screen") == first


def test_a_decision_about_another_release_or_champion_promotes_nothing(registry, released, decision):
    first, second, third = released(0), released(1), released(2)
    registry.install(first, "first")
    with pytest.raises(NightshiftError, match="the decision is about"):
        registry.promote(third, expected=first.id, decision=decision(first, second), lease=None, token=None)
    with pytest.raises(NightshiftError, match="the decision compared with champion"):
        registry.promote(second, expected=third.id, decision=decision(first, second), lease=None, token=None)
    assert registry.champion("screen") == first


def test_a_champion_that_moved_since_the_decision_stays(registry, released, decision, promoted):
    first, second = promoted(0), released(1)
    third = promoted(2)
    with pytest.raises(NightshiftError, match="as expected"):
        promote(registry, decision, first, second)
    assert registry.champion("screen") == third


def test_a_release_whose_files_are_damaged_is_not_promoted(registry, released, decision):
    first, second = released(0), released(1)
    registry.install(first, "first")
    (registry.path(second.checkpoints["policy"]) / "config.json").write_text("{}")
    with pytest.raises(NightshiftError, match="is damaged"):
        promote(registry, decision, first, second)
    assert registry.champion("screen") == first


def test_a_night_that_lost_its_lease_promotes_nothing(registry, released, decision, store):
    first, second = released(0), released(1)
    registry.install(first, "first")
    stale = store.lease("night/screen", "first night", ttl_s=600)
    stale.release()
    store.lease("night/screen", "second night", ttl_s=600)
    with pytest.raises(LeaseLost):
        promote(registry, decision, first, second, lease="night/screen", token=stale.token)
    assert registry.champion("screen") == first
    assert len(registry.history("screen")) == 1


def test_the_holder_of_the_lease_promotes_and_its_token_is_recorded(registry, released, decision, store):
    first, second = released(0), released(1)
    registry.install(first, "first")
    with store.lease("night/screen", "night", ttl_s=600) as lease:
        promotion = promote(registry, decision, first, second, lease="night/screen", token=lease.token)
    assert promotion.token == lease.token
    assert registry.champion("screen") == second


@in_each_environment
def test_each_rollback_goes_one_champion_further_back(registry, promoted, environment):
    first, second, _ = promoted(0), promoted(1), promoted(2)
    assert roll_back(registry, environment).release == second.id
    assert roll_back(registry, environment).release == first.id
    assert champion_id(registry, environment) == first.id
    assert [p.action for p in registry.history(environment)][-2:] == ["rollback", "rollback"]
    with pytest.raises(NightshiftError, match="nothing to go back to"):
        roll_back(registry, environment)


@in_each_environment
def test_a_rollback_after_a_new_promotion_goes_to_what_was_champion_before_it(registry, promoted, environment):
    first, _, third = promoted(0), promoted(1), promoted(2)
    roll_back(registry, environment)
    roll_back(registry, environment)
    fourth = promoted(3)
    assert roll_back(registry, environment).release == first.id
    assert third.id != fourth.id


@in_each_environment
def test_a_rollback_can_name_any_earlier_champion_by_the_beginning_of_its_id(registry, promoted, environment):
    first, second, third = promoted(0), promoted(1), promoted(2)
    assert roll_back(registry, environment, to=first.id[:16]).release == first.id
    assert roll_back(registry, environment, to=third.id).release == third.id
    assert roll_back(registry, environment).release == first.id
    assert second.id not in (third.id, first.id)


@in_each_environment
def test_a_rollback_without_a_champion_to_go_back_to_says_so(registry, released, environment):
    with pytest.raises(NightshiftError, match="has no champion yet"):
        roll_back(registry, environment)
    registry.install(released(0), "first")
    with pytest.raises(NightshiftError, match=f"is the first champion of '{environment}'"):
        roll_back(registry, environment)


def test_a_rollback_to_an_unknown_a_doubtful_or_the_present_champion_is_refused(registry, promoted):
    releases = [promoted(number) for number in range(20)]
    with pytest.raises(NightshiftError, match="was never champion"):
        roll_back(registry, to="no such release")
    with pytest.raises(NightshiftError, match="was never champion"):
        roll_back(registry, to="")
    with pytest.raises(NightshiftError, match="is the champion of 'screen' already"):
        roll_back(registry, to=releases[-1].id)
    twice = next(r.id[0] for r in releases if sum(s.id[0] == r.id[0] for s in releases) > 1)
    with pytest.raises(NightshiftError, match="fits several"):
        roll_back(registry, to=twice)
    assert champion_id(registry) == releases[-1].id


@in_each_environment
def test_a_champion_whose_files_are_gone_is_not_gone_back_to(registry, promoted, environment):
    first, second = promoted(0), promoted(1)
    shutil.rmtree(registry.path(first.checkpoints["policy"]))
    with pytest.raises(NightshiftError, match="cannot serve as policy"):
        roll_back(registry, environment)
    assert registry.champion(environment) == second


def test_environments_do_not_share_a_champion(registry, promoted, saved):
    promoted(0)
    other = registry.put(saved(9), environment="grounding", policy="reader", parent=None, run="run")
    registry.install(registry.release("grounding", {"policy": other.id}), "first")
    assert registry.champion("grounding") != registry.champion("screen")
    assert len(registry.history("grounding")) == 1


@given(st.lists(st.one_of(st.sampled_from("ABCD"), st.just("undo")), max_size=30))
def test_rolling_back_without_a_name_is_an_undo_stack(steps):
    history: list[Promotion] = []
    stack: list[str] = []

    def write(action, release):
        previous = history[-1].release if history else None
        history.append(
            Promotion(id=str(len(history)), environment="e", release=release, previous=previous, action=action)
        )

    for step in steps:
        if step == "undo" and len(stack) > 1:
            stack.pop()
            write("rollback", stack[-1])
        elif step != "undo" and step not in stack[-1:]:
            stack.append(step)
            write("promote", step)
    assert former_champions(history) == stack


def test_many_processes_at_once_and_one_killed_leave_one_whole_champion_and_a_true_history(
    registry, released, store, worker, tmp_path
):
    registry.install(released(-1.0, run=None), "first")
    killed, *children = [worker(name, 5) for name in range(4)]
    while len(registry.history("screen")) < 4 and killed.poll() is None:
        time.sleep(0.05)
    killed.kill()
    for child in children:
        _, complaint = child.communicate(timeout=300)
        assert child.returncode == 0, complaint
    history = registry.history("screen")
    assert [p.previous for p in history] == [None, *(p.release for p in history[:-1])]
    assert champion_id(registry) == history[-1].release
    assert len({p.decision for p in history if p.decision}) == sum(p.action == "promote" for p in history) > 0
    for release in store.find(Release, environment="screen"):
        registry.path(release.checkpoints["policy"])
    registry.sweep()
    assert list((tmp_path / "registry" / "incoming").iterdir()) == []
    assert store.check() == []
