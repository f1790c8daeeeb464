"""Bootstrap: real shards, a real (tiny) BLIP, the judge that ships, and the store."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from tiny_blip import tiny_blip
from unlabelled import WORKS, alike_domains, as_jpeg, screen, shard

from core.environments.screen.work_domains import OURS, load_domains
from core.schema import JUDGED, SET_ASIDE, Correction, DatasetVersion, Example, Media, NightshiftError, Run
from core.services import Wanted, Workspace, bootstrap, forget
from core.services.bootstrap import STAGES, begin_bootstrap, sources, stages, train_on_bootstrapped
from core.services.bootstrap.sources import named_source
from core.services.classify import take_in
from core.services.night.ingest import is_golden, trained_on
from core.services.night.record import nights
from core.services.versions import present_version
from core.store import Lease

PICTURES = 14


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards, the second of which begins with a near-duplicate; a captioner; domains of work."""
    root = tmp_path_factory.mktemp("given")
    (root / "shards").mkdir()
    pictures = {f"{number:06}": as_jpeg(screen(number)) for number in range(PICTURES)}
    half = PICTURES // 2
    shard(root / "shards" / "00000.tar", dict(list(pictures.items())[:half]))
    shard(root / "shards" / "00001.tar", {"100000": pictures["000003"], **dict(list(pictures.items())[half:])})
    tiny_blip(root / "blip")
    alike_domains(root / "works.toml")
    return root


def wanted(given: Path) -> dict[str, object]:
    return {
        "captioner": str(given / "blip"),
        "caption_tokens": 6,
        "examples": 12,
        "validation": 4,
        "levels": 2,
        "least_similarity": -1,
        "domains": str(given / "works.toml"),
    }


def lease_of(ws: Workspace, name: str = "bootstrap/screen") -> Lease:
    return ws.store.lease(name, "test", 600)


@pytest.fixture(scope="module")
def made(given: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Run, dict[str, dict]]:
    """A whole bootstrap."""
    ws = Workspace.open(tmp_path_factory.mktemp("bootstrapped") / "home")
    run = begin_bootstrap(ws, "screen", str(given / "shards"), 0, wanted(given))
    lease = lease_of(ws)
    done = {name: getattr(bootstrap, name)(ws, run, lease) for name in STAGES}
    lease.release()
    return ws, run, done


Made = tuple[Workspace, Run, dict[str, dict]]


def test_shards_are_streamed_and_near_duplicates_left_out(made: Made) -> None:
    ws, _, done = made
    assert done["pictures"] == {"looked_at": PICTURES + 1, "pictures": PICTURES, "left_out": 0, "duplicates": 1}
    assert done["captions"]["captions"] == PICTURES
    assert len(ws.store.find(Media)) == PICTURES


def test_the_set_is_balanced_and_its_sides_share_no_cluster(made: Made) -> None:
    ws, _, done = made
    (version,) = ws.store.get_many(DatasetVersion, [done["select"]["dataset_version"]])
    clusters: dict[bool, set[str]] = {True: set(), False: set()}
    answers: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for example, (role, answer) in version.labels.items():
        (record,) = ws.store.get_many(Example, [example])
        clusters[role == SET_ASIDE].add(record.cluster)
        answers[role == SET_ASIDE][answer] += 1
    assert clusters[True].isdisjoint(clusters[False])
    assert len(set(answers[False].values())) == 1 and len(answers[False]) == 2
    assert not any(is_golden(cluster, ws.settings.gate.golden_share) for cluster in clusters[False])


def test_a_judges_labels_are_nobodys_word_and_no_night_learns_from_them(made: Made) -> None:
    ws, _, _ = made
    assert ws.store.find(Correction) == [] and ws.store.labels("screen") == []
    assert nights(ws, "screen") == []
    with pytest.raises(NightshiftError, match="nobody has labelled anything"):
        present_version(ws, "screen")


