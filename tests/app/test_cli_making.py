"""`nightshift draw`, `nightshift verify drawn`, and what `nightshift bootstrap` and `train` refuse."""

import shutil
from pathlib import Path

import pytest
from forked import nightshift

needs_chromium = pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium on this machine")


@needs_chromium
def test_what_is_drawn_can_be_verified(tmp_path: Path) -> None:
    at = ("--home", str(tmp_path / "home"), "--json")
    out = tmp_path / "drawn"
    drawn = nightshift(tmp_path, "draw", "--out", str(out), "--count", "3", "--kind", "phone", "--language", "de", *at)
    assert drawn.status == 0, drawn.err
    assert (drawn.answer["screens"], drawn.answer["platforms"], drawn.answer["languages"]) == (
        3,
        {"phone": 3},
        {"de": 3},
    )
    assert Path(drawn.answer["contact_sheet"]).is_file()
    verified = nightshift(tmp_path, "verify", "drawn", "--dataset", str(out), *at)
    assert verified.status == 0, verified.err
    assert verified.answer["screens"] == 3 and verified.answer["lines_read"] > 0.5


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    ended = nightshift(tmp_path, "draw", "--out", str(Path(__file__).parent), "--json")
    assert ended.status == 1
    assert "not empty" in ended.answer["error"]


def test_a_source_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    ended = nightshift(tmp_path, "bootstrap", str(tmp_path / "nowhere"), "--home", str(tmp_path / "home"), "--json")
    assert ended.status == 1
    assert "is no source of pictures" in ended.answer["error"]


def test_a_version_that_people_labelled_is_not_trained_on_as_a_judges(tmp_path: Path) -> None:
    at = ("--home", str(tmp_path / "home"), "--json")
    ended = nightshift(tmp_path, "train", "--method", "sft", "--bootstrapped", "latest", *at)
    assert ended.status == 1
    assert "no version begins with 'latest'" in ended.answer["error"]
