"""A dataset version to a folder that other programs read."""

import hashlib
import json
import shutil
import tempfile
from functools import partial
from pathlib import Path, PurePosixPath

from pydantic import BaseModel

from core.schema import DatasetVersion, Example, Label, Media, NightshiftError
from core.services.erasing import erased_entries
from core.services.exchange import Outgoing, Picture, Rows, named_format
from core.services.importing import Progress
from core.services.version_card import version_card
from core.services.versions import find_version, present_version
from core.services.workspace import Workspace

__all__ = ["ExportReport", "export_version"]


class ExportReport(BaseModel):
    """What an export wrote."""

    version: str
    format: str
    folder: str
    examples: int
    pictures: int
    bytes: int


def export_version(
    ws: Workspace, environment: str, version: str, format: str, folder: Path, *, progress: Progress | None = None
) -> ExportReport:
    """Writes a version (`now`: the words as they stand) with its pictures, a card and a manifest of hashes.

    All of it or nothing: the folder appears when it is whole. Examples and labels that were erased are left
    out. Raises NightshiftError for a folder that is there, a format or version that is not, a format that cannot hold
    several pictures where an example has them, a version that a judge labelled, and a picture that is missing or
    damaged.
    """
    chosen = named_format(environment, format)
    if folder.exists():
        raise NightshiftError(f"{folder} is there already; an export makes a folder of its own")
    record = present_version(ws, environment) if version == "now" else find_version(ws, environment, version)
    if record.judged:
        raise NightshiftError(
            f"version {record.id[:12]} holds a judge's labels; exported, they would come back as people's. Train on it "
            "here, with nightshift train --bootstrapped"
        )
    rows = _rows(ws, record)
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        chosen.write(scratch, rows, partial(_tell, progress, len(rows)))
        (scratch / "README.md").write_text(version_card(ws, record, chosen.name), encoding="utf-8")
        _write_manifest(scratch, record, chosen.name)
        scratch.chmod(0o755)
        scratch.rename(folder)
    except OSError as error:
        raise NightshiftError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return ExportReport(
        version=record.id,
        format=chosen.name,
        folder=str(folder),
        examples=len(rows),
        pictures=len({picture.name for _, pictures in rows for picture in pictures}),
        bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def _rows(ws: Workspace, record: DatasetVersion) -> Rows:
    bound = ws.environment(record.environment)
    erased = erased_entries(ws, record)
    said = {
        example: (split, answer)
        for example, (split, answer) in record.labels.items()
        if f"{example}={answer}" not in erased
    }
    words = {label.example: label for label in ws.store.labels(record.environment)}
    examples = sorted(ws.store.find(Example, id=set(said)), key=lambda example: example.id)
    media = sorted({each for example in examples for each in example.media})
    names = {each.id: f"{each.id}{PurePosixPath(each.blob).suffix}" for each in ws.store.get_many(Media, media)}
    rows = []
    for example in examples:
        split, answer = said[example.id]
        row = _outgoing(example, split, answer, words.get(example.id), bound.domain(example))
        rows.append((row, [Picture(names[each], partial(ws.library.data, each)) for each in example.media]))
    return rows


def _outgoing(example: Example, split: str, answer: str, word: Label | None, domain: str) -> Outgoing:
    stands = word is not None and str(word.answer) == answer
    return Outgoing(
        example=example.id,
        split=split,
        ask=example.ask,
        answers=example.answers or (),
        label=answer,
        reason=(word.reason or "") if word and stands else "",
        reviewer=word.reviewer if word and stands else "",
        chosen_by=word.chosen_by.value if word and stands else "",
        labelled_at=word.at.isoformat() if word and stands else "",
        cluster=example.cluster,
        domain=domain,
    )


def _write_manifest(folder: Path, record: DatasetVersion, format: str) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {path.relative_to(folder).as_posix(): _sha256(path) for path in files}
    told = {"version": record.id, "environment": record.environment, "format": format, "sha256": hashes}
    (folder / "manifest.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tell(progress: Progress | None, total: int, done: int) -> None:
    if progress is not None:
        progress(done, total)
