import csv
import shutil
from pathlib import Path

import pytest

from core.schema import NightshiftError
from core.services import Workspace, measure_titles, verify_screen
from core.services.verifying import edit_distance

COLUMNS = ("file", "window_title")


def manifest(folder: Path, rows: list[tuple[str, str]], columns: tuple[str, str] = COLUMNS) -> Path:
    """A folder with a manifest of `rows`."""
    folder.mkdir(exist_ok=True)
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return folder


@pytest.fixture
def titled(drawn: Path, tmp_path: Path) -> Path:
    """Two drawn screens that are windows; of one, somebody says that it has no title."""
    images = tmp_path / "titled" / "images"
    images.mkdir(parents=True)
    for file in ("code_editor.png", "spreadsheet.png"):
        shutil.copy(drawn / "images" / file, images / file)
    rows = [("code_editor.png", "forecast.py - tidewatch - Harbor Code"), ("spreadsheet.png", "")]
    return manifest(images.parent, rows)


def test_titles_are_measured_beside_what_a_person_read(ws: Workspace, titled: Path) -> None:
    told: list[tuple[int, int]] = []
    figures = measure_titles(ws, titled, progress=lambda done, total: told.append((done, total)))
    assert (figures.n, figures.within, figures.without, figures.false_titles) == (1, 1.0, 1, 1.0)
    assert [(miss.file, miss.person) for miss in figures.misses] == [("spreadsheet.png", None)]
    assert 0 < figures.ms_p50 < 1000
    assert told == [(1, 2), (2, 2)]


def test_a_screen_gives_its_title_its_elements_and_signals(ws: Workspace, titled: Path) -> None:
    found = verify_screen(ws, titled / "images" / "spreadsheet.png")
    assert found.title is not None and "budget" in found.title
    assert {"menu_bar", "text", "table", "button"} <= {element.kind for element in found.elements}
    assert found.signals["image_share"] == 0 < found.signals["text_share"] < 1


def test_a_folder_that_is_not_there_is_refused(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match="there is no folder"):
        measure_titles(ws, tmp_path / "nowhere")


def test_a_folder_without_a_manifest_is_refused(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match=r"no rows in a manifest.csv.*window_title"):
        measure_titles(ws, tmp_path)


def test_a_manifest_without_titles_is_refused(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match="no column 'window_title'"):
        measure_titles(ws, manifest(tmp_path / "bare", [("a.png", "x")], ("file", "app")))


def test_a_row_without_its_picture_is_refused(ws: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match=r"gone\.png"):
        measure_titles(ws, manifest(tmp_path / "gone", [("gone.png", "x")]))


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1 / 3), ("", "ab", 1), ("kitten", "sitting", 3 / 7)],
)
def test_the_edit_distance_is_a_share_of_the_longer_text(one: str, other: str, distance: float) -> None:
    assert edit_distance(one, other) == edit_distance(other, one) == pytest.approx(distance)
