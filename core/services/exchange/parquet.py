"""Parquet with the pictures inside, as the Hub and `datasets.load_dataset` expect it."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from core.schema import NightshiftError
from core.services.exchange.base import Incoming, IncomingPicture, Outgoing, Picture, Rows, has_several
from core.settings import MediaSettings

__all__ = ["Parquet"]

BATCH = 64
"Rows with one picture that are held in memory at a time."
GROUPS = 4
"Rows with several."
ONE, SEVERAL = "image", "images"
NEEDED = ("ask", "label")
MORE = ("reason", "cluster")


class Parquet:
    """`data/train-00000-of-00001.parquet` and the same for `golden`; the column `image` is a picture.

    Where examples have several pictures, the column is `images`, and a list.
    """

    name = "parquet"

    def write(self, folder: Path, rows: Rows, tell: Callable[[int], None]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq
        from datasets import Features, Image, List, Value

        texts = [name for name in Outgoing.model_fields if name != "answers"]
        several = has_several(rows)
        shown = {SEVERAL: List(Image())} if several else {ONE: Image()}
        features = Features({**shown, "answers": List(Value("string")), **{name: Value("string") for name in texts}})
        size = GROUPS if several else BATCH
        (folder / "data").mkdir()
        done = 0
        for split in sorted({row.split for row, _ in rows}):
            of_split = [each for each in rows if each[0].split == split]
            target = folder / "data" / f"{split}-00000-of-00001.parquet"
            with pq.ParquetWriter(target, features.arrow_schema) as writer:
                for start in range(0, len(of_split), size):
                    batch = of_split[start : start + size]
                    rows_of_it = [_row(*each, several) for each in batch]
                    writer.write_table(pa.Table.from_pylist(rows_of_it, schema=features.arrow_schema))
                    done += len(batch)
                    tell(done)

    def recognises(self, path: Path) -> bool:
        return path.suffix == ".parquet" or (path.is_dir() and bool(_files(path)))

    def read(self, path: Path) -> Iterator[Incoming]:
        import pyarrow as pa

        for file in [path] if path.is_file() else _files(path):
            try:
                for place, row in enumerate(_read(file)):
                    yield _incoming(file, place, row)
            except (pa.ArrowException, OSError) as error:
                raise NightshiftError(f"{file} cannot be read as Parquet: {error}") from error


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.parquet"), *folder.glob("data/*.parquet")])


def _row(row: Outgoing, pictures: Sequence[Picture], several: bool) -> dict[str, Any]:
    told = [{"bytes": picture.read(), "path": picture.name} for picture in pictures]
    return {**row.model_dump(mode="json"), **({SEVERAL: told} if several else {ONE: told[0]})}


def _read(file: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, each with its pictures as a list. Raises NightshiftError where a column is missing."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file)
    there = table.schema_arrow.names
    shown = SEVERAL if SEVERAL in there else ONE
    needed = (shown, *NEEDED)
    if missing := [name for name in needed if name not in there]:
        raise NightshiftError(f"{file} has no column {missing[0]!r}; it needs {', '.join(needed)}")
    columns = [*needed, *(name for name in MORE if name in there)]
    for batch in table.iter_batches(batch_size=BATCH if shown == ONE else GROUPS, columns=columns):
        for row in batch.to_pylist():
            yield {**row, SEVERAL: [row[ONE]] if shown == ONE else row[SEVERAL] or []}


def _incoming(file: Path, place: int, row: dict[str, Any]) -> Incoming:
    """Row `place` of a file, from 0. What `image.path` says need not be one picture's alone, so it only names it."""
    name = f"{file.stem}-{place}"
    pictures = [each if isinstance(each, dict) else {} for each in row[SEVERAL]]
    whole = all(isinstance(each.get("bytes"), bytes) for each in pictures)
    if not pictures or not whole or row["ask"] is None or row["label"] is None:
        raise NightshiftError(f"{file}: row {place} lacks a picture, its `ask` or its `label`")
    return Incoming(
        name,
        tuple(
            IncomingPicture(str(each.get("path") or f"{name}-{number}"), partial(_bytes, each["bytes"]))
            for number, each in enumerate(pictures, start=1)
        ),
        str(row["ask"]),
        str(row["label"]),
        row.get("reason") or None,
        str(row.get("cluster") or ""),
    )


def _bytes(data: bytes, _: MediaSettings) -> bytes:
    return data
