"""An opened store as the rest of this package uses it: work in, result out, always on the schema it knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from core.schema import NightshiftError, Unavailable
from core.store.duckdb_file import DuckDBFile
from core.store.engine import Connection, Engine, Work
from core.store.lake_address import LAKE, LAKE_EXAMPLE, parse_lake_url
from core.store.migrate import Migration, refuse_newer, step_up, upgrade, version_of

__all__ = ["Database", "engine_of", "open_database", "store_exists", "store_name"]

T = TypeVar("T")
DUCKDB = "duckdb:///"


@dataclass(frozen=True)
class Database:
    """An engine, the schema version that was found in it, and how long to wait for it."""

    engine: Engine
    version: int
    deadline_s: float

    def read(self, work: Work[T]) -> T:
        """The result of `work` on one consistent state."""
        return self.engine.read(lambda connection: self._on_known_schema(connection, work), self.deadline_s)

    def write(self, work: Work[T]) -> T:
        """The result of `work` once it is committed."""
        return self.engine.write(lambda connection: self._on_known_schema(connection, work), self.deadline_s)

    def compact(self) -> bool:
        """Writes the database anew without what was deleted; False where the engine cannot."""
        return self.engine.compact(self.deadline_s)

    def _on_known_schema(self, connection: Connection, work: Work[T]) -> T:
        # A newer process may migrate the store while an older one is still running.
        version = connection.schema_version()
        if version != self.version:
            refuse_newer(version or 0, self.version, self.engine.name)
            raise Unavailable(f"the store {self.engine.name} was replaced while in use; start again to open it")
        return work(connection)


def open_database(engine: Engine, steps: Sequence[Migration], deadline_s: float) -> Database:
    """The database, made or migrated where that is needed; one that is up to date is only read."""
    if not engine.exists():
        engine.create(lambda connection: upgrade(connection, steps, engine.name), deadline_s)
    version = engine.read(lambda connection: version_of(connection, engine.name), deadline_s)
    refuse_newer(version, steps[-1].version, engine.name)
    while version < steps[-1].version:
        version = engine.write(lambda connection: step_up(connection, steps, engine.name), deadline_s)
    return Database(engine, steps[-1].version, deadline_s)


def engine_of(url: str) -> Engine:
    """The engine for a store URL. Raises NightshiftError for one that is not known."""
    if url.startswith(LAKE):
        # Only who has a lake needs what it takes.
        from core.store.ducklake import DuckLake

        return DuckLake(parse_lake_url(url))
    path = url.removeprefix(DUCKDB)
    if path == url or not path or path.startswith(":memory:"):
        raise NightshiftError(
            f"store {url!r}: write {DUCKDB}PATH, with the path of a file on this machine, or {LAKE_EXAMPLE}"
        )
    return DuckDBFile(Path(path))


def store_exists(url: str) -> bool:
    """Whether there is a store at a URL. Raises NightshiftError for one that is not known or cannot be reached."""
    return engine_of(url).exists()


def store_name(url: str) -> str:
    """What people are told that a URL means: no password is in it."""
    return engine_of(url).name
