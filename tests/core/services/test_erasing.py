"""What somebody asks to be erased is gone everywhere, and what is left adds up and says so."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from labelled_folder import Pair
from PIL import Image

from app.watching import Spool
from core.media import Blobs
from core.schema import (
    CANNOT_TELL,
    Checkpoint,
    Correction,
    DatasetVersion,
    Erasure,
    Evaluation,
    Example,
    ItemScore,
    Judgment,
    Mark,
    Media,
    NightshiftError,
    Prediction,
    Release,
    Rollout,
    Run,
    StageResult,
    Tombstone,
    Variant,
    new_id,
    now,
)
from core.services import Classifier, Wanted, Workspace, classify, correct, export_version, forget, review_queue, undo
from core.services.clusters import VARIANT_SOURCE, ClusterIndex
from core.services.erasing import erased_entries, erasure, holding, open_erasures, unexplained
from core.services.night.ingest import is_golden, trained_clusters, trained_on
from core.services.night.record import lease_name, stage_id, unfinished
from core.store import Store

WORK = "Prepare the quarterly report."
RARELY = ("intend", "blob", "cache", "runs", "let go", "done")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a killed erasure does not wait long."""
    monkeypatch.setattr(holding, "LEASE_S", 2.0)


@pytest.fixture
def champion(ws: Workspace) -> Classifier:
    return Classifier.of_champion(ws, "screen")


def ask(ws: Workspace, champion: Classifier, pair: Pair, session: str | None = None) -> Prediction:
    return classify(ws, champion, pair.data, pair.ask, name=pair.file, source="api", session=session)


def media_of(ws: Workspace, said: Prediction) -> Media:
    (example,) = ws.store.get_many(Example, [said.example])
    (media,) = ws.store.get_many(Media, example.media)
    return media


def everything_of(ws: Workspace, said: Prediction, answer: str = "off_task", reviewer: str = "ann") -> str:
    """What nights and judges make of a labelled screen, written as they write it; the run."""
    (example,) = ws.store.get_many(Example, [said.example])
    correct(ws, said.id, answer, reviewer=reviewer, reason="she showed me her letter")
    made = Image.fromarray(np.full((40, 40, 3), len(ws.store.find(Media)), np.uint8))
    variant_media = store_picture(ws, made)
    child = Example.make(
        "screen", (variant_media.id,), "Other words.", answers=example.answers, cluster=example.cluster,
        parent=example.id,
    )  # fmt: skip
    run = Run(id=new_id(), environment="screen", seed=1, config={"upto_seq": ws.store.head("screen"), "after_seq": 0})
    version = DatasetVersion.make("screen", {"train": (f"{example.id}={answer}", *other_entries(ws, example.id))})
    variant = Variant(
        id=f"{example.id[:31]}f", environment="screen", example=child.id, parent=example.id, how="reworded",
        answer=answer, run=run.id,
    )  # fmt: skip
    results = {
        "ingest": {"dataset_version": version.id, "train": 1},
        "variants": {"ids": [variant.id, "another"], "variants": 1},
        "train": {"crossfit": {example.id: [-0.1, -2.3], "other": [-1.0, -1.0]}},
        "frozen": {"wanted": {"challenger": [example.id, "other"]}, "waiting": []},
        "report": {"night": {"to_review": [example.id]}},
    }
    score = ItemScore(example=example.id, cluster=example.cluster, score=1.0, answer="on_task", expected=answer)
    ws.store.add(
        child,
        variant,
        run,
        version,
        Judgment(id=new_id(), environment="screen", example=example.id, judge="j", prompt_version="1", rationale="hm"),
        Rollout(id=new_id(), environment="screen", example=example.id, run=run.id, answer="on_task", reward=1.0),
        Evaluation(
            id=new_id(), environment="screen", release="r", suite="s", run=run.id,
            scores=(score, score.model_copy(update={"example": "other"})),
        ),
        Checkpoint(id=f"{run.id}c", environment="screen", policy="reader", run=run.id),
        Checkpoint(id=f"{run.id}d", environment="screen", policy="reader", parent=f"{run.id}c", run="later"),
        Release.make("screen", {"policy": f"{run.id}d"}),
        *(StageResult(id=stage_id(run.id, name), run=run.id, stage=name, result=each, seconds=0.1)
          for name, each in results.items()),
    )  # fmt: skip
    scratch = ws.run_dir(run.id)
    (scratch / "training").mkdir(parents=True)
    (scratch / "items.json").write_text(json.dumps([example.model_dump(mode="json")]))
    (scratch / "training" / "result.json").write_text(example.id)
    (scratch / "training" / "steps.jsonl").write_text("{}\n")
    ws.library.reading(variant_media.id)
    return run.id


