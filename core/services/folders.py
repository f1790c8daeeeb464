"""Labelled folders as they lie on disk: images/, tasks.csv, manifest.csv."""

import contextlib
import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from core.media import read_file
from core.schema import NightshiftError
from core.settings import MediaSettings

__all__ = ["TASK_COLUMNS", "FolderRow", "new_folder", "read_folder", "read_within", "rows_of_table"]

TASK_COLUMNS = ("file", "task_description", "label")


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


@contextlib.contextmanager
def new_folder(directory: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `directory` once all is written; nothing is left behind where that fails.

    Raises NightshiftError where `directory` is there and holds something.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise NightshiftError(f"{directory} is there already and not empty; name a new folder to draw into")
    partial = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if directory.exists():
            directory.rmdir()
        partial.rename(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


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


def _file_within(folder: Path, file: str) -> Path:
    """The path of a file that a table names. Raises NightshiftError where it points outside the folder."""
    path = folder / file
    if path.resolve().parent != folder.resolve():
        raise NightshiftError(f"{file} points outside the folder")
    return path


def read_within(folder: Path, file: str, settings: MediaSettings) -> bytes:
    """The content of a file that a table names. Raises NightshiftError where it is outside, missing or too large."""
    return read_file(_file_within(folder, file), settings)


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