def test_the_card_shows_counts_agreement_and_pictures_and_needs_nothing_else(made: Made) -> None:
    _, _, done = made
    page = Path(done["card"]["card"]).read_text()
    assert "http:" not in page and "https:" not in page
    assert page.count("data:image/jpeg;base64,") == min(12, done["card"]["train"] + done["card"]["validation"])
    assert f"{done['card']['agreement']:.1%}" in page
    assert set(done["card"]["domains"]) <= {domain.name for domain in load_domains().domains}


def test_what_is_done_is_not_done_again_and_another_seed_begins_anew(made: Made, given: Path) -> None:
    ws, run, done = made
    assert begin_bootstrap(ws, "screen", str(given / "shards"), 1, wanted(given)).id != run.id
    lease = lease_of(ws)
    assert {name: getattr(bootstrap, name)(ws, run, lease) for name in STAGES} == done
    lease.release()


def test_a_bootstrap_that_was_killed_goes_on_where_it_was(
    made: Made, given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ws = Workspace.open(tmp_path / "home")
    run = begin_bootstrap(ws, "screen", str(given / "shards"), 0, wanted(given))
    looked_at = []

    def dies(ws: Workspace, found: sources.FoundPicture) -> str | None:
        if len(looked_at) == 5:
            raise KeyboardInterrupt
        looked_at.append(found.name)
        return taken_in(ws, found)

    taken_in = stages._taken_in
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(stages, "_taken_in", dies)
        bootstrap.pictures(ws, run, lease_of(ws))
    with (ws.run_dir(run.id) / "pictures.jsonl").open("a") as file:
        file.write('{"media": "cut o')
    ws = Workspace.open(tmp_path / "home")
    assert begin_bootstrap(ws, "screen", str(given / "shards"), 0, wanted(given)) == run
    monkeypatch.setattr(stages, "_taken_in", lambda ws, found: (looked_at.append(found.name), taken_in(ws, found))[1])
    lease = ws.store.lease("bootstrap/other", "test", 600)
    assert bootstrap.pictures(ws, run, lease) == made[2]["pictures"]
    assert len(looked_at) == len(set(looked_at)) == PICTURES + 1


@pytest.mark.parametrize("erased", [[1], [4], [1, 2, 3, 4], [3, 4, 7]])
def test_a_bootstrap_from_the_store_passes_over_nothing_where_pictures_were_erased_meanwhile(
    given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, erased: list[int]
) -> None:
    ws = Workspace.open(tmp_path / "home")
    there = [take_in(ws, screen(number), name=None, source="camera", session=None).id for number in range(10)]
    run = begin_bootstrap(ws, "screen", "store", 0, wanted(given))
    looked_at: list[str] = []

    def dies(ws: Workspace, found: sources.FoundPicture) -> str | None:
        if len(looked_at) == 5:
            raise KeyboardInterrupt
        looked_at.append(found.name)
        return taken_in(ws, found)

    taken_in = stages._taken_in
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt), lease_of(ws) as lease:
        patched.setattr(stages, "_taken_in", dies)
        bootstrap.pictures(ws, run, lease)
    for number in erased:
        forget(ws, Wanted(screen=there[number]))
    monkeypatch.setattr(stages, "_taken_in", lambda ws, found: (looked_at.append(found.name), taken_in(ws, found))[1])
    with lease_of(ws) as lease:
        bootstrap.pictures(ws, run, lease)
    assert looked_at == [id for number, id in enumerate(there) if number < 5 or number not in erased]


def test_training_begins_with_what_is_easy_and_its_challenger_is_known_to_have_seen_the_set(made: Made) -> None:
    ws, _, done = made
    champion = ws.store.champion("screen")
    (ws.home / "nightshift.toml").write_text("[learning]\nrefresh_steps = 2\nbatch_size = 8\n")
    ws = Workspace.open(ws.home)
    lease = lease_of(ws, "night/screen")
    told = train_on_bootstrapped(ws, "screen", "sft", "latest", lease, steps=8)
    lease.release()
    first, second = done["select"]["levels"]
    assert told["levels"] == {"0": first, "4": second}
    assert ws.store.champion("screen") == champion
    challenger = ws.registry.named("screen", told["challenger"])
    (version,) = ws.store.get_many(DatasetVersion, [told["dataset_version"]])
    assert trained_on(ws, challenger) == {entry.split("=")[0] for entry in version.trained}
    assert len(trained_on(ws, challenger)) == done["select"]["train"]


