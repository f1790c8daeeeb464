"""What enters a training between its rounds: questions and answers, rows that come and go, kills."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_policy import item, new_policy, vector_of

from core.learning import (
    HeldOut,
    Refresh,
    Refreshes,
    TrainingItem,
    TrainingJob,
    read_steps,
    run_training,
    save_features,
    save_items,
    train,
)
from core.learning.live_items import Change, LiveItems
from core.schema import NightshiftError
from core.settings import LearningSettings

ROUNDS = LearningSettings(
    steps=12, batch_size=8, learning_rate=0.05, threads=1, refresh_steps=4, checkpoint_steps=4, groups="sampled",
    collapse_zero_variance=1.0,
)  # fmt: skip
FIRST = [item(f"screen {i}", cluster=f"cluster {i}", label=i % 3) for i in range(9)]
LATER = [item(f"later {i}", cluster=f"cluster {i}", label=2) for i in range(4)]


def answer_in(refreshes: Refreshes, step: int, items: Sequence[TrainingItem], leaves: Sequence[str] = ()) -> Refresh:
    features = [vector_of(each.example) for each in items]
    refresh = refreshes.prepare(step, items, features, leaves=leaves, dataset_version="some words")
    refreshes.publish(refresh)
    return refresh


def test_a_training_waits_for_its_answer_and_reads_what_was_prepared(tmp_path: Path) -> None:
    refreshes, got = Refreshes(tmp_path / "refreshes"), []
    asking = threading.Thread(target=lambda: got.append(refreshes.at(4)))
    asking.start()
    while refreshes.asked() is None:
        assert asking.is_alive()
    assert refreshes.asked() == 4
    answered = answer_in(refreshes, 4, LATER[:2])
    asking.join()
    assert got == [answered] and refreshes.asked() is None
    items, features = refreshes.read(answered)
    assert items == LATER[:2]
    assert torch.equal(features[1]["vector"], vector_of(LATER[1].example)["vector"])
    assert refreshes.at(4) == answered


def test_the_same_words_have_the_same_manifest_wherever_they_are_kept(tmp_path: Path) -> None:
    one, other = (answer_in(Refreshes(tmp_path / name), 4, LATER, ["b", "a"]) for name in ("one", "other"))
    assert one.id == other.id
    assert one.id != answer_in(Refreshes(tmp_path / "third"), 4, LATER[:3], ["b", "a"]).id


def test_what_was_prepared_and_not_published_is_not_seen(tmp_path: Path) -> None:
    refreshes = Refreshes(tmp_path)
    refreshes.prepare(4, LATER, [vector_of(each.example) for each in LATER], dataset_version="some words")
    assert refreshes.known(4) is None and list(refreshes.changes()) == []


def test_a_damaged_file_stops_the_training(tmp_path: Path) -> None:
    refreshes = Refreshes(tmp_path / "refreshes")
    answered = answer_in(refreshes, 4, LATER)
    (damaged,) = (path for path in (tmp_path / "refreshes").glob("entered-*") if path.name[8:] == answered.items[:32])
    damaged.write_bytes(b"[]")
    with pytest.raises(NightshiftError, match="is damaged"):
        refreshes.read(answered)


def live_of(items: Sequence[TrainingItem]) -> LiveItems:
    return LiveItems(items, [vector_of(each.example) for each in items], torch.zeros(len(items), 3), ROUNDS, seed=0)


def drawn(live: LiveItems) -> set[int]:
    return set(live.draw(400, 0))


def test_with_an_example_all_that_was_made_from_it_leaves() -> None:
    parent = FIRST[0].example.id
    child = item("child", parent=parent, label=0)
    grandchild = item("grandchild", parent=child.example.id, label=0)
    live = live_of([*FIRST, child, grandchild])
    assert live.take_in(Change([], [], frozenset({parent})), torch.zeros(0, 3)) == (0, 1)
    assert drawn(live) == set(range(1, 9))


def test_a_word_takes_the_place_of_what_was_there_of_the_same_example() -> None:
    again = item("screen 3", cluster="cluster 3", label=2)
    live = live_of([*FIRST, item("reworded", parent=again.example.id, label=0)])
    assert live.take_in(Change([again], [vector_of(again.example)]), torch.zeros(1, 3)) == (1, 0)
    assert drawn(live) == {*range(9), 10} - {3}
    assert live.targets().labels_N[10] == 2


def test_a_training_of_which_everything_is_taken_back_stops() -> None:
    everything = frozenset(each.example.id for each in FIRST)
    with pytest.raises(NightshiftError, match="nothing to train on"):
        live_of(FIRST).take_in(Change([], [], everything), torch.zeros(0, 3))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sets(st.integers(0, 8), max_size=3)), max_size=4))
def test_rows_keep_their_meaning_and_only_live_ones_are_drawn(changes: list[tuple[int, set[int]]]) -> None:
    live = live_of([*FIRST, item("stays", label=0)])
    gone: set[str] = set()
    for entering, leaving in changes:
        before = [each.example.id for each in live.items]
        leaves = frozenset(FIRST[i].example.id for i in leaving)
        entered = LATER[entering : entering + 1]
        live.take_in(Change(entered, [vector_of(each.example) for each in entered], leaves), torch.zeros(1, 3))
        gone = (gone | leaves) - {each.example.id for each in entered}
        assert [each.example.id for each in live.items][: len(before)] == before
        assert gone.isdisjoint(live.items[row].example.id for row in drawn(live))
        assert len(live.targets().weights_N) == len(live.items)


def train_with(out: Path, words: dict[int, Sequence[TrainingItem]], held_out: Sequence[HeldOut] = ()) -> None:
    refreshes = Refreshes(out.with_name(f"{out.name}.refreshes"))
    for step in range(4, 12, 4):
        answer_in(refreshes, step, words.get(step, ()))
    train(
        FIRST, [vector_of(each.example) for each in FIRST], new_policy(), ROUNDS, seed=5, out=out, refreshes=refreshes,
        held_out=held_out, held_out_features=[vector_of(FIRST[0].example)] * len(held_out),
    )  # fmt: skip


def test_what_enters_after_a_round_leaves_the_steps_before_it_as_they_were(tmp_path: Path) -> None:
    train_with(tmp_path / "quiet", {})
    train_with(tmp_path / "spoken", {8: LATER})
    quiet, spoken = (read_steps(tmp_path / name) for name in ("quiet", "spoken"))
    losses = [[step["loss"] for step in steps] for steps in (quiet, spoken)]
    assert losses[0][:8] == losses[1][:8] and losses[0][9:] != losses[1][9:]
    assert [step["step"] for step in spoken if "words_entered" in step] == [9]


def test_the_challenger_that_makes_evidence_takes_in_nothing_of_its_held_out_clusters(tmp_path: Path) -> None:
    held = [HeldOut(example=FIRST[0].example.id, cluster="cluster 0", fold=0)]
    train_with(tmp_path / "quiet", {}, held)
    train_with(tmp_path / "same cluster", {4: LATER[:1]}, held)
    train_with(tmp_path / "another", {4: LATER[1:2]}, held)
    evidence = [(tmp_path / name / "crossfit.json").read_text() for name in ("quiet", "same cluster", "another")]
    assert evidence[0] == evidence[1] != evidence[2]


def test_a_training_killed_after_words_entered_goes_on_with_them_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOOMED_COUNTS", str(tmp_path / "counts"))
    words = {4: LATER[:2], 8: LATER[2:]}
    train_with(tmp_path / "undisturbed", words)
    (tmp_path / "champion").mkdir()
    new_policy().save(tmp_path / "champion")
    save_items(tmp_path / "items.json", FIRST)
    save_features(tmp_path / "features.safetensors", [vector_of(each.example) for each in FIRST])
    refreshes = Refreshes(tmp_path / "asked")
    job = TrainingJob(
        policy="doomed:DoomedLinear", champion=tmp_path / "champion", items=tmp_path / "items.json",
        features=tmp_path / "features.safetensors", settings=ROUNDS, seed=5, refreshes=tmp_path / "asked",
        out=tmp_path / "out",
    )  # fmt: skip
    asked: list[int] = []

    def answer(step: int) -> None:
        asked.append(step)
        answer_in(refreshes, step, words[step])

    with monkeypatch.context() as patch, pytest.raises(NightshiftError, match="SIGKILL"):
        patch.setenv("DOOMED_AT", "7")
        run_training(job, 300, answer=answer)
    (tmp_path / "counts").unlink()
    result = run_training(job, 300, answer=answer)
    assert asked == [4, 8]
    assert len((tmp_path / "counts").read_text()) == 12 - 4  # from the checkpoint, not from the beginning
    assert list(result.refreshes) == [4, 8]
    assert json.loads((tmp_path / "out/result.json").read_text())["refreshes"].keys() == {"4", "8"}
    weights = [(tmp_path / name / "full/model.safetensors").read_bytes() for name in ("undisturbed", "out")]
    assert weights[0] == weights[1]