def other_entries(ws: Workspace, but: str) -> list[str]:
    return [f"{word.example}={word.answer}" for word in ws.store.labels("screen") if word.example != but]


def store_picture(ws: Workspace, image: Image.Image) -> Media:
    import io

    from core.media import intake

    out = io.BytesIO()
    image.save(out, "PNG")
    media, png = intake(out.getvalue(), ws.settings.media, source=VARIANT_SOURCE)
    ws.blobs.put(media.blob, png)
    ws.store.add(media)
    return media


def bytes_of(home: Path) -> bytes:
    files = (path for path in home.rglob("*") if path.is_file() and "registry" not in path.parts)
    return b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in files)


def contents(ws: Workspace) -> dict[str, int]:
    return {kind: number for kind, number in ws.store.tables().items() if number}


def test_a_screen_goes_with_all_that_was_made_of_it(ws: Workspace, champion: Classifier, pairs: list[Pair]) -> None:
    kept, gone = ask(ws, champion, pairs[2]), ask(ws, champion, pairs[0])
    correct(ws, kept.id, "on_task", reviewer="ben")
    media = media_of(ws, gone)
    run = everything_of(ws, gone)
    assert media.id.encode() in bytes_of(ws.home)

    done = forget(ws, Wanted(screen=media.id, reason="her letter"))

    assert done["erased"] == {
        "media": 2, "example": 2, "prediction": 1, "correction": 1, "judgment": 1, "rollout": 1, "variant": 1,
        "blobs": 2, "cache_files": done["erased"]["cache_files"],
    }  # fmt: skip
    assert done["erased"]["cache_files"] >= 2
    assert done["proof"]["ok"], done["proof"]["found"]
    assert done["proof"]["rewritten"] and done["proof"]["sought"] > 7
    assert [(each["checkpoint"], each["directly"]) for each in done["trained_on_it"]] == [
        (f"{run}c", True),
        (f"{run}d", False),
    ]
    assert ws.store.find(Prediction) == [kept]
    assert not ws.blobs.exists(media.blob)
    assert "letter" not in " ".join(word.reason or "" for word in ws.store.find(Correction))
    left = bytes_of(ws.home)
    assert gone.id.encode() not in left and media.blob.split("/")[1].encode() not in left
    assert [path.name for path in ws.run_dir(run).rglob("*") if path.is_file()] == ["steps.jsonl"]


