import csv
from pathlib import Path

import pytest
from PIL import Image

from core.schema import ChosenBy, Correction, Example, Media, NightshiftError
from core.services import Workspace, import_folder
from core.services.feedback import label_example

ROWS = [("red.png", "Write the report.", "on_task", "plain"), ("red.png", "Play the game.", "off_task", ""),
        ("blue.png", "Write the letter.", "on_task", "")]  # fmt: skip
COLOURS = {"red.png": "red", "blue.png": "blue", "green.png": "green"}


def picture(path: Path, colour: str) -> None:
    image = Image.new("RGB", (64, 48), "white")
    image.paste(Image.new("RGB", (20 + 10 * len(colour), 20), colour), (len(colour), len(colour)))
    image.save(path)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A labelled folder of two pictures and three rows."""
    directory = tmp_path / "small"
    (directory / "images").mkdir(parents=True)
    for name in ("red.png", "blue.png"):
        picture(directory / "images" / name, COLOURS[name])
    write_tasks(directory, ROWS)
    return directory


def write_tasks(directory: Path, rows: list[tuple[str, ...]]) -> None:
    with (directory / "tasks.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "task_description", "label", "why"])
        writer.writerows(rows)


def test_labels_count_as_a_persons_feedback_chosen_by_import(ws: Workspace, small: Path) -> None:
    report = import_folder(ws, "screen", small)
    assert report.model_dump() == {"screens": 2, "examples": 3, "duplicates": 0, "rejected": []}
    labels = ws.store.labels("screen")
    examples = ws.store.get_many(Example, [label.example for label in labels])
    assert {(example.ask, label.answer) for example, label in zip(examples, labels, strict=True)} == {
        (ask, answer) for _, ask, answer, _ in ROWS
    }
    assert {(label.chosen_by, label.reviewer, label.prediction) for label in labels} == {
        (ChosenBy.IMPORT, "import", None)
    }
    assert {label.reason for label in labels} == {"plain", None}


def test_importing_twice_changes_nothing(ws: Workspace, small: Path) -> None:
    import_folder(ws, "screen", small)
    before = ws.store.tables()
    again = import_folder(ws, "screen", small)
    assert again.model_dump() == {"screens": 0, "examples": 0, "duplicates": 2, "rejected": []}
    assert ws.store.tables() == before


def test_a_changed_label_replaces_the_imported_one(ws: Workspace, small: Path) -> None:
    import_folder(ws, "screen", small)
    write_tasks(small, [("red.png", "Write the report.", "off_task", "")])
    import_folder(ws, "screen", small)
    (example,) = [each for each in ws.store.find(Example) if each.ask == "Write the report."]
    (label,) = [each for each in ws.store.labels("screen") if each.example == example.id]
    assert label.answer == "off_task"


def test_what_a_person_corrected_since_stays_as_the_person_said(ws: Workspace, small: Path) -> None:
    import_folder(ws, "screen", small)
    (example,) = [each for each in ws.store.find(Example) if each.ask == "Write the report."]
    label_example(ws, "screen", example.id, "off_task", chosen_by=ChosenBy.VOLUNTEERED)
    import_folder(ws, "screen", small)
    (label,) = [each for each in ws.store.labels("screen") if each.example == example.id]
    assert label.answer == "off_task"


def test_the_same_pixels_under_two_names_are_one_screen(ws: Workspace, small: Path) -> None:
    Image.open(small / "images" / "red.png").save(small / "images" / "copy.webp", lossless=True)
    write_tasks(small, [*ROWS, ("copy.webp", "Read the news.", "off_task", "")])
    report = import_folder(ws, "screen", small)
    assert (report.screens, report.duplicates, report.examples) == (2, 1, 4)


def test_a_row_that_contradicts_an_earlier_one_is_reported_and_the_earlier_stands(ws: Workspace, small: Path) -> None:
    write_tasks(small, [*ROWS, ("red.png", "Write the report.", "off_task", "")])
    for _ in range(2):
        report = import_folder(ws, "screen", small)
        assert [(each.file, each.reason) for each in report.rejected] == [
            ("red.png", "its label 'off_task' contradicts an earlier row, which stands")
        ]
    assert ws.store.count(Correction) == 3


def test_bad_rows_are_reported_and_the_rest_is_imported(ws: Workspace, small: Path) -> None:
    bad = [("red.png", "Sing.", "maybe", ""), ("red.png", "", "on_task", ""), ("red.png", "x" * 2001, "on_task", "")]
    write_tasks(small, [bad[0], *ROWS, *bad[1:]])
    report = import_folder(ws, "screen", small)
    assert (report.screens, report.examples) == (2, 3)
    reasons = [each.reason for each in report.rejected]
    assert ["maybe" in reasons[0], "is empty" in reasons[1], "2001 characters" in reasons[2]] == [True] * 3
    assert ws.store.count(Correction) == 3


def test_bad_files_are_reported_and_the_rest_is_imported(ws: Workspace, small: Path, tmp_path: Path) -> None:
    images = small / "images"
    (images / "text.png").write_text("this is no picture")
    (images / "byte.png").write_bytes(b"x")
    (images / "half.png").write_bytes((images / "red.png").read_bytes()[:80])
    picture(tmp_path / "outside.png", "green")
    bad = ["text.png", "byte.png", "half.png", "missing.png", "../../outside.png", ""]
    write_tasks(small, [*((name, "Sing.", "on_task", "") for name in bad), *ROWS])
    report = import_folder(ws, "screen", small)
    assert [each.file for each in report.rejected] == bad
    assert all(each.reason for each in report.rejected)
    assert (report.screens, report.examples, ws.store.count(Media)) == (2, 3, 2)


def test_a_folder_of_images_alone_becomes_screens_without_feedback(ws: Workspace, small: Path) -> None:
    (small / "tasks.csv").unlink()
    (small / "images" / "notes.txt").write_text("not a picture")
    report = import_folder(ws, "screen", small)
    assert report.model_dump() == {"screens": 2, "examples": 0, "duplicates": 0, "rejected": []}
    again = import_folder(ws, "screen", small / "images")
    assert (again.screens, again.duplicates) == (0, 2)
    assert (ws.store.count(Example), ws.store.count(Correction)) == (0, 0)


@pytest.mark.parametrize("how", ["empty", "missing", "only text", "a file"])
def test_a_folder_that_is_neither_is_refused_and_nothing_is_written(ws: Workspace, tmp_path: Path, how: str) -> None:
    directory = tmp_path / "odd"
    if how == "a file":
        directory.write_text("x")
    elif how != "missing":
        directory.mkdir()
    if how == "only text":
        (directory / "readme.md").write_text("x")
    before = ws.store.tables()
    with pytest.raises(NightshiftError, match=r"odd( has no tasks\.csv, .* and no PNG, JPEG or WebP images)?$"):
        import_folder(ws, "screen", directory)
    assert ws.store.tables() == before


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"file,task_description\nred.png,Sing.\n", "has no column 'label'"),
        (b"", "has no column 'file'"),
        (b"file,task_description,label\n\xff\xfe,Sing.,on_task\n", "not a CSV file in UTF-8"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_and_nothing_is_written(
    ws: Workspace, small: Path, table: bytes, message: str
) -> None:
    (small / "tasks.csv").write_bytes(table)
    before = ws.store.tables()
    with pytest.raises(NightshiftError, match=message):
        import_folder(ws, "screen", small)
    assert ws.store.tables() == before


def test_a_table_from_a_spreadsheet_program_is_read(ws: Workspace, small: Path) -> None:
    text = (small / "tasks.csv").read_text(encoding="utf-8")
    (small / "tasks.csv").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert import_folder(ws, "screen", small).examples == 3


def test_progress_is_told_row_by_row(ws: Workspace, small: Path) -> None:
    told: list[tuple[int, int]] = []
    import_folder(ws, "screen", small, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)
    assert [done for done, _ in told] == [1, 2, 3]


def test_an_unknown_environment_is_refused_before_anything_is_written(ws: Workspace, small: Path) -> None:
    before = ws.store.tables()
    with pytest.raises(NightshiftError, match="no environment 'document'"):
        import_folder(ws, "document", small)
    assert ws.store.tables() == before
