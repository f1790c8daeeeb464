"""Users, sessions and tokens, as the store has them and as a server sees them."""

from datetime import timedelta

import pytest
from lakes import new_lake

from core.access import (
    Actor,
    Directory,
    SignInRefused,
    TooManyTries,
    add_user,
    as_actor,
    audit_log,
    change_own_password,
    create_token,
    disable_user,
    enable_user,
    end_session,
    open_house,
    open_sessions,
    remove_user,
    revoke_token,
    secret_id,
    set_password,
    set_role,
    sign_in,
    signing_in,
    tokens,
    users,
)
from core.schema import Grant, LoginFailure, NightshiftError, Password, Role, Scope, now

PASSWORD = "correct horse battery"
HERE = "10.0.0.7"


@pytest.fixture
def house(home):
    """With one user, the admin ada."""
    house = open_house(home)
    add_user(house, "ada", Role.ADMIN, PASSWORD)
    return house


def is_in(house, secret, form="session"):
    """Whether a server that looks now lets the secret in."""
    return Directory(house).owner(secret_id(secret), form) is not None


@pytest.mark.parametrize("engine", ["file", "lake"])
def test_whoever_has_the_password_comes_in_and_stays_in_after_a_restart(home, tmp_path, engine, request, monkeypatch):
    if engine == "lake":
        url = new_lake(request.getfixturevalue("postgres"), tmp_path / "lake")
        monkeypatch.setenv("NIGHTSHIFT_STORE", url)
    house = open_house(home)
    add_user(house, "Ada", Role.ADMIN, PASSWORD)
    secret = sign_in(house, "ADA ", PASSWORD, HERE)
    assert is_in(open_house(home), secret)
    end_session(house, secret_id(secret))
    assert not is_in(house, secret)


def test_neither_secrets_nor_passwords_are_kept(house, home):
    session = sign_in(house, "ada", PASSWORD, HERE)
    _, token = create_token(house, "ada", "camera", [Scope.PREDICT], 10)
    with pytest.raises(SignInRefused):
        sign_in(house, "hunter2 hunter2", "hunter2 hunter2", HERE)
    kept = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert secret_id(session).encode() in kept and b"$argon2id$" in kept
    for secret in (session, token, PASSWORD, "hunter2"):
        assert secret.encode() not in kept


def test_a_refusal_does_not_say_whether_the_name_is_known(house):
    said = []
    for name in ("ada", "nobody-of-that-name"):
        with pytest.raises(SignInRefused) as refused:
            sign_in(house, name, "a wrong password", HERE)
        said.append(str(refused.value))
    assert said[0] == said[1]


@pytest.mark.usefixtures("house")
def test_guessing_is_slowed_down_then_locked_and_a_restart_forgives_nothing(home, monkeypatch):
    monkeypatch.setenv("NIGHTSHIFT_ACCESS", '{"slow_after": 2, "lock_after": 2}')
    house = open_house(home)
    for _ in range(2):
        with pytest.raises(SignInRefused):
            sign_in(house, "ada", "a wrong password", HERE)
    for address in (HERE, "10.0.0.8"):
        with pytest.raises(TooManyTries, match="15 minutes") as locked:
            sign_in(open_house(home), "ada", PASSWORD, address)
        assert locked.value.wait_s > 800
    assert [line.action for line in audit_log(house, action="login")].count("login.locked") == 1
    set_password(house, "ada", "another horse battery")
    assert sign_in(house, "ada", "another horse battery", HERE)


@pytest.mark.usefixtures("house")
def test_an_address_that_tries_many_names_is_locked_too(home, monkeypatch):
    monkeypatch.setenv("NIGHTSHIFT_ACCESS", '{"slow_after": 2, "lock_after": 2, "lock_address_after": 3}')
    house = open_house(home)
    for name in ("bob", "carol", "dave"):
        with pytest.raises(SignInRefused):
            sign_in(house, name, "a wrong password", HERE)
    with pytest.raises(TooManyTries):
        sign_in(house, "ada", PASSWORD, HERE)
    assert sign_in(house, "ada", PASSWORD, "10.0.0.8")


@pytest.mark.usefixtures("house")
def test_an_address_that_is_locked_does_not_wait_for_its_turn(home, monkeypatch):
    monkeypatch.setenv("NIGHTSHIFT_ACCESS", '{"slow_after": 2, "lock_after": 2, "lock_address_after": 3}')
    house = open_house(home)
    for name in ("bob", "carol", "dave"):
        with pytest.raises(SignInRefused):
            sign_in(house, name, "a wrong password", HERE)
    with signing_in._turn, pytest.raises(TooManyTries):
        sign_in(house, "ada", PASSWORD, HERE)


def test_a_right_password_forgives_what_was_typed_wrong(house):
    with pytest.raises(SignInRefused):
        sign_in(house, "ada", "a wrong password", HERE)
    sign_in(house, "ada", PASSWORD, HERE)
    assert house.store.count(LoginFailure) == 0