def test_what_named_it_is_written_again_without_it_and_adds_up(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    kept, gone = ask(ws, champion, pairs[2]), ask(ws, champion, pairs[0])
    correct(ws, kept.id, "on_task", reviewer="ben")
    run = everything_of(ws, gone)
    version = ws.store.find(DatasetVersion)
    (example,) = ws.store.get_many(Example, [gone.example])

    forget(ws, Wanted(screen=gone.id))

    results = {done.stage: done.result for done in ws.store.find(StageResult, run=run)}
    assert results["train"] == {"crossfit": {"other": [-1.0, -1.0]}}
    assert results["variants"]["ids"] == ["another"]
    assert results["frozen"]["wanted"] == {"challenger": ["other"]}
    assert [score.example for each in ws.store.find(Evaluation) for score in each.scores] == ["other"]
    assert ws.store.find(DatasetVersion) == version
    assert unexplained(ws) == (1, 1, [])
    (stone,) = ws.store.find(Tombstone, content=gone.example)
    assert (stone.what, stone.cluster, stone.reason, stone.by) == ("example", example.cluster, "on request", "local")
    (release,) = [each for each in ws.store.find(Release) if each.checkpoints["policy"].startswith(run)]
    assert example.cluster in trained_clusters(ws, release)
    assert ws.store.check() == []


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_what_only_a_judge_spoke_for_counts_as_trained_on_where_the_judge_had_a_say(
    ws: Workspace, champion: Classifier, pairs: list[Pair], share: float
) -> None:
    labelled, doubtful = ask(ws, champion, pairs[2]), ask(ws, champion, pairs[0])
    run = everything_of(ws, labelled)
    said = {"share": share, "doubtful": [doubtful.example]}
    ws.store.add(StageResult(id=stage_id(run, "judge"), run=run, stage="judge", result=said, seconds=0.1))
    (release,) = [each for each in ws.store.find(Release) if each.checkpoints["policy"].startswith(run)]
    (example,) = ws.store.get_many(Example, [doubtful.example])
    is_trained_on = share > 0 and not is_golden(example.cluster, ws.settings.gate.golden_share)
    assert (example.id in trained_on(ws, release)) is is_trained_on
    assert (example.cluster in trained_clusters(ws, release)) is is_trained_on
    assert labelled.example in trained_on(ws, release)


def test_the_example_and_its_prediction_name_the_screen_as_well(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    said = [ask(ws, champion, pair) for pair in (pairs[0], pairs[2])]
    forget(ws, Wanted(screen=said[0].example))
    forget(ws, Wanted(screen=said[1].id))
    assert "media" not in contents(ws) and "prediction" not in contents(ws)


def test_a_session_goes_and_others_stay(ws: Workspace, champion: Classifier, pairs: list[Pair]) -> None:
    ask(ws, champion, pairs[0], "monday with ann")
    ask(ws, champion, pairs[2], "monday with ann")
    other = ask(ws, champion, pairs[4], "tuesday")
    done = forget(ws, Wanted(session="monday with ann"))
    assert done["erased"]["media"] == 2 and done["proof"]["ok"], done["proof"]["found"]
    assert ws.store.find(Prediction) == [other]
    assert b"monday with ann" not in bytes_of(ws.home)


def test_before_a_date_goes_what_was_not_sent_again_since(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    old, again = ask(ws, champion, pairs[0]), ask(ws, champion, pairs[2])
    moment = now()
    later = ask(ws, champion, pairs[2])
    forget(ws, Wanted(before=moment))
    assert {said.id for said in ws.store.find(Prediction)} == {again.id, later.id}
    assert ws.store.get(Example, old.example) is None


def test_a_reviewer_goes_with_every_word_and_what_came_of_it(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    by_ann, by_both = ask(ws, champion, pairs[0]), ask(ws, champion, pairs[2])
    run = everything_of(ws, by_ann, reviewer="Ann Other")
    correct(ws, by_both.id, "on_task", reviewer="ben")
    correct(ws, by_both.id, "off_task", reviewer="Ann Other")
    told = ask(ws, champion, pairs[0])
    assert told.from_person
    ws.store.add(Mark.make("screen", "r", "rejected", "blind on music", "Ann Other"))

    done = forget(ws, Wanted(reviewer="Ann Other"))

    assert done["proof"]["ok"], done["proof"]["found"]
    assert b"Ann Other" not in bytes_of(ws.home)
    assert [(label.example, label.answer) for label in ws.store.labels("screen")] == [(by_both.example, "on_task")]
    assert ws.store.find(Variant) == [] and ws.store.find(Rollout) == []
    assert {said.id for said in ws.store.find(Prediction)} == {by_ann.id, by_both.id}
    assert not ask(ws, champion, pairs[0]).from_person
    assert ws.store.find(Mark)[-1].by == "erased"
    assert unexplained(ws)[1:] == (1, [])
    assert [each["checkpoint"] for each in done["trained_on_it"]] == [f"{run}c", f"{run}d"]


def test_what_waits_to_be_answered_of_a_session_or_from_before_a_date_goes_too(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    said = ask(ws, champion, pairs[0], session="monday")
    spool = Spool(ws.settings.watch_dir / "server")
    spool.add_word({"prediction_id": said.id, "label": "on_task"})
    spool.add_screen(pairs[0].data, {"work": "w", "session": "monday"})
    tuesday = spool.add_screen(pairs[2].data, {"work": "w", "session": "tuesday"})

    foretold = forget(ws, Wanted(session="monday"), dry_run=True)
    assert foretold["erased"]["waiting_screens"] == 1 and len(spool.waiting()) == 3
    done = forget(ws, Wanted(session="monday"))

    assert done["proof"]["ok"], done["proof"]["found"]
    assert done["erased"]["waiting_screens"] == 1
    assert [each.id for each in spool.waiting()] == [tuesday]
    assert {path.suffix for path in spool.folder.iterdir()} == {".json", ".png", ""}
    moment = now() - timedelta(milliseconds=1)
    wednesday = spool.add_screen(pairs[0].data, {"work": "w", "session": "wednesday"})
    forget(ws, Wanted(before=moment))
    assert [each.id for each in spool.waiting()] == [wednesday]


def test_the_proof_finds_a_screen_of_an_erased_session_that_still_waits(
    ws: Workspace, champion: Classifier, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(ws, champion, pairs[0], session="Montag früh")
    Spool(ws.settings.watch_dir / "here").add_screen(pairs[0].data, {"work": "w", "session": "Montag früh"})
    monkeypatch.setattr(erasure, "remove_screens", lambda _: {})
    proof = forget(ws, Wanted(session="Montag früh"))["proof"]
    assert any(line.startswith("watch/here/") for line in proof["found"])


def test_the_proof_finds_versions_that_a_bucket_keeps(
    ws: Workspace, champion: Classifier, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ask(ws, champion, pairs[0])
    blob = media_of(ws, said).blob
    monkeypatch.setattr(Blobs, "versions_kept", lambda *_: 2)
    proof = forget(ws, Wanted(screen=said.id))["proof"]
    assert (proof["ok"], proof["found"]) == (False, [f"the bucket keeps 2 versions of {blob}"])


def test_what_a_reviewer_took_back_of_others_does_not_stand_again_once_they_go(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    wrong, own = ask(ws, champion, pairs[0]), ask(ws, champion, pairs[2])
    correct(ws, wrong.id, "on_task", reviewer="ben")
    undo(ws, wrong.id, reviewer="Ann Other")
    correct(ws, own.id, "on_task", reviewer="Ann Other")
    undo(ws, own.id, reviewer="Ann Other")

    done = forget(ws, Wanted(reviewer="Ann Other"))

    assert done["proof"]["ok"], done["proof"]["found"]
    assert done["erased"]["correction"] == 2
    assert ws.store.labels("screen") == []
    word, retraction = ws.store.find(Correction)
    assert (word.reviewer, retraction.reviewer, retraction.retracts) == ("ben", "erased", word.id)
    assert b"Ann Other" not in bytes_of(ws.home)


def test_a_dry_run_changes_nothing_and_foretells(ws: Workspace, champion: Classifier, pairs: list[Pair]) -> None:
    said = ask(ws, champion, pairs[0])
    everything_of(ws, said)
    before = contents(ws)
    foretold = forget(ws, Wanted(screen=said.id), dry_run=True)
    assert contents(ws) == before
    done = forget(ws, Wanted(screen=said.id))
    assert foretold["erased"] == {
        kind: number for kind, number in done["erased"].items() if kind not in ("blobs", "cache_files")
    }
    assert foretold["trained_on_it"] == done["trained_on_it"]


def test_asking_twice_is_no_fault_and_a_screen_that_never_was_is_one(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    said = ask(ws, champion, pairs[0])
    media = media_of(ws, said)
    forget(ws, Wanted(screen=media.id))
    again = forget(ws, Wanted(screen=media.id))
    assert (again["erased"], again["proof"]["ok"]) == ({}, True)
    with pytest.raises(NightshiftError, match="there is no picture"):
        forget(ws, Wanted(screen="f" * 64))


def test_nothing_changes_while_a_night_runs(ws: Workspace, champion: Classifier, pairs: list[Pair]) -> None:
    said = ask(ws, champion, pairs[0])
    before = bytes_of(ws.home / "blobs"), contents(ws)
    with (
        ws.store.lease(lease_name("screen"), "process 1 on here", 60),
        pytest.raises(NightshiftError, match=r"a night is running .*nothing was erased"),
    ):
        forget(ws, Wanted(screen=said.id))
    assert (bytes_of(ws.home / "blobs"), contents(ws)) == before


def test_a_night_that_died_on_what_is_erased_is_given_up(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    said = ask(ws, champion, pairs[0])
    run = everything_of(ws, said)
    ws.store.erase({StageResult: {"id": [stage_id(run, "report")]}})
    assert unfinished(ws, "screen") is not None
    forget(ws, Wanted(screen=said.id))
    assert unfinished(ws, "screen") is None


def test_an_erased_screen_may_be_taken_in_again(ws: Workspace, champion: Classifier, pairs: list[Pair]) -> None:
    said = ask(ws, champion, pairs[0])
    correct(ws, said.id, CANNOT_TELL)
    media = media_of(ws, said)
    forget(ws, Wanted(screen=media.id))

    again = ask(ws, champion, pairs[0])
    assert again.example == said.example and media_of(ws, again).id == media.id
    assert ws.store.labels("screen") == []
    assert ws.blobs.exists(media.blob)
    correct(ws, again.id, "on_task")
    assert forget(ws, Wanted(screen=media.id))["erased"]["correction"] == 1


def test_nothing_comes_back_from_a_process_that_had_it_open(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    """A server that still remembers the screen: its queue, a late word, a late verdict, its memory."""
    said = ask(ws, champion, pairs[0], session="s")
    media = media_of(ws, said)
    (example,) = ws.store.get_many(Example, [said.example])
    server = Workspace.open(ws.home)
    server.library.reading(media.id)
    server.clusters.known()
    assert review_queue(server, "screen")

    forget(ws, Wanted(screen=media.id))

    assert review_queue(server, "screen") == []
    with pytest.raises(NightshiftError, match="no prediction"):
        correct(server, said.id, "on_task")
    assert (
        server.store.add(example, said, Correction(id="w", environment="screen", example=example.id, answer="x")) == 0
    )
    server.let_go_of_erased()
    assert server.clusters.known() == set()
    with pytest.raises(NightshiftError, match="no picture"):
        server.library.reading(media.id)
    assert not [path for path in (ws.home / "cache").rglob("*") if media.id in path.name]


def test_a_screen_erased_while_it_is_answered_is_not_answered(
    ws: Workspace, champion: Classifier, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = champion.predict

    def erased_meanwhile(examples: list[Example]) -> list[Prediction]:
        said = real(examples)
        forget(ws, Wanted(screen=examples[0].media[0]))
        return said

    monkeypatch.setattr(champion, "predict", erased_meanwhile)
    with pytest.raises(NightshiftError, match="erased while it was answered"):
        ask(ws, champion, pairs[0])
    assert not {"media", "example", "prediction"} & contents(ws).keys()
    assert not list((ws.home / "blobs").rglob("*.png"))


def test_a_picture_that_comes_in_again_while_its_file_goes_keeps_it(
    ws: Workspace, champion: Classifier, pairs: list[Pair], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ask(ws, champion, pairs[0])
    media = media_of(ws, said)
    real = Blobs.delete

    def sent_again_meanwhile(blobs: Blobs, key: str) -> None:
        ws.store.add(media.model_copy(update={"at": now()}))
        real(blobs, key)

    monkeypatch.setattr(Blobs, "delete", sent_again_meanwhile)
    done = forget(ws, Wanted(screen=media.id))
    assert ws.store.get(Media, media.id) is not None and ws.blobs.exists(media.blob)
    assert done["proof"]["ok"], done["proof"]["found"]


def test_near_duplicates_keep_the_cluster_whose_first_picture_was_erased(ws: Workspace) -> None:
    def near(tag: str) -> Media:
        blob = f"{tag * 64}"
        return Media(id=tag * 64, blob=f"{tag * 2}/{blob}.png", width=9, height=9, phash="00000000000000ff")

    first, second, third = near("a"), near("b"), near("c")
    ws.store.add(first, second)
    bound = ws.environment("screen")
    examples = [bound.example((each.id,), WORK, cluster=ws.clusters.cluster(each.id)) for each in (first, second)]
    ws.store.add(*examples)
    assert examples[1].cluster == first.id

    forget(ws, Wanted(screen=first.id))
    ws.store.add(third)
    fresh = ClusterIndex(ws.store, ws.settings.review.duplicate_distance)
    assert fresh.cluster(third.id) == ws.clusters.cluster(third.id) == first.id


def test_the_proof_finds_what_was_put_back(ws: Workspace, champion: Classifier, pairs: list[Pair]) -> None:
    said = ask(ws, champion, pairs[0])
    media = media_of(ws, said)
    stray = ws.home / "logs" / "stray.log"
    stray.parent.mkdir(exist_ok=True)
    stray.write_text(f"looked at {said.id}\n")
    done = forget(ws, Wanted(screen=media.id))
    assert not done["proof"]["ok"]
    assert done["proof"]["found"] == ["logs/stray.log names 1 of it"]


@pytest.mark.parametrize("step", ["rows", "compact", *(pytest.param(each, marks=pytest.mark.soak) for each in RARELY)])
def test_killed_at_any_step_the_same_command_comes_to_the_same_end(
    ws: Workspace, champion: Classifier, pairs: list[Pair], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a kill leaves it: the lease is not given back."""
    from core.services.erasing import erasure as module

    kept, gone = ask(ws, champion, pairs[2]), ask(ws, champion, pairs[0])
    correct(ws, kept.id, "on_task", reviewer="ben")
    run = everything_of(ws, gone)
    media = media_of(ws, gone)

    class Killed(BaseException):
        pass

    calls = {"erase": 0}
    before = {"erase": Store.erase, "compact": Store.compact}

    def die(*_: object, **__: object) -> None:
        raise Killed

    def erase(store: Store, *arguments: object, **named: object) -> object:
        calls["erase"] += 1
        if calls["erase"] == {"rows": 1, "let go": 2, "done": 3}[step]:
            raise Killed
        return before["erase"](store, *arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("core.store.leases.Lease.release", lambda _: None)
        if step == "intend":
            patch.setattr(module._Work, "_erase", die)
        elif step in ("rows", "let go", "done"):
            patch.setattr(Store, "erase", erase)
        elif step == "blob":
            patch.setattr(Blobs, "delete", die)
        elif step == "cache":
            patch.setattr("core.reading.DerivedCache.forget", die)
        elif step == "runs":
            patch.setattr(module, "clear_runs", die)
        else:
            patch.setattr(Store, "compact", die)
        with pytest.raises(Killed):
            forget(ws, Wanted(screen=media.id))
    assert len(open_erasures(ws)) == 1

    done = forget(Workspace.open(ws.home), Wanted(screen=media.id))

    assert done["proof"]["ok"], done["proof"]["found"]
    assert open_erasures(ws) == []
    assert ws.store.find(Prediction) == [kept] and ws.store.find(Evaluation)[0].scores[0].example == "other"
    left = bytes_of(ws.home)
    assert gone.id.encode() not in left and media.blob.split("/")[1].encode() not in left
    assert [each["checkpoint"] for each in done["trained_on_it"]] == [f"{run}c", f"{run}d"]
    counted = {name: sum(each.erased.get(name, 0) for each in ws.store.find(Erasure)) for name in ("media", "example")}
    assert counted == {"media": 2, "example": 2}
    assert unexplained(ws)[1:] == (1, [])


def test_pictures_of_variants_that_were_not_kept_go_as_well(
    ws: Workspace, champion: Classifier, pairs: list[Pair]
) -> None:
    said = ask(ws, champion, pairs[0])
    left = store_picture(ws, Image.fromarray(np.full((40, 40, 3), 7, np.uint8)))
    forget(ws, Wanted(screen=said.id))
    assert not ws.blobs.exists(left.blob) and ws.store.get(Media, left.id) is None


def test_a_request_asks_for_one_thing() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Wanted(screen="a", before=now() - timedelta(days=1))


def test_a_version_is_exported_without_what_was_erased_and_without_labels_of_who_was(
    ws: Workspace, champion: Classifier, pairs: list[Pair], tmp_path: Path
) -> None:
    gone, by_ann, kept = (ask(ws, champion, pairs[place]) for place in (0, 2, 4))
    for said, reviewer in ((gone, "ben"), (by_ann, "ann"), (kept, "ben")):
        correct(ws, said.id, "on_task", reviewer=reviewer)
    items = tuple(f"{said.example}=on_task" for said in (gone, by_ann, kept))
    version = DatasetVersion.make("screen", {"train": items})
    ws.store.add(version)
    forget(ws, Wanted(screen=gone.id))
    forget(ws, Wanted(reviewer="ann"))

    assert erased_entries(ws, version) == set(items[:2])
    report = export_version(ws, "screen", version.id, "folder", tmp_path / "out")
    assert report.examples == 1
    assert b"ann" not in (tmp_path / "out" / "tasks.csv").read_bytes()
