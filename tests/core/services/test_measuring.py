import csv
import shutil
from pathlib import Path

import pytest
from labelled_folder import Pair

from core.schema import Checkpoint, NightshiftError
from core.services import Workspace, evaluate_folder


def test_measuring_writes_nothing_into_the_installation(ws: Workspace, folder: Path) -> None:
    before = ws.store.tables()
    blobs = sorted((ws.home / "blobs").rglob("*"))
    evaluate_folder(ws, "screen", folder)
    assert ws.store.tables() == before
    assert sorted((ws.home / "blobs").rglob("*")) == blobs


def test_the_figures_of_a_folder_agree_with_each_other(ws: Workspace, folder: Path, pairs: list[Pair]) -> None:
    measured = evaluate_folder(ws, "screen", folder)
    assert set(measured) == {
        "n", "accuracy", "ci95", "balanced_accuracy", "auroc", "ece", "abstaining", "hard", "by_category", "latency_ms",
    }  # fmt: skip
    assert measured["n"] == len(pairs)
    low, high = measured["ci95"]
    assert 0 <= low <= measured["accuracy"] <= high <= 1
    assert sum(of["n"] for of in measured["by_category"].values()) == measured["n"]
    right = sum(of["n"] * of["accuracy"] for of in measured["by_category"].values())
    assert right / measured["n"] == pytest.approx(measured["accuracy"], abs=1e-3)
    assert measured["hard"]["n"] <= measured["n"]
    assert 0 < measured["latency_ms"]["p50"] <= measured["latency_ms"]["p95"]
    assert measured["auroc"] > 0.5


def test_measuring_twice_gives_the_same_figures(ws: Workspace, folder: Path) -> None:
    once, again = (evaluate_folder(ws, "screen", folder) for _ in range(2))
    for measured in (once, again):
        measured.pop("latency_ms")
    assert once == again


def test_rows_that_cannot_be_measured_are_left_out(
    ws: Workspace, folder: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / "copy"))
    with (copied / "tasks.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["gone.png", "Sing.", "on_task", ""], [pairs[0].file, "Sing.", "perhaps", ""]])
    told: list[tuple[int, int]] = []
    measured = evaluate_folder(ws, "screen", copied, progress=lambda done, total: told.append((done, total)))
    assert measured["n"] == len(pairs)
    assert told[-1] == (len(pairs) + 2, len(pairs) + 2)


def test_a_folder_without_labels_is_refused(ws: Workspace, folder: Path) -> None:
    with pytest.raises(NightshiftError, match=r"has no tasks\.csv"):
        evaluate_folder(ws, "screen", folder / "images")


def test_a_folder_without_one_good_pair_is_refused(ws: Workspace, tmp_path: Path) -> None:
    (tmp_path / "tasks.csv").write_text("file,task_description,label\ngone.png,Sing.,on_task\n")
    with pytest.raises(NightshiftError, match="no pair of a good image and a good label"):
        evaluate_folder(ws, "screen", tmp_path)


def test_an_unknown_release_is_refused(ws: Workspace, folder: Path) -> None:
    with pytest.raises(NightshiftError, match="no release of screen begins with 'zzz'"):
        evaluate_folder(ws, "screen", folder, release="zzz")


def test_the_prompted_baseline_is_measured_and_not_kept(ws: Workspace, folder: Path) -> None:
    before = ws.store.count(Checkpoint)
    figures = evaluate_folder(ws, "screen", folder, prompted=True)
    assert figures["n"] > 0 and figures["accuracy"] is not None
    assert ws.store.count(Checkpoint) == before


def test_the_prompted_baseline_stands_beside_a_release_with_the_difference_on_the_same_pairs(
    ws: Workspace, folder: Path
) -> None:
    alone = evaluate_folder(ws, "screen", folder, prompted=True)
    beside = evaluate_folder(ws, "screen", folder, beside_prompted=True)
    baseline = beside["baseline"]
    assert {name: baseline[name] for name in ("n", "accuracy", "auroc")} == {
        name: alone[name] for name in ("n", "accuracy", "auroc")
    }
    difference = baseline["difference"]
    assert difference["accuracy"] == pytest.approx(beside["accuracy"] - baseline["accuracy"])
    low, high = difference["ci95"]
    assert low <= difference["accuracy"] <= high


def test_a_row_whose_label_says_that_nobody_can_tell_is_left_out(
    ws: Workspace, folder: Path, pairs: list[Pair], tmp_path: Path
) -> None:
    copied = Path(shutil.copytree(folder, tmp_path / "copy"))
    with (copied / "tasks.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([pairs[0].file, "Sing.", "cannot_tell", ""])
    assert evaluate_folder(ws, "screen", copied)["n"] == len(pairs)
