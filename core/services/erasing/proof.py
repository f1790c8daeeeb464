"""Looking for what should be gone: in every table, every folder, and the bytes or files of the database itself."""

import mmap
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from core.schema import DatasetVersion, Erasure, Example, Media, Tombstone
from core.services.erasing.manifests import unexplained
from core.services.workspace import Workspace

__all__ = ["Proof", "Sought", "hash_of", "prove"]

TOKEN = re.compile(rb"[0-9a-f]{32,64}")
SAMPLE = 100
"Ids that are looked for in the database's file itself, where text may stand without anything between."
HASHES_STAY = {DatasetVersion.kind, Erasure.kind, Tombstone.kind}
"Kinds that go on naming what was erased, by its hash."


@dataclass
class Sought:
    """What must be nowhere."""

    ids: set[str] = field(default_factory=set)
    "Of rows that went: pictures, examples, and everything about them."
    hashes: set[str] = field(default_factory=set)
    "Those of them that tombstones and dataset versions go on naming."
    blobs: set[str] = field(default_factory=set)
    fields: set[tuple[str, str]] = field(default_factory=set)
    "Names of fields with the value that nothing may hold any more."


class Proof(BaseModel):
    """What was looked at, and what was found that should not be there; `ok` where nothing was."""

    ok: bool
    found: list[str]
    records: int
    "In the tables that were looked through."
    files: int
    "In the home that were looked through byte by byte."
    sought: int
    "Ids that were looked for."
    dataset_versions: int
    "Which all add up: each label is there, or its tombstone is."
    rewritten: bool
    "Whether the database was written anew, so that no deleted row lies in free parts of its file."


def prove(ws: Workspace, sought: Sought, *, rewritten: bool) -> Proof:
    """Looks everywhere. What was taken in again meanwhile is another thing, and is not looked for."""
    ids = sought.ids - _here_again(ws, sought.hashes)
    found = [*_in_tables(ws, ids, sought), *_in_blobs(ws, sought.blobs), *_in_caches(ws, ids)]
    told, files = _in_files(ws, ids, sought, rewritten=rewritten)
    if rewritten:
        rows = sorted(set(ids) - sought.hashes)
        found += ws.store.remains(rows, _texts(sought))
    versions, _, left = unexplained(ws)
    found += [*told, *(f"dataset versions name {entry[:12]}..., which is neither here nor erased" for entry in left)]
    found += [f"the store: {problem}" for problem in ws.store.check()]
    return Proof(
        ok=not found,
        found=found,
        records=sum(ws.store.tables().values()),
        files=files,
        sought=len(ids) + len(sought.fields),
        dataset_versions=versions,
        rewritten=rewritten,
    )


def hash_of(blob: str) -> str:
    """The hash in the key of a blob."""
    return blob.split("/")[-1].split(".")[0]


def _here_again(ws: Workspace, ids: Collection[str]) -> set[str]:
    if not ids:
        return set()
    pictures = ws.store.find(Media, id=set(ids))
    examples = {each.id for each in ws.store.find(Example, id=set(ids))}
    return examples | {each.id for each in pictures} | {hash_of(each.blob) for each in pictures}


def _texts(sought: Sought) -> list[str]:
    """The fields as they stand in a record."""
    return [f'"{name}":"{value}"' for name, value in sorted(sought.fields)]


def _in_tables(ws: Workspace, ids: Collection[str], sought: Sought) -> list[str]:
    found = ws.store.mentions(ids, sought.fields)
    rows = ws.store.mentions(set(ids) - sought.hashes)
    return [
        f"{number} records of {kind} name something of it"
        for kind, number in found.items()
        if kind not in HASHES_STAY or kind in rows
    ]


def _in_blobs(ws: Workspace, blobs: Collection[str]) -> list[str]:
    needed = {each.blob for each in ws.store.find(Media, blob=set(blobs))} if blobs else set()
    gone = sorted(set(blobs) - needed)
    found = [f"the blob {key} is there" for key in gone if ws.blobs.exists(key)]
    return found + [
        f"the bucket keeps {kept} versions of {key}" for key in gone if (kept := ws.blobs.versions_kept(key))
    ]


def _in_caches(ws: Workspace, ids: Collection[str]) -> list[str]:
    return [
        f"{len(files)} files in {cache.root} are of {media}"
        for cache in ws.caches
        for media, files in cache.kept().items()
        if media in ids
    ]


def _in_files(ws: Workspace, ids: Collection[str], sought: Sought, *, rewritten: bool) -> tuple[list[str], int]:
    """Bytes of every file in the home but pictures and weights: of these the names are hashes of what is in them."""
    wanted = {id.encode() for id in ids}
    rows = {id.encode() for id in set(ids) - sought.hashes}
    texts = {text.encode() for text in _texts(sought)}
    database = _database(ws)
    found, files = [], 0
    for path in _files(ws.home):
        own = path in database
        if own and not rewritten:
            continue
        files += 1
        number = _count_whole(path, sorted(rows)[:SAMPLE], texts) if own else _count(path, wanted, texts)
        if number:
            found.append(f"{path.relative_to(ws.home)} names {number} of it")
    return found, files


def _files(home: Path) -> Iterator[Path]:
    apart = {home / "blobs", home / "registry"}
    for path in home.rglob("*"):
        if path.is_file() and not path.is_symlink() and not apart & set(path.parents):
            yield path


def _database(ws: Workspace) -> set[Path]:
    path = Path(ws.settings.store_url.removeprefix("duckdb:///"))
    return {path, path.with_name(f"{path.name}.wal")}


def _count(path: Path, tokens: Collection[bytes], texts: Collection[bytes]) -> int:
    """How many of these ids stand in a file, each set off by something that is no hex digit, and how many texts."""
    with _content(path) as content:
        named = {match.group() for match in TOKEN.finditer(content)} & set(tokens) if tokens else set()
        return len(named) + sum(content.find(text) >= 0 for text in texts)


def _count_whole(path: Path, ids: Collection[bytes], texts: Collection[bytes]) -> int:
    """The same, wherever they stand."""
    with _content(path) as content:
        return sum(content.find(each) >= 0 for each in (*ids, *texts))


@contextmanager
def _content(path: Path) -> Iterator[mmap.mmap | bytes]:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == 0:
                yield b""
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                yield content
    except FileNotFoundError:
        yield b""  # gone since it was listed
