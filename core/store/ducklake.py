"""DuckLake on many machines: rows in Parquet files, and a catalog in Postgres that says which of them count.

DuckLake commits by inserting the catalog's next snapshot number, which is a primary key. So of two transactions that
began on the same snapshot one fails, whatever they wrote, and is run again here on the newer one. That alone keeps
writers apart; so that they do not waste their work, each takes its turn first (`lake_turn.py`).

Unlike a file, a lake stays attached between calls, because attaching takes longer than a write. It is let go of before
a fork, when a connection breaks, and with the engine.
"""

import os
import re
import threading
import time
import weakref
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial

import duckdb
import psycopg

from core.media import count_versions_below, remove_versions_below
from core.schema import NightshiftError, Unavailable
from core.store.engine import ERASES_FROM, Connection, Contended, Engine, Work
from core.store.errors import StoreBusy
from core.store.lake_address import LakeAddress
from core.store.lake_attachment import Attachment, close_spare
from core.store.lake_rewriting import REWRITING, left_in_catalog, left_in_files, vacuum
from core.store.lake_turn import SCHEMA, TABLES, State, Turn

__all__ = ["DuckLake"]

UNUSED = "older_than => now() - INTERVAL '1 day'"
"How long no longer used files are kept: longer than any read lasts."
UPKEEP = {
    "rows_flushed": "SELECT coalesce(sum(rows_flushed), 0) FROM ducklake_flush_inlined_data('store')",
    "files_merged": "SELECT coalesce(sum(files_processed), 0) FROM ducklake_merge_adjacent_files('store')",
    "snapshots_expired": f"SELECT count(*) FROM ducklake_expire_snapshots('store', {UNUSED})",
    "files_removed": f"SELECT count(*) FROM ducklake_cleanup_old_files('store', {UNUSED})",
}
"""Each in a turn of its own, in this order."""
CONTENTION = ("maximum retry count of 0", "could not serialize access")
PASSING = ("too many clients", "remaining connection slots", "is starting up", "is shutting down")
# Whatever a write is asked again it does once, so a connection that was lost in its commit is no reason to give up.
LOST = ("server closed the connection", "terminating connection", "no connection to the server", "SSL connection")
GONE = ("No such file or directory", "404")
READS = re.compile(r"\s*(SELECT|BEGIN|COMMIT|ROLLBACK)\b", re.IGNORECASE)
HARMLESS = re.compile(r"\s*(INSERT INTO|UPDATE) (champion|lease)\b", re.IGNORECASE)
"After anything else that writes, what Postgres remembers of schema and records has to be looked up again."


