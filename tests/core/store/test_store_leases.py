import signal
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_records import promotion

from core.schema import Promotion, new_id, now
from core.store import LeaseHeld, LeaseLost

LONG = 3600.0


def expired(store, name="night", owner="slow"):
    lease = store.lease(name, owner, ttl_s=0.001)
    while now() <= lease.until:
        time.sleep(0.001)
    return lease


def test_a_lease_that_is_held_says_by_whom_and_until_when(store):
    lease = store.lease("night", "first", LONG)
    with pytest.raises(LeaseHeld, match="'night' is held by 'first' until") as held:
        store.lease("night", "second", LONG)
    assert (held.value.owner, held.value.until) == ("first", lease.until)
    store.lease("another", "second", LONG)


def test_leaving_the_block_lets_the_next_one_in(store):
    with store.lease("night", "first", LONG) as first:
        store.check_token("night", first.token)
    second = store.lease("night", "second", LONG)
    assert second.token == first.token + 1


def test_a_block_that_fails_releases_too(store):
    with pytest.raises(RuntimeError), store.lease("night", "first", LONG):
        raise RuntimeError
    store.lease("night", "second", LONG)


def test_renewing_makes_it_last_longer(store):
    lease = store.lease("night", "first", 60)
    before = lease.until
    lease.renew()
    assert lease.until > before
    with pytest.raises(LeaseHeld) as held:
        store.lease("night", "second", LONG)
    assert held.value.until == lease.until


def test_an_owner_whose_time_ran_out_can_neither_renew_nor_check_nor_swap(store):
    lease = expired(store)
    change = promotion("new", None)
    for use in (
        lease.renew,
        lambda: store.check_token("night", lease.token),
        lambda: store.swap_champion(
            "screen", expected=None, new="new", promotion=change, lease="night", token=lease.token
        ),
    ):
        with pytest.raises(LeaseLost, match="ran out"):
            use()
    assert store.champion("screen") is None
    assert store.count(Promotion) == 0


def test_an_owner_who_was_replaced_is_told_by_whom_and_harms_nobody(store):
    old = expired(store)
    new = store.lease("night", "quick", LONG)
    with pytest.raises(LeaseLost, match="gone to 'quick'"):
        old.renew()
    old.release()
    store.check_token("night", new.token)


def test_a_released_token_is_worth_nothing(store):
    lease = store.lease("night", "first", LONG)
    lease.release()
    lease.release()
    with pytest.raises(LeaseLost, match="was released"):
        store.check_token("night", lease.token)
    with pytest.raises(LeaseLost, match="never taken"):
        store.check_token("other", 1)


def test_a_lease_must_last(store):
    with pytest.raises(ValueError, match="more than 0 s"):
        store.lease("night", "first", 0)


@settings(deadline=None, max_examples=25)
@given(ends=st.lists(st.sampled_from(["release", "expire"]), min_size=1, max_size=4))
def test_tokens_only_ever_grow(shared_store, ends):
    name = new_id()
    tokens = []
    for end in ends:
        if end == "expire":
            tokens.append(expired(shared_store, name).token)
        else:
            with shared_store.lease(name, "owner", LONG) as lease:
                tokens.append(lease.token)
    assert tokens == list(range(1, len(ends) + 1))


def test_the_lease_of_a_process_that_died_runs_until_its_time_is_over(url, store, process):
    child = process("take_lease_forever", url)
    assert child.stdout.readline() == "taken\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    with pytest.raises(LeaseHeld, match="a process that dies"):
        store.lease("night", "next", LONG)
