"""Versions out and in again, in every format; each is read by the program it is meant for, too."""

import csv
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

from core.media import intake
from core.schema import ChosenBy, Example, Media, NightshiftError
from core.services import Workspace, export_version, import_folder
from core.services.exchange import FORMATS
from core.services.feedback import label_example
from core.services.folders import read_folder

ASKS = ("Write the report.", "Plan the trip, and book the hotel.", "Löse die Aufgabe »Integral«.", "修复失败的测试。")


def drawn(path: Path, number: int) -> None:
    """A picture like no other."""
    image = Image.new("RGB", (96, 64), "white")
    draw = ImageDraw.Draw(image)
    for bit in range(8):
        if number >> bit & 1:
            draw.rectangle((12 * bit, 0, 12 * bit + 11, 63 - 7 * bit), fill=("navy", "darkred")[bit % 2])
    image.save(path)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which nothing has happened."""
    return Workspace.open(tmp_path_factory.mktemp("empty")).home


@pytest.fixture
def fresh(empty: Path, tmp_path: Path) -> Workspace:
    """Another installation."""
    return Workspace.open(Path(shutil.copytree(empty, tmp_path / "fresh")))


@pytest.fixture(scope="module")
def said(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A home in which people have labelled thirty screens, two of them for two kinds of work; one gave a reason."""
    scratch = tmp_path_factory.mktemp("said")
    ws, folder = Workspace.open(Path(shutil.copytree(empty, scratch / "home"))), scratch / "labelled"
    (folder / "images").mkdir(parents=True)
    with (folder / "tasks.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "task_description", "label"])
        for number in range(1, 31):
            drawn(folder / "images" / f"{number}.png", 5 * number)
            table.writerow([f"{number}.png", ASKS[number % 4], ("on_task", "off_task")[number % 2]])
        table.writerow(["7.png", "Something else.", "on_task"])
        table.writerow(["8.png", 'A "quoted" one,\nin two lines.', "off_task"])
    import_folder(ws, "screen", folder)
    corrected = ws.store.labels("screen")[3]
    answer = "on_task" if corrected.answer == "off_task" else "off_task"
    label_example(
        ws,
        "screen",
        corrected.example,
        answer,
        reason="it is, because <of> this & that",
        reviewer="mara",
        chosen_by=ChosenBy.RANDOM_AUDIT,
    )
    return ws


def known(ws: Workspace) -> set[tuple[str, str, str, str]]:
    """Example, question, answer and reason of every label."""
    labels = {label.example: label for label in ws.store.labels("screen")}
    return {
        (each.id, each.ask, str(labels[each.id].answer), labels[each.id].reason or "")
        for each in ws.store.get_many(Example, list(labels))
    }


@pytest.mark.parametrize("name", FORMATS)
def test_what_was_exported_comes_in_again_as_it_was(
    said: Workspace, fresh: Workspace, name: str, tmp_path: Path
) -> None:
    report = export_version(said, "screen", "now", name, tmp_path / "out")
    assert (report.examples, report.pictures) == (32, 30)

    taken_in = import_folder(fresh, "screen", tmp_path / "out")

    assert (taken_in.screens, taken_in.examples, taken_in.rejected) == (30, 32, [])
    assert known(fresh) == known(said)
    assert {media.id for media in fresh.store.find(Media)} == {media.id for media in said.store.find(Media)}
    again = import_folder(fresh, "screen", tmp_path / "out")
    assert (again.screens, again.examples) == (0, 0)


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_version_is_written_to_the_same_bytes(said: Workspace, name: str, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        export_version(said, "screen", "now", name, tmp_path / folder)
    one, two = (json.loads((tmp_path / folder / "manifest.json").read_text()) for folder in ("one", "two"))
    assert one == two
    files = {path.relative_to(tmp_path / "one").as_posix() for path in (tmp_path / "one").rglob("*") if path.is_file()}
    assert set(one["sha256"]) == files - {"manifest.json"}


@pytest.mark.parametrize("name", ["parquet", "webdataset"])
def test_datasets_loads_it(said: Workspace, name: str, tmp_path: Path) -> None:
    from datasets import load_dataset

    export_version(said, "screen", "now", name, tmp_path / "out")
    splits = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert sum(len(split) for split in splits.values()) == 32
    row = splits["train"][0]
    said_of_it = row if name == "parquet" else row["json"]
    picture = row["image"] if name == "parquet" else row["png"]
    assert said_of_it["label"] in ("on_task", "off_task")
    assert picture.size == (96, 64)


CHECK = """
import json, sys
from pathlib import Path
from label_studio_sdk.label_interface import LabelInterface
folder = Path(sys.argv[1])
studio = LabelInterface((folder / "label_config.xml").read_text())
studio.validate()
tasks = json.loads((folder / "tasks.json").read_text())
annotations = [task.pop("annotations") for task in tasks]
assert all(studio.validate_task(task) for task in tasks)
assert all(studio.validate_annotation(each) for of_task in annotations for each in of_task)
print(len(tasks), "tasks are valid")
"""


@pytest.mark.soak
def test_label_studio_accepts_interface_and_tasks(said: Workspace, tmp_path: Path) -> None:
    """Its own library says so, in an environment of its own: it needs older versions of what is used here."""
    export_version(said, "screen", "now", "label-studio", tmp_path / "out")
    uv = [str(Path(sys.executable).with_name("uv")), "run", "--no-project", "--with", "label-studio-sdk"]
    checked = subprocess.run([*uv, "python", "-c", CHECK, str(tmp_path / "out")], capture_output=True, text=True)
    assert checked.stdout.strip() == "32 tasks are valid", checked.stderr[-2000:]


def test_the_newest_annotation_of_label_studio_counts_and_skipped_tasks_do_not(
    said: Workspace, fresh: Workspace, tmp_path: Path
) -> None:
    export_version(said, "screen", "now", "label-studio", tmp_path / "out")
    file = tmp_path / "out" / "tasks.json"
    first, second, third, *_ = tasks = json.loads(file.read_text())
    (word,) = first["annotations"]
    turned = {"on_task": "off_task", "off_task": "on_task"}[word["result"][0]["value"]["choices"][0]]
    later = json.loads(json.dumps(word)) | {"updated_at": "2026-02-01T00:00:00Z"}
    later["result"][0]["value"]["choices"] = [turned]
    first["annotations"] = [later, word | {"updated_at": "2026-01-01T00:00:00Z"}]
    second["annotations"][0]["was_cancelled"] = True
    third["annotations"] = []
    file.write_text(json.dumps(tasks))
    import_folder(fresh, "screen", tmp_path / "out")
    answers = {example: answer for example, _, answer, _ in known(fresh)}
    assert len(answers) == 30
    assert answers[first["data"]["example"]] == turned


def test_a_labelled_folder_is_measured_by_application_as_it_was_clustered(said: Workspace, tmp_path: Path) -> None:
    export_version(said, "screen", "now", "folder", tmp_path / "out")
    rows = read_folder(tmp_path / "out")
    clusters = {example.cluster for example in said.store.find(Example)}
    assert {row.app for row in rows} == clusters


def answers_by_picture(ws: Workspace) -> dict[str, str]:
    """The answer of every label, by the picture it is about."""
    answers = {label.example: str(label.answer) for label in ws.store.labels("screen")}
    return {each.media[0]: answers[each.id] for each in ws.store.get_many(Example, list(answers))}


def expected_answers(ws: Workspace, pictures: Sequence[Path]) -> dict[str, str]:
    """`answer_of` of each, as `labelled_pictures` draws them."""
    ids = [intake(path.read_bytes(), ws.settings.media)[0].id for path in pictures]
    return {id: answer_of(number) for number, id in enumerate(ids)}


def answer_of(number: int) -> str:
    """No period that a batch, a shard or a repeated name has."""
    return ("on_task", "off_task", "on_task")[number % 3]


def labelled_pictures(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    for number in range(count):
        drawn(folder / f"{number}.png", number)
    return [folder / f"{number}.png" for number in range(count)]


@pytest.mark.parametrize(
    ("count", "path_of"),
    [(130, lambda _: None), (12, lambda number: f"{number % 5}.png")],
    ids=["without a path", "repeated names"],
)
def test_rows_of_parquet_keep_their_pictures_whatever_these_are_called(
    fresh: Workspace, tmp_path: Path, count: int, path_of: Callable[[int], str | None]
) -> None:
    """`datasets` keeps the last part of a path, and pictures that were made in memory have none."""
    pictures = labelled_pictures(tmp_path / "pictures", count)
    rows = [
        {
            "image": {"bytes": picture.read_bytes(), "path": path_of(number)},
            "ask": "Write.",
            "label": answer_of(number),
        }
        for number, picture in enumerate(pictures)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    report = import_folder(fresh, "screen", tmp_path / "rows.parquet")
    assert (report.screens, report.examples, report.rejected) == (count, count, [])
    assert answers_by_picture(fresh) == expected_answers(fresh, pictures)


def test_shards_may_begin_their_keys_anew(fresh: Workspace, tmp_path: Path) -> None:
    pictures = labelled_pictures(tmp_path / "pictures", 16)
    (tmp_path / "shards").mkdir()
    for shard in range(2):
        with tarfile.open(tmp_path / "shards" / f"{shard}.tar", "w") as tar:
            for key in range(8):
                number = 8 * shard + key
                said = json.dumps({"ask": "Write.", "label": answer_of(number)}).encode()
                tar.add(pictures[number], f"{key}.png")
                entry = tarfile.TarInfo(f"{key}.json")
                entry.size = len(said)
                tar.addfile(entry, io.BytesIO(said))
    report = import_folder(fresh, "screen", tmp_path / "shards")
    assert (report.screens, report.examples, report.rejected) == (16, 16, [])
    assert answers_by_picture(fresh) == expected_answers(fresh, pictures)


def test_two_pictures_of_label_studio_with_one_name_are_refused(
    said: Workspace, fresh: Workspace, tmp_path: Path
) -> None:
    export_version(said, "screen", "now", "label-studio", tmp_path / "out")
    file = tmp_path / "out" / "tasks.json"
    first, second, *_ = tasks = json.loads(file.read_text())
    name = first["data"]["image"].rsplit("/", 1)[-1]
    second["data"]["image"] = f"/data/upload/3/{name}"
    file.write_text(json.dumps(tasks))
    with pytest.raises(NightshiftError, match=f"two pictures called {name}"):
        import_folder(fresh, "screen", tmp_path / "out")


def test_an_export_never_writes_over_anything(said: Workspace, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(NightshiftError, match="is there already"):
        export_version(said, "screen", "now", "parquet", tmp_path / "out")
    with pytest.raises(NightshiftError, match="there is no format 'xls'; there are folder, parquet"):
        export_version(said, "screen", "now", "xls", tmp_path / "new")
    with pytest.raises(NightshiftError, match="no version begins with 'latest'; there is none yet"):
        export_version(said, "screen", "latest", "parquet", tmp_path / "new")


def test_an_export_that_fails_leaves_nothing(said: Workspace, tmp_path: Path) -> None:
    broken = Workspace.open(Path(shutil.copytree(said.home, tmp_path / "broken")))
    media = broken.store.find(Media)[-1]
    (broken.home / "blobs" / media.blob).unlink()
    with pytest.raises(NightshiftError):
        export_version(broken, "screen", "now", "parquet", tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir() if "new" in path.name] == []


def damaged_parquet(out: Path) -> None:
    (file,) = (out / "data").glob("train*")
    file.write_bytes(file.read_bytes()[:-200])


def damaged_tar(out: Path) -> None:
    (file,) = out.glob("train*.tar")
    file.write_bytes(file.read_bytes()[:700])


def without_verdicts(out: Path) -> None:
    (file,) = out.glob("golden*.tar")
    with tarfile.open(file) as tar:
        tar.extractall(out / "loose", filter="data")
    for said_of_it in (out / "loose").glob("*.json"):
        said_of_it.write_text("{}")
    with tarfile.open(file, "w") as tar:
        for entry in sorted((out / "loose").iterdir()):
            tar.add(entry, entry.name)
    shutil.rmtree(out / "loose")


def damaged_json(out: Path) -> None:
    (out / "tasks.json").write_text('[{"data": {}, "annotations": [{"result": []}]}, 3]')


@pytest.mark.parametrize(
    ("name", "damage", "said_why"),
    [
        ("parquet", damaged_parquet, "cannot be read as Parquet"),
        ("webdataset", damaged_tar, "cannot be read as a tar file"),
        ("webdataset", without_verdicts, "needs a .json with `ask` and `label`"),
        ("label-studio", damaged_json, "not as Label Studio writes one"),
    ],
)
def test_damaged_files_change_nothing(
    said: Workspace, fresh: Workspace, tmp_path: Path, name: str, damage, said_why: str
) -> None:
    export_version(said, "screen", "now", name, tmp_path / "out")
    damage(tmp_path / "out")
    before = fresh.store.tables()
    with pytest.raises(NightshiftError, match=said_why):
        import_folder(fresh, "screen", tmp_path / "out")
    assert fresh.store.tables() == before
