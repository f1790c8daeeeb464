"""The way to the Hub and back, with the real client against a server that speaks its protocol."""

import resource
import shutil
from pathlib import Path

import pytest
from hub_server import READER, WRITER, HubServer, hub_server
from releases import make_release, promote
from served_homes import at_length_in_each_environment

from core.registry.hub import Hub, tag_of
from core.registry.hub_errors import HubError, HubMoved
from core.schema import Checkpoint, DatasetVersion, HubStep, NightshiftError, StageResult, content_id
from core.services import Workspace, pull, push, quarantine_release, rollback

REPO = "me/screens"


@pytest.fixture
def hub(monkeypatch):
    with hub_server() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", WRITER)
        yield server


@pytest.fixture
def here(ws: Workspace) -> Workspace:
    return Workspace.open(ws.home, registry={"hub": REPO, "hub_dataset": "me/words"})


@pytest.fixture
def elsewhere(template, tmp_path) -> Workspace:
    return Workspace.open(tmp_path / "elsewhere", registry={"hub": REPO}, cache=template[0] / "cache")


def main_of(server: HubServer) -> dict[str, bytes]:
    repo = server.repo(REPO)
    return repo.commits[repo.branches["main"]]


def steps(ws: Workspace) -> list[str]:
    return [each.step for each in ws.store.find(HubStep)]


def uploads(server: HubServer) -> int:
    return sum(request.startswith("PUT ") for request in server.requests)


@at_length_in_each_environment
def test_the_champion_here_becomes_the_champion_there_with_a_tag_and_a_card(here, hub, environment):
    champion = here.store.champion(environment)
    done = push(here, environment)
    repo = hub.repo(REPO)
    assert repo.private
    assert repo.tags == {tag_of(champion): repo.branches["main"]} == {done["tag"]: done["commit"]}
    assert steps(here) == ["uploaded", "evaluated", "promoted", "tagged"]
    card = main_of(hub)["README.md"].decode()
    assert f"release {champion[:12]}" in card and "## Limits" in card and "license: other" in card
    assert [branch for branch, _ in repo.log] == ["main", f"candidate-{champion[:12]}", "main"]


@pytest.mark.soak
@pytest.mark.parametrize("environment", ["group_qc"], indirect=True)
def test_a_repository_is_of_one_environment(here, hub, environment, new_home, tmp_path):
    home = Path(shutil.copytree(new_home("screen"), tmp_path / "of-screens"))
    push(Workspace.open(home, registry={"hub": REPO}), "screen")
    before = dict(hub.repo(REPO).branches)
    with pytest.raises(HubError, match="is a release of 'screen'; one of 'group_qc' needs a repository of its own"):
        push(here, environment)
    assert hub.repo(REPO).branches == before


@pytest.mark.soak
@pytest.mark.parametrize("environment", ["group_qc"], indirect=True)
def test_each_environment_has_a_repository_of_its_own_where_the_name_says_so(ws, hub, environment, new_home, tmp_path):
    each_its_own = {"hub": "me/{environment}", "hub_dataset": "me/words-{environment}"}
    home = Path(shutil.copytree(new_home("screen"), tmp_path / "of-screens"))
    assert push(Workspace.open(home, registry=each_its_own), "screen")["repo"] == "me/screen"
    here = Workspace.open(ws.home, registry=each_its_own)
    assert push(here, environment)["repo"] == "me/group_qc"
    assert {step.repo for step in here.store.find(HubStep)} == {"me/group_qc"}
    assert hub.repo("me/screen").tags.keys() != hub.repo("me/group_qc").tags.keys()
    assert pull(here, environment, promote=False)["release"] == here.store.champion(environment)


def test_pushing_again_sends_nothing_and_changes_nothing(here, hub):
    push(here, "screen")
    before = dict(hub.repo(REPO).branches), uploads(hub)
    push(here, "screen")
    assert (dict(hub.repo(REPO).branches), uploads(hub)) == before


