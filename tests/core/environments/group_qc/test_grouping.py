from pathlib import Path

import pytest

from core.environments.group_qc.grouping import grouped, one_group
from core.schema import NightshiftError
from core.settings import GroupQcSettings

PATTERN = GroupQcSettings().group_pattern


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_is_a_group_in_the_order_of_its_numbers(tmp_path: Path) -> None:
    touch(tmp_path, "north-7/10.jpg", "north-7/2.jpg", "north-7/notes.txt")
    (group,) = grouped(tmp_path, PATTERN).groups
    assert (group.name, [path.name for path in group.files]) == ("north-7", ["2.jpg", "10.jpg"])


def test_loose_photos_are_grouped_by_their_names(tmp_path: Path) -> None:
    a, b = "north_2031-02-03_A12", "north_2031-02-03_B3"
    touch(tmp_path, f"{a}_2.png", f"{a}_1.png", f"{b}-1.png")
    found = {group.name: [path.name for path in group.files] for group in grouped(tmp_path, PATTERN).groups}
    assert found == {a: [f"{a}_1.png", f"{a}_2.png"], b: [f"{b}-1.png"]}


@pytest.mark.parametrize("name", ["IMG_0001", "IMG_0002", "2031-02-03_1", "north_2031-02-03_7"])
def test_a_name_that_may_be_of_several_cabinets_groups_nothing(tmp_path: Path, name: str) -> None:
    touch(tmp_path, f"{name}.jpg")
    found = grouped(tmp_path, PATTERN)
    assert not found.groups and len(found.left_out) == 1


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (("1.jpg", "2.heic"), "has 2.heic, which is not one of"),
        (("1.jpg", "2.bmp"), "has 2.bmp"),
        (("1.jpg", "film.mp4"), "has film.mp4"),
        (("1.jpg", "more/2.jpg"), "has a folder more with photos"),
        (("1.jpg", "3.jpg"), "has photo 3 and no photo 2"),
        (("only.heic",), "has only.heic"),
        (("deeper/1.jpg",), "has a folder deeper with photos"),
    ],
)
def test_a_group_of_which_not_everything_can_be_looked_at_is_told_and_not_judged(
    tmp_path: Path, files: tuple[str, ...], says: str
) -> None:
    touch(tmp_path, "B/1.jpg", *(f"A/{file}" for file in files))
    found = grouped(tmp_path, PATTERN)
    assert [group.name for group in found.groups] == ["B"]
    ((path, why),) = found.left_out
    assert path == tmp_path / "A" and says in why
    with pytest.raises(NightshiftError, match=says):
        one_group(tmp_path / "A")


def test_a_cameras_own_numbers_may_have_gaps(tmp_path: Path) -> None:
    touch(tmp_path, "A/0412.jpg", "A/0415.jpg", "A/notes.txt")
    assert [path.name for path in one_group(tmp_path / "A").files] == ["0412.jpg", "0415.jpg"]


def test_loose_photos_of_a_group_that_lacks_one_are_told(tmp_path: Path) -> None:
    touch(tmp_path, *(f"north_2031-02-03_A_{number}.jpg" for number in (1, 2, 4)), "other.heic")
    found = grouped(tmp_path, PATTERN)
    assert not found.groups
    assert [why for _, why in found.left_out] == [
        "it is not one of .png, .jpg, .jpeg, .webp",
        *3 * ["group north_2031-02-03_A has photo 4 and no photo 3"],
    ]


def test_what_belongs_nowhere_is_told_with_why(tmp_path: Path) -> None:
    pattern = r"(?P<group>.+?)[_-](?P<photo>\d+)"
    touch(tmp_path, "holiday.png", "A_1.png", "A-01.png", "B/1.png", "B_2.png")
    found = grouped(tmp_path, pattern)
    assert {path.name: why for path, why in found.left_out} == {
        "holiday.png": f"it lies in no folder of a group, and its name does not fit {pattern}",
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