def test_a_server_that_is_up_hears_of_a_change_at_once(house):
    add_user(house, "oscar", Role.OPERATOR, PASSWORD)
    secret = sign_in(house, "oscar", PASSWORD, HERE)
    _, token = create_token(house, "oscar", "camera", [Scope.PREDICT], 10)
    up = Directory(house, clock=lambda: 0.0)
    assert up.owner(secret_id(secret), "session")[1].role is Role.OPERATOR
    set_role(house, "oscar", Role.VIEWER)
    assert up.owner(secret_id(secret), "session")[1].role is Role.VIEWER
    disable_user(house, "oscar")
    assert up.owner(secret_id(secret), "session") is None and up.owner(secret_id(token), "token") is None
    enable_user(house, "oscar")
    assert up.owner(secret_id(secret), "session") is None and up.owner(secret_id(token), "token") is not None
    revoke_token(house, "camera")
    assert up.owner(secret_id(token), "token") is None


def test_a_token_is_no_session_and_a_session_no_token(house):
    secret = sign_in(house, "ada", PASSWORD, HERE)
    _, token = create_token(house, "ada", "camera", [Scope.READ], 10)
    assert not is_in(house, secret, "token") and not is_in(house, token, "session")


def test_what_is_over_opens_nothing(house):
    secret = sign_in(house, "ada", PASSWORD, HERE)
    later = now() + timedelta(hours=house.settings.access.session_hours, seconds=1)
    up = Directory(house)
    assert up.owner(secret_id(secret), "session", at=later) is None


def test_somebody_of_the_same_name_does_not_inherit(house):
    add_user(house, "oscar", Role.ADMIN, PASSWORD)
    secret = sign_in(house, "oscar", PASSWORD, HERE)
    create_token(house, "oscar", "camera", [Scope.MANAGE], 10)
    remove_user(house, "oscar")
    add_user(house, "oscar", Role.VIEWER, "another horse battery")
    assert not is_in(house, secret) and tokens(house, "oscar") == []
    with pytest.raises(SignInRefused):
        sign_in(house, "oscar", PASSWORD, HERE)


def test_an_old_password_leaves_nothing_to_attack(house):
    old = house.store.find(Password)[0].hash
    mine = sign_in(house, "ada", PASSWORD, HERE)
    other = sign_in(house, "ada", PASSWORD, HERE)
    me = Actor("ada", Role.ADMIN, "console", HERE, grant=secret_id(mine))
    with pytest.raises(SignInRefused, match="present password"):
        change_own_password(house, me, "not this one", "another horse battery")
    change_own_password(house, me, PASSWORD, "another horse battery")
    assert [each.hash for each in house.store.find(Password)] != [old]
    assert is_in(house, mine) and not is_in(house, other)
    assert len(open_sessions(house, "ada")) == 1


def test_there_is_always_an_admin_until_the_very_last_goes(house):
    add_user(house, "vera", Role.VIEWER, PASSWORD)
    for change in (disable_user, remove_user, lambda h, n: set_role(h, n, Role.ENGINEER)):
        with pytest.raises(NightshiftError, match="last admin"):
            change(house, "ada")
    remove_user(house, "vera")
    with pytest.raises(NightshiftError, match="last admin"):
        remove_user(house, "ada")
    remove_user(house, "ada", also_last=True)
    assert users(house) == [] and not Directory(house).has_users()


@pytest.mark.parametrize(
    ("name", "password", "why"),
    [
        ("no spaces", PASSWORD, "no name"),
        ("local", PASSWORD, "stands for something else"),
        ("oscar", "short", "5 characters"),
        ("oscar", "oscar1234567", "little more than the name"),
        ("oscar", "aaaaaaaaaaaaaa", "same few"),
        ("ada", PASSWORD, "already"),
    ],
)
def test_what_cannot_be_a_user_is_refused(house, name, password, why):
    with pytest.raises(NightshiftError, match=why):
        add_user(house, name, Role.VIEWER, password)


def test_the_first_user_must_be_an_admin(home):
    house = open_house(home)
    with pytest.raises(NightshiftError, match="first user must be an admin"):
        add_user(house, "vera", Role.VIEWER, PASSWORD)


def test_a_token_lasts_no_longer_than_it_may(house):
    with pytest.raises(NightshiftError, match="1 to 365 days"):
        create_token(house, "ada", "camera", [Scope.READ], 366)
    with pytest.raises(NightshiftError, match="needs a scope"):
        create_token(house, "ada", "camera", [], 10)


def test_sessions_that_are_over_do_not_pile_up(house):
    sign_in(house, "ada", PASSWORD, HERE)
    (grant,) = house.store.find(Grant)
    house.store.erase({}, replaced=[grant.model_copy(update={"expires": now() - timedelta(days=1)})])
    sign_in(house, "ada", PASSWORD, HERE)
    assert len(house.store.find(Grant)) == 1


def test_the_log_says_who_did_what_and_names_things_by_their_beginning(house):
    with as_actor(Actor("ada", Role.ADMIN, "console", HERE)):
        grant, _ = create_token(house, "ada", "camera", [Scope.READ], 10)
    newest = audit_log(house)[0]
    assert (newest.who, newest.door, newest.address, newest.action) == ("ada", "console", HERE, "token.created")
    assert newest.subject == grant.id[:16]
    assert [line.action for line in audit_log(house, who="local")] == ["user.added"]
