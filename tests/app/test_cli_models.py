"""`nightshift models`, as programs read it, of each environment."""

import pytest
from forked import nightshift
from releases import make_release
from served_homes import AT_LENGTH, smallest, write_settings

from core.services import Workspace


@pytest.fixture(scope="module", params=AT_LENGTH)
def home(request, tmp_path_factory):
    """A home, the environment it serves, its champion, and another release."""
    home = tmp_path_factory.mktemp("models")
    write_settings(home, smallest(request.param, tmp_path_factory.mktemp("tiny")))
    ws = Workspace.open(home)
    return home, request.param, ws.store.champion(request.param), make_release(ws, 2.0, request.param).id


@pytest.fixture
def models(home):
    folder, environment, *_ = home
    named = () if environment == "screen" else ("--environment", environment)

    def command(*arguments, ok=True):
        ended = nightshift(folder / "said", "models", *arguments, *named, "--home", str(folder), "--json")
        assert (ended.status == 0) == ok, ended.err
        return ended.answer

    return command


def test_each_command_prints_one_object_and_what_is_decided_is_told_by_the_next(home, models):
    _, _, first, second = home
    assert [each["state"] for each in models("list")["releases"]] == ["not compared", "champion"]
    assert models("show", second[:12])["release"] == second
    assert models("verify")["ok"]
    assert models("rollout")["rollout"] is None
    assert "error" in models("compare", "champion", second, ok=False)
    assert "error" in models("approve", "--reason", "ok", ok=False)
    assert models("promote", second, "--reason", "measured")["release"] == second
    assert models("rollback", "--reason", "worse in use")["release"] == first
    assert models("rollback", "--to", second[:12], "--reason", "better after all")["release"] == second
    assert models("quarantine", second, "--reason", "blind")["champion"] == first
    assert "quarantined" in models("promote", second, "--reason", "again", ok=False)["error"]
    assert models("reject", second, "--reason", "odd")["mark"] == "rejected"
    actions = [each["action"] for each in models("history")["history"]]
    assert actions == ["rollback", "rollback", "rollback", "promote", "install"]
    assert "registry" in models("push", ok=False)["error"]


def test_garbage_is_looked_for_in_every_environment_at_once(home):
    folder, *_ = home
    assert nightshift(folder / "said", "models", "gc", "--home", str(folder), "--json").answer["garbage"] == []
