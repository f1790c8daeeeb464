"""A folder becomes screens, examples and people's feedback; one bad file never stops the rest."""

import csv
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, Field

from core.media import read_file
from core.schema import ChosenBy, Example, NightshiftError
from core.services.classify import take_in
from core.services.feedback import label_example, standing_word
from core.services.workspace import Workspace

__all__ = ["FolderRow", "ImportReport", "Progress", "file_within", "import_folder", "read_folder", "rows_of_table"]

Progress = Callable[[int, int], None]
TASK_COLUMNS = ("file", "task_description", "label")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


class FolderRow(BaseModel):
    """One line of `tasks.csv`, with what `manifest.csv` says of its file."""

    file: str
    ask: str
    label: str
    why: str | None = None
    app: str = ""
    category: str = ""

    @property
    def hard(self) -> bool:
        return (self.why or "").startswith("hard")


class Rejected(BaseModel):
    """A file or row that was left out."""

    file: str
    reason: str


class ImportReport(BaseModel):
    """What an import did."""

    screens: int = 0
    examples: int = 0
    duplicates: int = 0
    rejected: list[Rejected] = []
    example_ids: list[str] = Field([], exclude=True)
    "All good rows, new or known."


def read_folder(directory: Path) -> list[FolderRow]:
    """The rows of a labelled folder. Raises NightshiftError for a folder without `tasks.csv` or its columns."""
    if not directory.is_dir():
        raise NightshiftError(f"there is no folder {directory}")
    tasks = directory / "tasks.csv"
    if not tasks.is_file():
        raise NightshiftError(
            f"{directory} has no tasks.csv; a labelled folder has images/ and tasks.csv ({', '.join(TASK_COLUMNS)})"
        )
    manifest = {row["file"]: row for row in rows_of_table(directory / "manifest.csv", ("file",))}
    return [
        FolderRow(
            file=row["file"],
            ask=row["task_description"],
            label=row["label"],
            why=row.get("why") or None,
            app=manifest.get(row["file"], {}).get("app") or row["file"],
            category=manifest.get(row["file"], {}).get("category") or "",
        )
        for row in rows_of_table(tasks, TASK_COLUMNS)
    ]


def import_folder(
    ws: Workspace, environment: str, directory: Path, *, progress: Progress | None = None
) -> ImportReport:
    """Takes in a labelled folder, or a folder of images alone (its own or its `images/`).

    Labels count as a person's feedback, chosen by import. Doing it twice changes nothing. Raises NightshiftError for
    a folder that is neither, before anything is written.
    """
    ws.environment(environment)
    if not directory.is_dir():
        raise NightshiftError(f"there is no folder {directory}")
    if not (directory / "tasks.csv").is_file():
        return _import_images(ws, directory, progress)
    rows = read_folder(directory)
    report = ImportReport()
    media_of: dict[str, str] = {}
    files = list(dict.fromkeys(row.file for row in rows))
    for done, file in enumerate(files, start=1):
        if (media := _import_image(ws, directory / "images", file, report)) is not None:
            media_of[file] = media
        _tell(progress, done, len(files))
    answer_of: dict[str, str] = {}
    for row in rows:
        if row.file in media_of:
            _import_row(ws, environment, row, media_of[row.file], answer_of, report)
    return report


def file_within(folder: Path, file: str) -> Path:
    """The path of a file that a table names. Raises NightshiftError where it points outside the folder."""
    path = folder / file
    if path.resolve().parent != folder.resolve():
        raise NightshiftError(f"{file} points outside the folder")
    return path


def _import_images(ws: Workspace, directory: Path, progress: Progress | None) -> ImportReport:
    folder = directory / "images" if (directory / "images").is_dir() else directory
    files = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise NightshiftError(f"{directory} has no tasks.csv and no PNG, JPEG or WebP images")
    report = ImportReport()
    for done, file in enumerate(files, start=1):
        _import_image(ws, folder, file, report)
        _tell(progress, done, len(files))
    return report


def _import_image(ws: Workspace, folder: Path, file: str, report: ImportReport) -> str | None:
    try:
        path = file_within(folder, file)
        before = ws.clusters.known()
        media = take_in(ws, read_file(path, ws.settings.media), name=file, source=file, session=None)
    except (NightshiftError, OSError) as error:
        report.rejected.append(Rejected(file=file, reason=str(error)))
        return None
    if media.id in before:
        report.duplicates += 1
    else:
        report.screens += 1
    return media.id


def _import_row(
    ws: Workspace, environment: str, row: FolderRow, media: str, answer_of: dict[str, str], report: ImportReport
) -> None:
    bound = ws.environment(environment)
    try:
        answer = bound.parse_answer(row.label)
        example = bound.example((media,), row.ask, cluster=ws.clusters.cluster(media))
        if answer_of.setdefault(example.id, answer) != answer:
            raise NightshiftError(f"its label {answer!r} contradicts an earlier row, which stands")
    except NightshiftError as error:
        report.rejected.append(Rejected(file=row.file, reason=str(error)))
        return
    is_new = ws.store.get(Example, example.id) is None
    ws.store.add(example)
    report.examples += is_new
    report.example_ids.append(example.id)
    word = standing_word(ws, example.id)
    # A person who corrected it since knows better than the folder.
    if word is None or (word.chosen_by is ChosenBy.IMPORT and word.answer != answer):
        label_example(ws, environment, example.id, answer, reason=row.why, reviewer="import", chosen_by=ChosenBy.IMPORT)


def rows_of_table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of a CSV file, none where it is missing. Raises NightshiftError where a column is, or for no CSV."""
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [column for column in columns if column not in (reader.fieldnames or ())]
            if missing:
                raise NightshiftError(f"{path} has no column {missing[0]!r}; it needs {', '.join(columns)}")
            return [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise NightshiftError(f"{path} is not a CSV file in UTF-8: {error}") from error


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
