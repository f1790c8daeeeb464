"""A folder becomes screens, examples and people's feedback; one bad file never stops the rest."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import BaseModel, Field

from core.schema import ChosenBy, Example, NightshiftError
from core.services.classify import take_in
from core.services.exchange import FORMATS, Incoming, found_format
from core.services.feedback import label_example, standing_word
from core.services.folders import read_within
from core.services.workspace import Workspace
from core.settings import MediaSettings

__all__ = ["ImportReport", "Progress", "import_folder"]

Progress = Callable[[int, int], None]
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


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


def import_folder(ws: Workspace, environment: str, path: Path, *, progress: Progress | None = None) -> ImportReport:
    """Takes in labelled examples in any format of `core.services.exchange`, or a folder of images alone.

    Labels count as a person's feedback, chosen by import. Doing it twice changes nothing. Raises NightshiftError for
    what is none of these or is damaged, before anything is written.
    """
    ws.environment(environment)
    if not path.exists():
        raise NightshiftError(f"there is no folder {path}")
    found = found_format(path)
    if found is None:
        return _import_images(ws, path, progress)
    total = sum(1 for _ in found.read(path))
    report = ImportReport()
    media_of: dict[str, str | None] = {}
    answer_of: dict[str, str] = {}
    for done, row in enumerate(found.read(path), start=1):
        if row.name not in media_of:
            media_of[row.name] = _import_picture(ws, row.name, row.read, report)
        if (media := media_of[row.name]) is not None:
            _import_row(ws, environment, row, media, answer_of, report)
        _tell(progress, done, total)
    return report


def _import_images(ws: Workspace, directory: Path, progress: Progress | None) -> ImportReport:
    folder = directory / "images" if (directory / "images").is_dir() else directory
    there = folder.iterdir() if folder.is_dir() else ()
    files = sorted(path.name for path in there if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        raise NightshiftError(
            f"{directory} has no tasks.csv, no file of another format that can be read ({', '.join(FORMATS)}), and no "
            "PNG, JPEG or WebP images"
        )
    report = ImportReport()
    for done, file in enumerate(files, start=1):
        _import_picture(ws, file, partial(read_within, folder, file), report)
        _tell(progress, done, len(files))
    return report


def _import_picture(
    ws: Workspace, name: str, read: Callable[[MediaSettings], bytes], report: ImportReport
) -> str | None:
    try:
        before = ws.clusters.known()
        media = take_in(ws, read(ws.settings.media), name=name, source=name, session=None)
    except (NightshiftError, OSError) as error:
        report.rejected.append(Rejected(file=name, reason=str(error)))
        return None
    if media.id in before:
        report.duplicates += 1
    else:
        report.screens += 1
    return media.id


def _import_row(
    ws: Workspace, environment: str, row: Incoming, media: str, answer_of: dict[str, str], report: ImportReport
) -> None:
    bound = ws.environment(environment)
    try:
        answer = bound.parse_answer(row.label)
        example = bound.example((media,), row.ask, cluster=ws.clusters.cluster(media))
        if answer_of.setdefault(example.id, answer) != answer:
            raise NightshiftError(f"its label {answer!r} contradicts an earlier row, which stands")
    except NightshiftError as error:
        report.rejected.append(Rejected(file=row.name, reason=str(error)))
        return
    is_new = ws.store.get(Example, example.id) is None
    ws.store.add(example)
    report.examples += is_new
    report.example_ids.append(example.id)
    word = standing_word(ws, example.id)
    # A person who corrected it since knows better than the folder.
    if word is None or (word.chosen_by is ChosenBy.IMPORT and word.answer != answer):
        label_example(
            ws, environment, example.id, answer, reason=row.reason, reviewer="import", chosen_by=ChosenBy.IMPORT
        )


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
