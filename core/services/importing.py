"""A folder becomes screens, examples and people's feedback; one bad file never stops the rest."""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydantic import BaseModel, Field

from core.schema import ChosenBy, Example, NightshiftError
from core.services.classify import take_in
from core.services.exchange import Incoming, IncomingPicture, formats_of, found_format, told_cluster
from core.services.feedback import label_example, standing_word
from core.services.folders import read_within
from core.services.workspace import Workspace

__all__ = ["ImportReport", "Progress", "Rejected", "import_folder"]

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
    found = found_format(environment, path)
    if found is None:
        return _import_images(ws, environment, path, progress)
    total = sum(1 for _ in found.read(path))
    incoming = _Import(ws, environment)
    for done, row in enumerate(found.read(path), start=1):
        incoming.add(row)
        _tell(progress, done, total)
    return incoming.report


def _import_images(ws: Workspace, environment: str, directory: Path, progress: Progress | None) -> ImportReport:
    folder = directory / "images" if (directory / "images").is_dir() else directory
    there = folder.iterdir() if folder.is_dir() else ()
    files = sorted(path.name for path in there if path.suffix.lower() in IMAGE_SUFFIXES)
    if not files:
        formats = ", ".join(formats_of(environment))
        raise NightshiftError(
            f"{directory} has no tasks.csv, no file of another format that can be read ({formats}), and no "
            "PNG, JPEG or WebP images"
        )
    incoming = _Import(ws, environment)
    for done, file in enumerate(files, start=1):
        incoming.picture(IncomingPicture(file, partial(read_within, folder, file)))
        _tell(progress, done, len(files))
    return incoming.report


class _Import:
    """One import: what came in so far."""

    def __init__(self, ws: Workspace, environment: str) -> None:
        self._ws, self._environment = ws, environment
        self._media: dict[tuple[str, str], str | None] = {}
        "By name and SHA-256: files of one name in several places are several pictures."
        self._answers: dict[str, str] = {}
        self.report = ImportReport()

    def add(self, row: Incoming) -> None:
        """Takes in a row with its pictures; all of these, or no example."""
        media = [self.picture(each) for each in row.pictures]
        known = tuple(each for each in media if each is not None)
        if len(known) < len(media):
            return
        try:
            if len(set(known)) < len(known):
                raise NightshiftError("it holds the same picture twice; leave one out")
            self._label(row, known)
        except NightshiftError as error:
            self._reject(row.name, error)

    def picture(self, picture: IncomingPicture) -> str | None:
        """Its id once it is stored; None where it is refused, which is told once for each file."""
        try:
            data = picture.read(self._ws.settings.media)
        except (NightshiftError, OSError) as error:
            if all(each.file != picture.name for each in self.report.rejected):
                self._reject(picture.name, error)
            return None
        key = picture.name, hashlib.sha256(data).hexdigest()
        if key not in self._media:
            self._media[key] = self._stored(picture.name, data)
        return self._media[key]

    def _stored(self, name: str, data: bytes) -> str | None:
        try:
            before = self._ws.clusters.known()
            media = take_in(self._ws, data, name=name, source=name, session=None)
        except (NightshiftError, OSError) as error:
            self._reject(name, error)
            return None
        if media.id in before:
            self.report.duplicates += 1
        else:
            self.report.screens += 1
        return media.id

    def _label(self, row: Incoming, media: tuple[str, ...]) -> None:
        ws, environment = self._ws, self._environment
        bound = ws.environment(environment)
        answer = bound.parse_answer(row.label)
        cluster = told_cluster(environment, row) or ws.clusters.cluster(media[0])
        example = bound.example(media, row.ask, cluster=cluster)
        if self._answers.setdefault(example.id, answer) != answer:
            raise NightshiftError(f"its label {answer!r} contradicts an earlier row, which stands")
        is_new = ws.store.get(Example, example.id) is None
        ws.store.add(example)
        self.report.examples += is_new
        self.report.example_ids.append(example.id)
        word = standing_word(ws, example.id)
        # A person who corrected it since knows better than the folder.
        if word is None or (word.chosen_by is ChosenBy.IMPORT and word.answer != answer):
            label_example(
                ws, environment, example.id, answer, reason=row.reason, reviewer="import", chosen_by=ChosenBy.IMPORT
            )

    def _reject(self, name: str, error: Exception) -> None:
        self.report.rejected.append(Rejected(file=name, reason=str(error)))


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)
