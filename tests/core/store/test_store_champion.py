import pytest
from store_records import promotion

from core.schema import Promotion
from core.store import LeaseLost


def test_there_is_no_champion_before_the_first_is_installed(store):
    assert store.champion("screen") is None


def test_a_swap_moves_the_pointer_and_leaves_its_promotion(store):
    install, promote = promotion("a", None, action="install"), promotion("b", "a")
    assert store.swap_champion("screen", expected=None, new="a", promotion=install)
    assert store.swap_champion("screen", expected="a", new="b", promotion=promote)
    assert store.champion("screen") == "b"
    assert store.champion("other") is None
    assert store.find(Promotion) == [install, promote]


@pytest.mark.parametrize("expected", [None, "x"])
def test_a_swap_from_another_champion_than_expected_changes_nothing(store, expected):
    store.swap_champion("screen", expected=None, new="a", promotion=promotion("a", None))
    assert not store.swap_champion("screen", expected=expected, new="b", promotion=promotion("b", expected))
    assert store.champion("screen") == "a"
    assert store.count(Promotion) == 1


def test_a_swap_that_is_repeated_stays_done(store):
    first, second = promotion("a", None), promotion("b", "a")
    for _ in range(2):
        assert store.swap_champion("screen", expected=None, new="a", promotion=first)
    assert store.swap_champion("screen", expected="a", new="b", promotion=second)
    assert store.swap_champion("screen", expected=None, new="a", promotion=first)
    assert store.champion("screen") == "b"
    assert store.find(Promotion) == [first, second]


def test_a_swap_under_the_newest_token_goes_through_and_under_an_older_one_does_not(store):
    first, second = promotion("a", None), promotion("b", "a")
    with store.lease("night", "me", 3600) as old:
        assert store.swap_champion("screen", expected=None, new="a", promotion=first, lease="night", token=old.token)
    with store.lease("night", "me", 3600), pytest.raises(LeaseLost):
        store.swap_champion("screen", expected="a", new="b", promotion=second, lease="night", token=old.token)
    assert store.champion("screen") == "a"


def test_a_promotion_that_says_something_else_is_refused(store):
    with pytest.raises(ValueError, match="something else"):
        store.swap_champion("screen", expected=None, new="a", promotion=promotion("b", None))
    with pytest.raises(ValueError, match="go together"):
        store.swap_champion("screen", expected=None, new="a", promotion=promotion("a", None), token=1)


def test_of_several_processes_exactly_one_takes_over(url, store, process, tmp_path):
    store.swap_champion("screen", expected=None, new="first", promotion=promotion("first", None))
    rivals = {f"rival-{n}": process("swap_once", url, f"rival-{n}", tmp_path / "start") for n in range(4)}
    (tmp_path / "start").touch()
    won = {}
    for release, child in rivals.items():
        out, error = child.communicate(timeout=120)
        assert child.returncode == 0, error
        won[release] = out.strip() == "True"
    assert sum(won.values()) == 1
    assert won[store.champion("screen")]
    assert [record.release for record in store.find(Promotion)] == ["first", store.champion("screen")]
