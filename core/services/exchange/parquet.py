"""Parquet with the pictures inside, as the Hub and `datasets.load_dataset` expect it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from core.schema import NightshiftError
from core.services.exchange.base import Incoming, Outgoing, Picture, Rows, single

__all__ = ["Parquet"]

WHAT = "a row"
BATCH = 64
"Rows that are held in memory at a time."
NEEDED = ("image", "ask", "label")


class Parquet:
    """`data/train-00000-of-00001.parquet` and the same for `golden`; the column `image` is a picture."""

    name = "parquet"

    def write(self, folder: Path, rows: Rows, tell: Callable[[int], None]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq
        from datasets import Features, Image, List, Value

        texts = [name for name in Outgoing.model_fields if name != "answers"]
        features = Features(
            {"image": Image(), "answers": List(Value("string")), **{name: Value("string") for name in texts}}
        )
        (folder / "data").mkdir()
        done = 0
        for split in sorted({row.split for row, _ in rows}):
            of_split = [each for each in rows if each[0].split == split]
            target = folder / "data" / f"{split}-00000-of-00001.parquet"
            with pq.ParquetWriter(target, features.arrow_schema) as writer:
                for start in range(0, len(of_split), BATCH):
                    batch = of_split[start : start + BATCH]
                    rows_of_it = [_row(*each) for each in batch]
                    writer.write_table(pa.Table.from_pylist(rows_of_it, schema=features.arrow_schema))
                    done += len(batch)
                    tell(done)

    def recognises(self, path: Path) -> bool:
        return path.suffix == ".parquet" or (path.is_dir() and bool(_files(path)))

    def read(self, path: Path) -> Iterator[Incoming]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for file in [path] if path.is_file() else _files(path):
            try:
                table = pq.ParquetFile(file)
                if missing := [name for name in NEEDED if name not in table.schema_arrow.names]:
                    raise NightshiftError(f"{file} has no column {missing[0]!r}; it needs {', '.join(NEEDED)}")
                columns = [name for name in (*NEEDED, "reason") if name in table.schema_arrow.names]
                for batch in table.iter_batches(batch_size=BATCH, columns=columns):
                    for place, row in enumerate(batch.to_pylist()):
                        yield _incoming(file, place, row)
            except (pa.ArrowException, OSError) as error:
                raise NightshiftError(f"{file} cannot be read as Parquet: {error}") from error


def _files(folder: Path) -> list[Path]:
    return sorted([*folder.glob("*.parquet"), *folder.glob("data/*.parquet")])


def _row(row: Outgoing, pictures: Sequence[Picture]) -> dict[str, Any]:
    picture = single(row, pictures, WHAT)
    return {**row.model_dump(mode="json"), "image": {"bytes": picture.read(), "path": picture.name}}


def _incoming(file: Path, place: int, row: dict[str, Any]) -> Incoming:
    image = row["image"] if isinstance(row["image"], dict) else {}
    data = image.get("bytes")
    if not isinstance(data, bytes) or row["ask"] is None or row["label"] is None:
        raise NightshiftError(f"{file}: a row near {place} lacks its picture, its `ask` or its `label`")
    name = str(image.get("path") or f"{file.stem}-{place}")
    return Incoming(name, lambda _: data, str(row["ask"]), str(row["label"]), row.get("reason") or None)
