"""Groups out and in again: every photo, the dossier, the word and its reason, in another home too."""

import csv
import io
import shutil
import tarfile
from pathlib import Path

import pytest
from PIL import Image

from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.missions import named
from core.schema import ChosenBy, Example, Label, NightshiftError
from core.services import Workspace, export_version, import_folder
from core.services.classify import take_in
from core.services.exchange import found_format
from core.services.feedback import label_example
from core.services.groups.importing import labelled_groups

GROUPS = {"north_2031-02-03_a1": ("通过", 3), "south_2031-02-04_b7": ("不通过", 1)}
LINES = ("正面，挡风板齐全，标签清晰", "侧面，挡风板齐全，标签清晰", "背面，挡风板缺失，标签清晰")


def photo(number: int) -> bytes:
    out = io.BytesIO()
    Image.effect_mandelbrot((96, 64), (-2 + number / 9, -1, 1, 1 - number / 11), 60).convert("RGB").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def said(ws: Workspace) -> Workspace:
    """A home in which people have judged a group of three photos and one of a single photo."""
    number = 0
    for group, (verdict, count) in GROUPS.items():
        media = []
        for place in range(count):
            media.append(take_in(ws, photo(number), name=f"{place}.png", source=f"{place}.png", session=group).id)
            number += 1
        dossier = Dossier.of(named("air_baffle"), LINES[:count])
        site, date, _ = group.split("_")
        example = ws.environment("group_qc").example(media, dossier.text, cluster=f"{site}/{date}")
        ws.store.add(example)
        label_example(
            ws, "group_qc", example.id, verdict, reason="图片_1，挡风板齐全，标签清晰", reviewer="mara",
            chosen_by=ChosenBy.VOLUNTEERED,
        )  # fmt: skip
    return ws


@pytest.fixture
def other(ws: Workspace, tmp_path: Path) -> Workspace:
    """Another installation, in which nothing has happened yet; asked for before anything happens in `ws`."""
    home = Path(shutil.copytree(ws.home, tmp_path / "other"))
    return Workspace.open(home, environments=("group_qc",), group_qc=ws.settings.group_qc.model_dump())


def known(ws: Workspace) -> set[tuple[str, tuple[str, ...], str, str, str, str | None]]:
    """Example, photos in their order, dossier, cluster, verdict and reason of every label."""
    labels: dict[str, Label] = {label.example: label for label in ws.store.labels("group_qc")}
    return {
        (each.id, each.media, each.ask, each.cluster, str(labels[each.id].answer), labels[each.id].reason)
        for each in ws.store.get_many(Example, list(labels))
    }


@pytest.mark.parametrize("name", ["folder", "parquet", "webdataset"])
def test_groups_come_in_again_as_they_were(other: Workspace, said: Workspace, name: str, tmp_path: Path) -> None:
    report = export_version(said, "group_qc", "now", name, tmp_path / "out")
    assert (report.examples, report.pictures) == (2, 4)
    first, again = (import_folder(other, "group_qc", tmp_path / "out") for _ in range(2))
    assert first.model_dump() == {"screens": 4, "examples": 2, "duplicates": 0, "rejected": []}
    assert again.model_dump() == {"screens": 0, "examples": 0, "duplicates": 4, "rejected": []}
    assert known(other) == known(said)


def test_datasets_loads_the_photos_of_a_group_as_a_list(said: Workspace, tmp_path: Path) -> None:
    from datasets import load_dataset

    export_version(said, "group_qc", "now", "parquet", tmp_path / "out")
    splits = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    rows = [row for split in splits.values() for row in split]
    assert sorted(len(row["images"]) for row in rows) == [1, 3]
    assert {picture.size for row in rows for picture in row["images"]} == {(96, 64)}


def test_a_folder_of_groups_is_one_that_is_measured_on(said: Workspace, tmp_path: Path) -> None:
    export_version(said, "group_qc", "now", "folder", tmp_path / "out")
    rows, bad = labelled_groups(said, tmp_path / "out")
    assert bad == []
    assert {(row.mission, row.verdict, len(row.photos.files)) for row in rows} == {
        ("air_baffle", verdict, count) for verdict, count in GROUPS.values()
    }
    assert {row.photos.name[:16] for row in rows} == {group[:16] for group in GROUPS}


def test_groups_without_dossiers_are_for_stage_a_to_look_at(folder: Path, said: Workspace, tmp_path: Path) -> None:
    export_version(said, "group_qc", "now", "folder", tmp_path / "out")
    assert found_format("group_qc", folder) is None
    assert found_format("group_qc", tmp_path / "out") is not None


def test_the_photos_of_a_group_are_numbered_in_a_shard(said: Workspace, tmp_path: Path) -> None:
    export_version(said, "group_qc", "now", "webdataset", tmp_path / "out")
    names = []
    for file in (tmp_path / "out").glob("*.tar"):
        with tarfile.open(file) as tar:
            names += [name.partition(".")[2] for name in tar.getnames()]
    assert sorted(names) == ["1.png", "1.png", "2.png", "3.png", "json", "json"]


def test_a_format_that_holds_one_picture_refuses_groups_and_names_those_that_do_not(
    said: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(NightshiftError, match=r"has 3 pictures, and a task of Label Studio .* parquet and webdataset"):
        export_version(said, "group_qc", "now", "label-studio", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_group_that_lost_a_photo_is_left_out_and_the_rest_comes_in(
    other: Workspace, said: Workspace, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    export_version(said, "group_qc", "now", "folder", out)
    with (out / "groups.csv").open(newline="", encoding="utf-8") as file:
        whole, torn = sorted(csv.DictReader(file), key=lambda row: row["group"])
    if len(list((out / torn["group"]).iterdir())) == 1:
        whole, torn = torn, whole
    (out / torn["group"] / "3.png").unlink()
    report = import_folder(other, "group_qc", out)
    assert [(each.file, each.reason) for each in report.rejected] == [
        (torn["group"], "2 photos and 3 lines; each photo has one line")
    ]
    assert {row[4] for row in known(other)} == {whole["verdict"]}