class LakeConnection(Connection):
    """A transaction on a lake. Appending asks Postgres, not the files, which ids are there."""

    def __init__(self, duck: duckdb.DuckDBPyConnection, catalog: psycopg.Connection, turn: Turn | None) -> None:
        super().__init__(duck)
        self._catalog = catalog
        self._turn = turn
        self._began_at = -1

    def is_behind(self) -> bool:
        """Whether the lake has a newer snapshot than there was when this transaction began."""
        return State.of(self._catalog).head != self._began_at

    def execute(self, sql: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        if self._turn and not READS.match(sql):
            self._turn.wrote = True
            self._turn.current = self._turn.current and bool(HARMLESS.match(sql))
        return super().execute(sql, parameters)

    def schema_version(self) -> int | None:
        remembered = self._turn or State.of(self._catalog)
        self._began_at = remembered.head
        if remembered.current:
            return remembered.version
        version = super().schema_version()
        if self._turn:
            self._remember(self._turn, version)
        return version

    def has_rows(self, table: str) -> bool:
        if self._turn is None or not self._turn.current:
            return super().has_rows(table)
        return self._turn.last(table) > 0

    def append(self, table: str, columns: Mapping[str, str], rows: list[list[object]]) -> int:
        if self._turn is None or not self._turn.current:
            return super().append(table, columns, rows)
        fresh, last = self._turn.admit(table, rows[0])
        if not fresh:
            return 0
        self._turn.wrote = True
        kept = [place for place, id in enumerate(rows[0]) if id in fresh]
        seqs = list(range(last - len(kept) + 1, last + 1))
        unnested = ", ".join(f"unnest(?::{sql_type}[])" for sql_type in ("BIGINT", *columns.values()))
        names = ", ".join(f'"{name}"' for name in ("seq", *columns))
        self.duck.execute(
            f"INSERT INTO {table} ({names}) SELECT {unnested}",
            [seqs, *([column[place] for place in kept] for column in rows)],
        )
        return len(kept)

    def _snapshot(self) -> int:
        row = self.duck.execute("SELECT id FROM ducklake_current_snapshot('store')").fetchone()
        return int(row[0]) if row else -1

    def _remember(self, turn: Turn, version: int | None) -> None:
        for table, last in turn.filled():
            found = self.duck.execute(f"SELECT seq, id FROM {table} WHERE seq > ?", [last]).fetchall()
            if found:
                turn.learn(table, [id for _, id in found], max(seq for seq, _ in found))
        if (version or 0) >= ERASES_FROM:
            self._unlearn_erased(turn)
        turn.version, turn.head, turn.current = version, self._snapshot(), True

    def _unlearn_erased(self, turn: Turn) -> None:
        """What is remembered and no longer there may come again, as something new, and with a number of its own."""
        for table, number in turn.counts():
            ids = self.duck.execute(f"SELECT DISTINCT id FROM {table}").fetchall() if number else []
            if len(ids) < number:
                turn.relearn(table, [id for (id,) in ids])
        for kind, last in self.duck.execute("SELECT kind, max(seq) FROM number_given GROUP BY kind").fetchall():
            turn.given(f"{kind}_event", last)


class DuckLake(Engine):
    """A lake whose catalog is the schema `nightshift` of a Postgres database."""

    def __init__(self, address: LakeAddress) -> None:
        self.address = address
        self.name = address.name
        self.desk = threading.Lock()
        self.open = Attachment(address)
        _engines.add(self)
        weakref.finalize(self, self.open.let_go)

    def exists(self) -> bool:
        with self.desk, self._explaining():
            catalog = self.open.catalog()
            found = catalog.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{SCHEMA}.known"]).fetchone()
            if found is None or not found[0]:
                return False
            made = f"SELECT 1 FROM {SCHEMA}.ducklake_table WHERE table_name = 'schema_version'"
            return catalog.execute(made).fetchone() is not None

    def create(self, build: Work[None], deadline_s: float) -> None:
        with self.desk, self._explaining():
            catalog = self.open.catalog()
            # Two that make the same schema at once would both find it missing.
            catalog.execute("SELECT pg_advisory_lock(hashtext(%s))", [SCHEMA])
            try:
                catalog.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
                self.open.lake()
                catalog.execute(TABLES)
            finally:
                catalog.execute("SELECT pg_advisory_unlock(hashtext(%s))", [SCHEMA])
        self.write(build, deadline_s)

    @contextmanager
    def session(self, *, write: bool, until: float) -> Iterator[Connection]:
        if not self.desk.acquire(timeout=max(0.0, until - time.monotonic())):
            raise StoreBusy(f"{self.name} was in use by other threads of this process; try again")
        try:
            with self._explaining():
                lake, catalog = self.open.lake(), self.open.catalog()
                if not write:
                    reading = LakeConnection(lake, catalog, None)
                    try:
                        yield reading
                    except duckdb.Error as error:
                        # An erasure removes files at once; on the newest snapshot none is missing.
                        if _says(error, *GONE) and reading.is_behind():
                            raise Contended from error
                        raise
                    return
                turn = Turn(catalog)
                try:
                    yield LakeConnection(lake, catalog, turn)
                except BaseException:
                    with suppress(psycopg.Error):
                        turn.abandon()
                    raise
                # The lake is committed: where this fails, who writes next makes it good.
                with suppress(psycopg.Error):
                    turn.finish()
        finally:
            self.desk.release()

    def compact(self, deadline_s: float) -> bool:
        # The memory beside the catalog lets go of what was deleted when it is asked next.
        self.write(lambda connection: connection.schema_version(), deadline_s)
        for call in REWRITING.values():
            self.write(partial(_call, call=call), deadline_s)
        with self.desk, self._explaining():
            vacuum(self.open.catalog(), self.name, deadline_s)
        remove_versions_below(self.address.data)
        return True

    def remains(self, ids: Collection[str], texts: Collection[str]) -> list[str]:
        with self.desk, self._explaining():
            found = left_in_catalog(self.open.catalog(), [*ids, *texts])
            found += left_in_files(self.open.lake(), self.address.data, ids, texts)
        kept = count_versions_below(self.address.data)
        return [*found, f"the bucket keeps {kept} versions of files of the lake"] if kept else found

    def tend(self, deadline_s: float) -> dict[str, int]:
        """Writes what is inlined to files, merges small files, and forgets old snapshots and what only they need."""
        return {what: self.write(partial(_call, call=call), deadline_s) for what, call in UPKEEP.items()}

    def is_contention(self, error: duckdb.Error) -> bool:
        return _says(error, *CONTENTION, *PASSING, *LOST)

    def explain(self, error: duckdb.Error) -> NightshiftError | None:
        if _says(error, "DATA_PATH"):
            return Unavailable(f"{self.name} keeps its files elsewhere than in {self.address.data}: {_gist(error)}")
        if isinstance(error, duckdb.CatalogException):
            return Unavailable(f"{self.name} lacks a table or view of a Nightshift store: {_gist(error)}")
        if isinstance(
            error, duckdb.IOException | duckdb.FatalException | duckdb.TransactionException | duckdb.HTTPException
        ):
            return Unavailable(f"the store {self.name} cannot be read or written: {_gist(error)}")
        return None

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            self.open.let_go()
            if _says(error, *LOST, *PASSING):
                raise Contended from error
            raise Unavailable(f"the store {self.name} cannot be reached: {_gist(error)}") from error
        except duckdb.Error as error:
            if _says(error, *LOST) or isinstance(error, duckdb.FatalException):
                self.open.let_go()
            raise


def _call(connection: Connection, call: str) -> int:
    row = connection.execute(call).fetchone()
    return int(row[0]) if row else 0


def _says(error: Exception, *signs: str) -> bool:
    return any(sign in str(error) for sign in signs)


def _gist(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


_engines: weakref.WeakSet[DuckLake] = weakref.WeakSet()
_forking = threading.Lock()
_held: list[DuckLake] = []


def _before_fork() -> None:
    # A child would share the sockets, and end its parent's sessions with its own.
    _forking.acquire()
    _held.extend(_engines)
    for engine in _held:
        engine.desk.acquire()
        engine.open.let_go()
    close_spare()


def _after_fork() -> None:
    for engine in _held:
        engine.desk.release()
    _held.clear()
    _forking.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
