"""`draw_folder`: real Chromium, real folders."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.environments.screen.rendering import ScreenTruth
from core.schema import NightshiftError
from core.services import Workspace, draw_folder, measure_drawn
from core.services.drawing import read_truth
from core.services.folders import read_folder

COUNT = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("chromium") is None:
        pytest.skip("there is no Chromium on this machine; `make browser` installs it")
    directory = tmp_path_factory.mktemp("drawn") / "screens"
    told: list[tuple[int, int]] = []
    drawn = draw_folder(directory, count=COUNT, seed=11, progress=lambda *at: told.append(at))
    assert (drawn.screens, told[-1]) == (COUNT, (COUNT, COUNT))
    return directory


@pytest.fixture(scope="module")
def truths(folder: Path) -> list[ScreenTruth]:
    return read_truth(folder)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_the_same_seed_draws_the_same_pixels_and_truth(folder: Path, tmp_path: Path) -> None:
    draw_folder(tmp_path / "again", count=2, seed=11)
    for name in ("0000.png", "0001.png"):
        assert np.array_equal(pixels(tmp_path / "again" / "images" / name), pixels(folder / "images" / name))
    assert read_truth(tmp_path / "again") == read_truth(folder)[:2]


def test_a_drawn_folder_is_a_labelled_folder(folder: Path) -> None:
    rows = read_folder(folder)
    assert {row.file for row in rows} == {f"{number:04}.png" for number in range(COUNT)}
    assert {row.label for row in rows} == {"on_task", "off_task"}
    assert all(row.app != row.file and row.category for row in rows)


def test_the_truth_is_of_the_picture_it_names(folder: Path, truths: list[ScreenTruth]) -> None:
    for truth in truths:
        with Image.open(folder / "images" / truth.file) as image:
            assert image.size == (truth.width, truth.height)
        assert truth.title
        assert any(truth.title.startswith(line.text) or line.text in truth.title for line in truth.lines)
        boxes = [each.box for each in (*truth.windows, *truth.elements, *truth.lines)]
        assert all(0 <= left < right <= 1.001 and 0 <= top < bottom <= 1.001 for left, top, right, bottom in boxes)


def test_a_line_stands_where_there_is_ink(folder: Path, truths: list[ScreenTruth]) -> None:
    truth = truths[0]
    drawn = pixels(folder / "images" / truth.file)
    for line in truth.lines:
        left, top, right, bottom = line.box
        part = drawn[int(top * truth.height) : int(bottom * truth.height) + 1, int(left * truth.width) :]
        assert np.ptp(part[:, : int((right - left) * truth.width) + 1]) > 20, line


def test_the_verifier_is_held_against_the_truth(folder: Path, tmp_path: Path) -> None:
    figures = measure_drawn(Workspace.open(tmp_path / "home"), folder)
    assert figures.screens == COUNT
    assert figures.lines > 100 and figures.lines_read > 0.3
    assert set(figures.titles_within) == {"desktop", "web", "phone", "all"}
    assert figures.elements["button"].n > 0


def test_a_folder_that_holds_something_is_not_drawn_into(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(NightshiftError, match="not empty"):
        draw_folder(tmp_path, count=1)


@pytest.mark.parametrize(("option", "message"), [("kinds", "no kind of screen"), ("languages", "no language")])
def test_kinds_and_languages_that_do_not_exist_are_named(tmp_path: Path, option: str, message: str) -> None:
    with pytest.raises(NightshiftError, match=f"there is {message} 'klingon'"):
        draw_folder(tmp_path / "screens", count=1, **{option: ["klingon"]})
    assert list(tmp_path.iterdir()) == []


def test_without_chromium_it_is_said_what_is_missing_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NightshiftError, match="needs a Chromium"):
        draw_folder(tmp_path / "screens", count=1)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_not_drawn_has_no_truth(tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match=r"has no truth\.jsonl"):
        read_truth(tmp_path)
