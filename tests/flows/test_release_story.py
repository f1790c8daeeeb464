"""From a taught home to another machine: two nights, a promotion on the Hub, a rollback, and a pull by tag."""

from pathlib import Path

import pytest
from forked import nightshift
from hub_server import WRITER, hub_server
from nights import store_of

from core.schema import Media, Promotion
from core.services import Workspace

pytestmark = pytest.mark.soak  # two nights, a hub and a second home take minutes

REPO = '\n[registry]\nhub = "me/screens"\n'


@pytest.fixture
def run(tmp_path, monkeypatch):
    with hub_server() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        environment = {"HF_ENDPOINT": server.url, "HF_TOKEN": WRITER, "HF_HUB_OFFLINE": "1"}

        def command(home: Path, *arguments: str):
            ended = nightshift(tmp_path / "said", *arguments, "--home", str(home), "--json", **environment)
            assert ended.status == 0, ended.err
            return ended.answer

        command.server = server
        yield command


def serve_by_night(run, home: Path, seed: int) -> str:
    """The challenger of a night as champion: by its gate, or, where that saw too little, by hand."""
    challenger = run(home, "nightly", "--seed", str(seed))["challenger"]
    if store_of(home).champion("screen") != challenger:
        run(home, "models", "promote", challenger, "--reason", "the story goes on")
    return challenger


@pytest.mark.timeout(900)
def test_another_machine_that_pulls_the_champion_by_its_tag_answers_bit_for_bit_the_same(home_of, run, tmp_path):
    here, elsewhere = home_of("here"), tmp_path / "elsewhere"
    (here / "nightshift.toml").open("a").write(REPO)
    elsewhere.mkdir()
    (elsewhere / "nightshift.toml").write_text(REPO)
    first = serve_by_night(run, here, 1)
    pushed = run(here, "models", "push")
    second = serve_by_night(run, here, 2)
    run(here, "models", "push")
    repo = run.server.repo("me/screens")
    assert set(repo.tags) == {f"release-{first[:12]}", f"release-{second[:12]}"}

    assert run(here, "models", "rollback", "--reason", "worse in use")["release"] == first
    assert run(here, "models", "push")["promoted"]
    assert repo.commits[repo.branches["main"]] == repo.commits[repo.tags[pushed["tag"]]]
    actions = [change.action for change in store_of(here).find(Promotion)]
    assert actions == ["install", "promote", "promote", "rollback"]

    pulled = run(elsewhere, "models", "pull", "--tag", pushed["tag"], "--promote")
    assert pulled["champion"] == first
    ws = Workspace.open(here)
    picture = tmp_path / "screen.png"
    picture.write_bytes(ws.blobs.get(ws.store.find(Media)[0].blob))
    asked = ("classify", str(picture), "--work", "Plan the sprint of week 9.")
    said = [run(home, *asked) for home in (here, elsewhere)]
    assert [each["release"] for each in said] == [first, first]
    for figure in ("verdict", "probability", "confidence", "evidence"):
        assert said[0][figure] == said[1][figure]