def test_a_release_that_is_not_champion_stays_a_candidate(here, hub):
    push(here, "screen")
    before = main_of(hub)
    other = make_release(here, 2.0)
    done = push(here, "screen", other.id)
    assert (done["promoted"], done["tag"]) == (False, None)
    assert main_of(hub) == before
    assert f"candidate-{other.id[:12]}" in hub.repo(REPO).branches


def test_rolling_back_there_is_one_commit_of_copies_from_the_tag(here, hub):
    push(here, "screen")
    first = main_of(hub)
    promote(here, make_release(here, 2.0))
    push(here, "screen")
    assert main_of(hub) != first
    rollback(here, "screen", reason="worse")
    sent, commits = uploads(hub), len(hub.repo(REPO).commits)
    push(here, "screen")
    assert main_of(hub) == first
    assert (uploads(hub), len(hub.repo(REPO).commits)) == (sent, commits + 1)


@pytest.mark.parametrize(
    ("pattern", "status", "said"),
    [
        ("POST .*/repos/create", 401, "HF_TOKEN"),
        ("POST .*/commit/main", 403, "write access"),
        ("POST .*/commit/main", 429, "ask again in 7 s"),
        ("POST .*/commit/main", 503, "trouble of its own"),
        ("POST .*/commit/main", 412, "nothing was changed"),
        ("POST .*/commit/main", 507, "no room"),
        ("POST .*/commit/main", None, "cannot be reached"),
        ("POST .*/commit/candidate", None, "cannot be reached"),
        ("POST .*/branch/", 500, "trouble of its own"),
        ("POST .*/tag/", 502, "trouble of its own"),
    ],
)
def test_whatever_fails_is_said_in_words_and_asking_again_goes_on_from_there(here, hub, pattern, status, said):
    push(here, "screen")
    before = main_of(hub)
    promote(here, make_release(here, 2.0))
    champion = here.store.champion("screen")
    hub.fail(pattern, status, headers={"Retry-After": "7"})
    with pytest.raises(HubError, match=said):
        push(here, "screen")
    assert steps(here)[-1] == "failed"
    assert here.store.champion("screen") == champion
    if "tag" not in pattern:
        assert main_of(hub) == before
    done = push(here, "screen")
    assert done["commit"] == hub.repo(REPO).branches["main"] == hub.repo(REPO).tags[done["tag"]]
    assert steps(here)[-1] == "tagged"


def test_a_head_that_moved_while_the_candidate_was_looked_at_stays_the_head(here, hub):
    push(here, "screen")
    promote(here, make_release(here, 2.0))
    repo = hub.repo(REPO)

    def somebody_else() -> None:
        repo.commit("main", {**main_of(hub), "README.md": b"# theirs\n"}, "theirs")

    hub.fail("POST .*/commit/main", before=somebody_else)
    with pytest.raises(HubMoved, match="somebody changed"):
        push(here, "screen")
    assert main_of(hub)["README.md"] == b"# theirs\n"
    assert push(here, "screen")["promoted"]


def test_what_was_uploaded_before_a_cut_is_not_sent_again(here, hub):
    hub.fail("POST .*/commit/candidate", None)
    with pytest.raises(HubError):
        push(here, "screen")
    sent = uploads(hub)
    assert sent == 1
    push(here, "screen")
    assert uploads(hub) == sent


def test_a_download_that_is_cut_goes_on_where_it_was(here, elsewhere, hub):
    push(here, "screen")
    hub.fail("GET .*/resolve/.*safetensors", cut_after=1000)
    done = pull(elsewhere, "screen", promote=False)
    assert done["release"] == here.store.champion("screen")


def test_a_token_that_may_only_read_pulls_and_does_not_push(here, elsewhere, hub, monkeypatch):  # noqa: ARG001
    push(here, "screen")
    promote(here, make_release(here, 2.0))
    monkeypatch.setenv("HF_TOKEN", READER)
    with pytest.raises(HubError, match="403"):
        push(here, "screen")
    assert pull(elsewhere, "screen", promote=False)["champion"] == elsewhere.store.champion("screen")


