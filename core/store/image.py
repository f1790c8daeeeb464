"""All records of a store as they stood at one moment, in a folder of Parquet files that any engine can be made from.

Rows are appended, and some are deleted later: by an erasure, by a sign-in, by upkeep. So a moment is the last sequence
number of each table, taken in one transaction, and the rows up to it are read afterwards, a page at a time, while
others go on writing. What is deleted meanwhile may be missing from the image, which says what it holds by the rows that
were read. The manifest of an image says the same of a store on any engine: two stores with equal manifests hold the
same records in the same order.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from pydantic import BaseModel, ConfigDict

from core.schema import NightshiftError, Record
from core.store.database import Database, engine_of
from core.store.engine import ERASES_FROM, Connection, quoted
from core.store.migrate import Migration, load_migrations, refuse_newer, upgrade
from core.store.tables import KINDS

__all__ = ["Image", "Rows", "build_store", "image_of", "values_in", "verify_image", "write_image"]

TABLES = tuple(f"{kind.kind}_event" for kind in KINDS)
PAGE = 5_000
"Rows of a file, and rows that are read while a store is held."

MOMENT = "TIMESTAMP WITH TIME ZONE"
"As DuckDB names the type of a column of moments."


class Rows(BaseModel):
    """The rows of one table."""

    model_config = ConfigDict(frozen=True)

    rows: int
    last: int
    "Largest sequence number; 0 where there are none."
    sha256: str
    "Over every row with all its columns, in their order."


class Image(BaseModel):
    """What a store held at one moment. Who held a lease is left out; tokens stay, since they may only grow."""

    model_config = ConfigDict(frozen=True)

    schema_version: int
    records: dict[str, Rows]
    champions: dict[str, str]
    lease_tokens: dict[str, int]
    numbers_given: dict[str, int] = {}
    "By kind, the last sequence number of rows that were erased."


def image_of(database: Database) -> Image:
    """The image of a store as it is now."""
    return _image(database, TABLES, None)


def write_image(database: Database, folder: Path) -> Image:
    """Writes every row there is at this moment below `folder`, while others go on writing, and returns their image."""
    folder.mkdir(parents=True)
    return _image(database, TABLES, folder)


def verify_image(image: Image, folder: Path) -> None:
    """Raises NightshiftError unless the files below `folder` hold what the image says, to the last byte of a row."""
    connection = duckdb.connect(":memory:", config={"threads": 1, "temp_directory": ""})
    try:
        for table, told in image.records.items():
            if (folder / table).is_dir():
                connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{_files(folder, table)}')")
                _refuse_other(_rows(Connection(connection), table), table, told)
            else:
                _refuse_other(_Digest().rows, table, told)
    except duckdb.Error as error:
        raise NightshiftError(f"the records in {folder} cannot be read: {str(error).splitlines()[0]}") from error
    finally:
        connection.close()


def values_in(folder: Path, kind: type[Record], column: str) -> tuple[str, ...]:
    """The values of a column in the files of an image, each once, in their order."""
    table = f"{kind.kind}_event"
    if not (folder / table).is_dir():
        return ()
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        found = connection.execute(
            f"SELECT DISTINCT {column} FROM read_parquet('{_files(folder, table)}') ORDER BY {column}"
        )
        return tuple(row[0] for row in found.fetchall())


def build_store(url: str, image: Image, folder: Path, *, deadline_s: float = 30.0) -> None:
    """Makes a store at `url` out of an image's files: all of it, in one transaction that is compared with the image.

    Raises NightshiftError where there is a store already, and StoreNewer for an image from a newer version; then, and
    wherever it fails, there is no more at `url` than before.
    """
    steps = load_migrations()
    refuse_newer(image.schema_version, steps[-1].version, str(folder))
    engine = engine_of(url)
    if engine.exists():
        raise NightshiftError(f"there is a store at {engine.name} already; it is left as it is")
    engine.create(partial(_fill, steps=steps[: image.schema_version], image=image, folder=folder), deadline_s)
    built = Database(engine, image.schema_version, deadline_s)
    if _image(built, tuple(image.records), None) != image:
        raise NightshiftError(f"somebody else made a store at {engine.name} at the same moment; it is left as it is")


def _fill(connection: Connection, steps: Sequence[Migration], image: Image, folder: Path) -> None:
    upgrade(connection, steps, str(folder))
    for table, told in image.records.items():
        if told.rows:
            files = _files(folder, table)
            connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM read_parquet('{files}') ORDER BY seq")
        _refuse_other(_rows(connection, table), table, told)
    for kind, last in image.numbers_given.items():
        connection.execute("INSERT INTO number_given VALUES (?, ?)", [kind, last])
    for environment, release in image.champions.items():
        connection.execute("INSERT INTO champion (environment, release) VALUES (?, ?)", [environment, release])
    for name, token in image.lease_tokens.items():
        connection.execute(
            'INSERT INTO lease (name, owner, token, "until", released) '
            "VALUES (?, 'another store', ?, to_timestamp(0), true)",
            [name, token],
        )


def _image(database: Database, tables: Sequence[str], folder: Path | None) -> Image:
    moment = database.read(partial(_moment, tables=tables))
    records = {}
    for table, told in moment.records.items():
        digest = _Digest()
        for after in range(0, told.last, PAGE):
            file = None if folder is None else folder / table / f"{after:012}.parquet"
            upto = min(after + PAGE, told.last)
            digest.add(database.read(partial(_page, table=table, after=after, upto=upto, file=file)))
        records[table] = digest.rows
    # Last of all: what was deleted since the moment may have borne the highest numbers, which are not given out again.
    return moment.model_copy(update={"records": records, "numbers_given": database.read(_numbers_given)})


def _moment(connection: Connection, tables: Sequence[str]) -> Image:
    """What there is now, of the records only how far they go."""
    return Image(
        schema_version=connection.schema_version() or 0,
        records={table: Rows(rows=0, last=_last(connection, table), sha256="") for table in tables},
        champions=dict(connection.execute("SELECT environment, release FROM champion ORDER BY ALL").fetchall()),
        lease_tokens=dict(connection.execute("SELECT name, token FROM lease ORDER BY ALL").fetchall()),
    )


def _numbers_given(connection: Connection) -> dict[str, int]:
    if (connection.schema_version() or 0) < ERASES_FROM:
        return {}
    given = "SELECT kind, max(seq) FROM number_given GROUP BY kind ORDER BY kind"
    return dict(connection.execute(given).fetchall())


def _page(connection: Connection, table: str, after: int, upto: int, file: Path | None) -> list[tuple[Any, ...]]:
    """The rows with a `seq` above `after` and up to `upto`, in order, each led by its `seq`; written to `file` too,
    where one is given."""
    where = f"FROM {table} WHERE seq > {after} AND seq <= {upto} ORDER BY seq, id"
    if file is not None:
        file.parent.mkdir(exist_ok=True)
        connection.execute(f"COPY (SELECT * {where}) TO '{quoted(file)}' (FORMAT parquet, COMPRESSION zstd)")
    described = connection.execute(f"SELECT * FROM {table} LIMIT 0").description
    # A moment is a number, so that no time zone has a part in the hash.
    values = ", ".join(
        f'epoch_us("{column}")' if str(kind) == MOMENT else f'"{column}"'
        for column, kind, *_ in sorted(described, key=lambda each: each[0])
    )
    return connection.execute(f"SELECT seq, {values} {where}").fetchall()


def _last(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT coalesce(max(seq), 0) FROM {table}").fetchone()
    return int(row[0]) if row else 0


class _Digest:
    """Of rows in the order of their `seq`, whatever the pages they come in."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._number, self._last = 0, 0

    def add(self, page: list[tuple[Any, ...]]) -> None:
        for seq, *row in page:
            self._hash.update(json.dumps(row, ensure_ascii=False).encode())
            self._last = seq
        self._number += len(page)

    @property
    def rows(self) -> Rows:
        return Rows(rows=self._number, last=self._last, sha256=self._hash.hexdigest())


def _rows(connection: Connection, table: str) -> Rows:
    """What a table holds, as an image tells it."""
    last = _last(connection, table)
    digest = _Digest()
    for after in range(0, last, PAGE):
        digest.add(_page(connection, table, after, min(after + PAGE, last), None))
    return digest.rows


def _refuse_other(found: Rows, table: str, told: Rows) -> None:
    if found != told:
        raise NightshiftError(f"{table} holds {found.rows} rows that are not the {told.rows} of the manifest")


def _files(folder: Path, table: str) -> str:
    return quoted(folder / table / "*.parquet")
