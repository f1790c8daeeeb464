"""`nightshift models`, as programs read it."""

import pytest
from forked import nightshift
from releases import make_release

from core.services import Workspace


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    ws = Workspace.open(tmp_path_factory.mktemp("models") / "home")
    return ws.home, ws.store.champion("screen"), make_release(ws, 2.0).id


def models(home, *arguments, ok=True):
    ended = nightshift(home / "said", "models", *arguments, "--home", str(home), "--json")
    assert (ended.status == 0) == ok, ended.err
    return ended.answer


def test_each_command_prints_one_object_and_what_is_decided_is_told_by_the_next(home):
    folder, first, second = home
    assert [each["state"] for each in models(folder, "list")["releases"]] == ["not compared", "champion"]
    assert models(folder, "show", second[:12])["release"] == second
    assert models(folder, "verify")["ok"]
    assert models(folder, "gc")["garbage"] == []
    assert models(folder, "rollout")["rollout"] is None
    assert "error" in models(folder, "compare", "champion", second, ok=False)
    assert "error" in models(folder, "approve", "--reason", "ok", ok=False)
    assert models(folder, "promote", second, "--reason", "measured")["release"] == second
    assert models(folder, "quarantine", second, "--reason", "blind")["champion"] == first
    assert "quarantined" in models(folder, "promote", second, "--reason", "again", ok=False)["error"]
    assert models(folder, "reject", second, "--reason", "odd")["mark"] == "rejected"
    assert [each["action"] for each in models(folder, "history")["history"]] == ["rollback", "promote", "install"]
    assert "registry" in models(folder, "push", ok=False)["error"]