def test_a_full_disk_is_said_and_what_serves_stays(here, elsewhere, hub, tmp_path):  # noqa: ARG001
    commit = push(here, "screen")["commit"]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(HubError, match="the disk is full"):
            Hub(REPO).download(commit, tmp_path / "small")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert Hub(REPO).download(commit, tmp_path / "small").release == here.store.champion("screen")
    assert steps(elsewhere) == []


def test_files_that_are_not_what_their_name_says_are_not_taken_in(here, elsewhere, hub):
    other = make_release(here, 2.0)
    promote(here, other)
    push(here, "screen")
    main_of(hub)["policy/calibration.json"] = b'{"temperature": 9.0}'
    before = elsewhere.store.champion("screen")
    with pytest.raises(NightshiftError, match="is damaged"):
        pull(elsewhere, "screen", promote=True)
    assert elsewhere.store.champion("screen") == before
    assert steps(elsewhere) == []


def test_a_quarantined_release_goes_to_no_hub_and_comes_from_none(here, hub):  # noqa: ARG001
    push(here, "screen")
    other = make_release(here, 2.0)
    promote(here, other)
    push(here, "screen")
    quarantine_release(here, "screen", other.id, reason="blind on music")
    with pytest.raises(NightshiftError, match="is quarantined"):
        push(here, "screen", other.id)
    with pytest.raises(NightshiftError, match="is quarantined"):
        pull(here, "screen", tag_of(other.id), promote=True)
    assert here.store.champion("screen") != other.id


def test_pulling_a_tag_and_promoting_serves_that_release_elsewhere(here, elsewhere, hub):  # noqa: ARG001
    other = make_release(here, 2.0)
    promote(here, other)
    tag = push(here, "screen")["tag"]
    done = pull(elsewhere, "screen", tag, promote=True)
    assert done["champion"] == other.id == elsewhere.store.champion("screen")
    assert elsewhere.registry.history("screen")[-1].reason == f"pulled {tag} of {REPO}"
    assert not list((elsewhere.settings.registry_dir / "downloads").iterdir())


def test_what_is_not_there_is_said(here, elsewhere, hub):  # noqa: ARG001
    with pytest.raises(HubError, match="404"):
        pull(elsewhere, "screen", promote=False)
    push(here, "screen")
    with pytest.raises(HubError, match="404"):
        pull(elsewhere, "screen", "release-nothing", promote=False)


def test_a_repository_with_somebody_elses_files_is_left_alone(here, hub):
    push(here, "screen")
    hub.repo(REPO).commit("main", {"pytorch_model.bin": b"theirs"}, "theirs")
    with pytest.raises(HubError, match="not Nightshift's"):
        push(here, "screen")
    assert main_of(hub) == {"pytorch_model.bin": b"theirs"}


def test_without_a_repository_set_the_command_says_which_setting(ws):
    with pytest.raises(NightshiftError, match=r"hub = .OWNER/NAME"):
        push(ws, "screen")


def test_the_token_is_kept_nowhere(here, hub):  # noqa: ARG001
    push(here, "screen")
    found = [path for path in Path(here.home).rglob("*") if path.is_file() and WRITER.encode() in path.read_bytes()]
    assert found == []


def test_the_dataset_version_is_kept_without_pictures_where_it_is_asked_for(here, hub):
    other = make_release(here, 2.0)
    promote(here, other)
    (made,) = here.store.get_many(Checkpoint, other.checkpoints.values())
    version = DatasetVersion.make("screen", {"train": ("a",), "golden": ("b",)})
    ingested = StageResult(
        id=content_id(made.run, "ingest"), run=made.run, stage="ingest",
        result={"dataset_version": version.id}, seconds=0.0,
    )  # fmt: skip
    here.store.add(version, ingested)
    push(here, "screen")
    kept = hub.repo("me/words", "datasets")
    assert kept.private
    assert list(kept.tags) == [f"version-{version.id[:12]}"]
    assert version.id in main_of(hub)["README.md"].decode()
    assert steps(here)[-1] == "dataset"
