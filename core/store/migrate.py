"""Bringing a store to the present schema: numbered .sql files; a new store gets all of them in one transaction."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from core.schema import NightshiftError, now
from core.store.engine import Connection
from core.store.errors import StoreNewer

__all__ = ["Migration", "load_migrations", "step_up", "upgrade", "version_of"]

FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True)
class Migration:
    """The step from schema `version - 1` to `version`."""

    version: int
    name: str
    sql: str


def load_migrations() -> tuple[Migration, ...]:
    """Every step there is, in order; the last one's version is the present schema."""
    found = []
    for file in files("core.store").joinpath("migrations").iterdir():
        if match := FILE_NAME.fullmatch(file.name):
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    return tuple(sorted(found, key=lambda step: step.version))


def version_of(connection: Connection, name: str) -> int:
    """The schema version of the attached database; 0 for an empty one. Raises NightshiftError for a foreign one."""
    tables = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = current_database()"
    ).fetchall()
    if not tables:
        return 0
    if ("schema_version",) not in tables:
        raise NightshiftError(f"{name} is a database of something else; give the store a file of its own")
    row = connection.execute("SELECT max(version) FROM schema_version").fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def upgrade(connection: Connection, steps: Sequence[Migration], name: str) -> None:
    """Runs the steps that the database lacks, in the caller's transaction. Raises StoreNewer, having done nothing."""
    for step in _missing(connection, steps, name):
        _take(connection, step)


def step_up(connection: Connection, steps: Sequence[Migration], name: str) -> int:
    """Runs the next step alone, in the caller's transaction; the version after it. Raises StoreNewer as `upgrade` does.

    DuckDB does not commit a transaction that alters a table with rows, writes to it and alters it again, so what holds
    rows takes one step at a time. Who is killed between two leaves a store that the next process goes on with.
    """
    missing = _missing(connection, steps, name)
    if not missing:
        return steps[-1].version
    _take(connection, missing[0])
    return missing[0].version


def _missing(connection: Connection, steps: Sequence[Migration], name: str) -> list[Migration]:
    version = version_of(connection, name)
    refuse_newer(version, steps[-1].version, name)
    return [step for step in steps if step.version > version]


def _take(connection: Connection, step: Migration) -> None:
    connection.execute(step.sql)
    connection.execute("INSERT INTO schema_version VALUES (?, ?, ?)", [step.version, step.name, now()])


def refuse_newer(version: int, known: int, name: str) -> None:
    """Raises StoreNewer where `version` is more than this installation knows."""
    if version > known:
        raise StoreNewer(
            f"the store {name} has schema version {version}, written by a newer Nightshift; "
            f"this one knows versions up to {known}. Upgrade Nightshift, or choose another home"
        )