def test_what_is_erased_leaves_the_set_and_the_proof_holds(made: Made) -> None:
    ws, _, done = made
    (version,) = ws.store.get_many(DatasetVersion, [done["select"]["dataset_version"]])
    example = version.trained[0].split("=")[0]
    (record,) = ws.store.get_many(Example, [example])
    with (ws.run_dir(made[1].id) / "questions.jsonl").open("a") as ledger:
        ledger.write('{"example": "cut o')
    told = forget(ws, Wanted(screen=record.media[0]))
    assert told["proof"]["ok"], told["proof"]["found"]
    assert ws.store.get(Example, example) is None
    assert len(stages.judged_candidates(ws, made[1])) < done["select"]["candidates"]
    assert not Path(done["card"]["card"]).exists()


def test_a_folder_and_the_store_are_sources_too(given: Path, tmp_path: Path) -> None:
    ws = Workspace.open(tmp_path / "home")
    (tmp_path / "images" / "deep").mkdir(parents=True)
    (tmp_path / "images" / "a.png").write_bytes(screen(1))
    (tmp_path / "images" / "deep" / "b.png").write_bytes(screen(2))
    found = list(named_source(ws, str(tmp_path / "images")).pictures(after=1))
    assert [(each.name, each.data) for each in found] == [("deep/b.png", screen(2))]
    assert list(named_source(ws, "store").pictures(after=0)) == []
    assert len(list(named_source(ws, str(given / "shards" / "00000.tar")).pictures(after=4))) == PICTURES // 2 - 4


@pytest.mark.parametrize("name", ["nowhere", "hub:nothing", "hub:a/b/c"])
def test_what_is_no_source_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match=r"is no source|names no repository"):
        named_source(Workspace.open(tmp_path / "home"), name)


def test_a_shard_that_is_damaged_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.tar").write_bytes(b"no tar" * 200)
    ws = Workspace.open(tmp_path / "home")
    with pytest.raises(NightshiftError, match="cannot be read"):
        list(named_source(ws, str(tmp_path / "bad.tar")).pictures(after=0))


def test_where_text_alone_is_kept_no_picture_is_described(tmp_path: Path) -> None:
    (tmp_path / "nightshift.toml").write_text('[reading]\nprivacy = "ui_text"\n')
    with pytest.raises(NightshiftError, match="describes whole pictures"):
        begin_bootstrap(Workspace.open(tmp_path), "screen", "store", 0)


def test_there_are_fifteen_domains_and_a_file_of_ones_own_adds_to_them(tmp_path: Path) -> None:
    assert len(load_domains().domains) == 15
    own = tmp_path / "works.toml"
    own.write_text(WORKS.format(name="beekeeping"))
    assert [domain.name for domain in load_domains(own).domains][-1] == "beekeeping"
    own.write_text(OURS.read_text().replace("{caption}", "{picture}"))
    with pytest.raises(NightshiftError, match="no other braces"):
        load_domains(own)


def test_a_caption_is_mapped_to_the_work_it_looks_like() -> None:
    domains = load_domains()
    proposals = domains.proposals("a truck parked next to a train at an airport", 0.25, Random(1))
    assert proposals[0].domain == "logistics_and_travel" and proposals[0].relation == "on_task"
    relations = Counter(
        proposal.relation
        for seed in range(60)
        for proposal in domains.proposals("a doctor with a patient in a hospital room", 0.25, Random(seed))
    )
    assert relations["on_task"] == 60 and relations["near_miss"] > 15 and relations["off_task"] > 15
    (alone,) = domains.proposals("qqq zzz", 0.9, Random(1))
    assert alone.relation == "off_task"


def test_roles_of_a_judge_are_told_from_those_of_people() -> None:
    items = {"train": ("a=x",), "golden": ("b=x",), f"{JUDGED}1": ("c=x",), SET_ASIDE: ("d=x",)}
    version = DatasetVersion.make("screen", items)
    assert set(version.trained) == {"a=x", "c=x"}
    assert version.judged == {"c=x", "d=x"}
