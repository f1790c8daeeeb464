from pathlib import Path

import pytest

from core.environments.group_qc.grouping import grouped, one_group
from core.schema import NightshiftError
from core.settings import GroupQcSettings

PATTERN = GroupQcSettings().group_pattern


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.touch()


def test_a_folder_is_a_group_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    touch(tmp_path, "north-7/10.jpg", "north-7/2.jpg", "north-7/notes.txt")
    (group,) = grouped(tmp_path, PATTERN).groups
    assert (group.name, [path.name for path in group.files]) == ("north-7", ["2.jpg", "10.jpg"])


def test_loose_photos_are_grouped_by_their_names(tmp_path: Path) -> None:
    touch(tmp_path, "A12_2.png", "A12_1.png", "B3-1.png")
    found = {group.name: [path.name for path in group.files] for group in grouped(tmp_path, PATTERN).groups}
    assert found == {"A12": ["A12_1.png", "A12_2.png"], "B3": ["B3-1.png"]}


def test_what_belongs_nowhere_is_told_with_why(tmp_path: Path) -> None:
    touch(tmp_path, "holiday.png", "A_1.png", "A-01.png", "B/1.png", "B_2.png")
    found = grouped(tmp_path, PATTERN)
    assert {path.name: why for path, why in found.left_out} == {
        "holiday.png": f"it lies in no folder of a group, and its name does not fit {PATTERN}",
        "A_1.png": "A-01.png is photo 1 of group A already",
        "B_2.png": "group B is a folder already; put the photo into it",
    }
    assert [group.name for group in found.groups] == ["A", "B"]


def test_another_pattern_groups_otherwise(tmp_path: Path) -> None:
    touch(tmp_path, "2031-site-4-p1.png")
    (group,) = grouped(tmp_path, r"(?P<group>\d+-site-\d+)-p(?P<photo>\d+)").groups
    assert group.name == "2031-site-4"


def test_a_folder_without_photos_is_no_group(tmp_path: Path) -> None:
    with pytest.raises(NightshiftError, match="has no photos"):
        grouped(tmp_path, PATTERN)
    with pytest.raises(NightshiftError, match="0 photos"):
        one_group(tmp_path)
