"""What the store needs of a database: a session, and which of its errors are worth another try.

Everything that differs between engines (connecting, locking, creating, the wording of errors) is in a subclass;
all SQL outside one is the dialect that they share.
"""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, suppress
from functools import cache
from typing import TypeAlias, TypeVar

import duckdb

from core.schema import NightshiftError
from core.store.errors import StoreBusy

__all__ = ["ERASES_FROM", "Connection", "Contended", "Engine", "Work", "quoted"]

T = TypeVar("T")

FIRST_PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.1


class Contended(Exception):
    """Somebody else's turn: the same work may succeed a moment later. Never leaves this package."""


ERASES_FROM = 10
"The schema version from which rows are erased, and `number_given` says which of their numbers are not given again."


def quoted(text: object) -> str:
    """`text` as it stands between the quotes of an SQL literal."""
    return str(text).replace("'", "''")


class Connection:
    """What work has of a database, within one transaction."""

    def __init__(self, duck: duckdb.DuckDBPyConnection) -> None:
        self.duck = duck

    def execute(self, sql: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        """Runs statements of the shared dialect; the result is fetched from what is returned."""
        return self.duck.execute(sql, parameters)

    def schema_version(self) -> int | None:
        """The version of the schema that this transaction sees."""
        row = self.execute("SELECT max(version) FROM schema_version").fetchone()
        return row[0] if row else None

    def has_rows(self, table: str) -> bool:
        """Whether a table of records has ever held one."""
        return self.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() is not None

    def append(self, table: str, columns: Mapping[str, str], rows: list[list[object]]) -> int:
        """Appends to `table` the rows whose ids are not there yet, numbered (`seq`) after its last one.

        `columns` says the SQL type of each column but `seq`; `rows` holds the values column by column, and `id` is
        the first. No id may be given twice. Returns how many were new.
        """
        places = list(range(1, len(rows[0]) + 1))
        done = self.execute(_append_statement(table, tuple(columns.items())), [places, *rows]).fetchone()
        return int(done[0]) if done else 0


Work: TypeAlias = Callable[[Connection], T]
"Statements to run in one transaction. May run more than once, so it must do nothing but use the connection."


class Engine(ABC):
    """One database, by its address. Safe to share between threads.

    An engine must run write transactions one after the other: sequence numbers are given out inside them.
    """

    name: str
    "How people are told which store is meant: a path or a URL without secrets."
    retries: int = 0
    "How often work was begun again in this process because others held the store."

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is a database at the address."""

    @abstractmethod
    def create(self, build: Work[None], deadline_s: float) -> None:
        """Makes the database and runs `build` in it, both or nothing. Someone else's being first is no error."""

    @abstractmethod
    def session(self, *, write: bool, until: float) -> AbstractContextManager[Connection]:
        """A connection for the length of a block. `until` (monotonic seconds) bounds waiting within this process."""

    @abstractmethod
    def is_contention(self, error: duckdb.Error) -> bool:
        """Whether the same work may succeed a moment later."""

    @abstractmethod
    def explain(self, error: duckdb.Error) -> NightshiftError | None:
        """What a user can make of an error; None where it is a fault of ours and should be seen as it is."""

    def compact(self, deadline_s: float) -> bool:  # noqa: ARG002
        """Writes the database anew without what was deleted from it; False where an engine has no way to do so."""
        return False

    def remains(self, ids: Collection[str], texts: Collection[str]) -> list[str]:  # noqa: ARG002
        """Where outside its own tables, and outside the home, the database still holds one of these; a line each."""
        return []

    def tend(self, deadline_s: float) -> dict[str, int]:  # noqa: ARG002
        """Puts in order what writing left behind, and says what was done; most engines need nothing of the kind."""
        return {}

    def read(self, work: Work[T], deadline_s: float) -> T:
        """The result of `work` on one consistent state. Raises StoreBusy after `deadline_s` seconds."""
        return self._run(work, write=False, deadline_s=deadline_s)

    def write(self, work: Work[T], deadline_s: float) -> T:
        """The result of `work` once it is committed. Raises StoreBusy after `deadline_s` seconds."""
        return self._run(work, write=True, deadline_s=deadline_s)

    def _run(self, work: Work[T], *, write: bool, deadline_s: float) -> T:
        until = time.monotonic() + deadline_s
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                with self.session(write=write, until=until) as connection:
                    return _in_transaction(connection, work)
            except (duckdb.Error, Contended) as error:
                if isinstance(error, duckdb.Error) and not self.is_contention(error):
                    explained = self.explain(error)
                    if explained is None:
                        raise
                    raise explained from error
                if time.monotonic() >= until:
                    raise StoreBusy(f"{self.name} was in use by others for {deadline_s:g} s; try again") from error
            self.retries += 1
            # Jitter keeps processes that met once from meeting again.
            time.sleep(max(0.0, min(random.uniform(0.5, 1.5) * pause_s, until - time.monotonic())))
            pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)


@cache
def _append_statement(table: str, columns: tuple[tuple[str, str], ...]) -> str:
    names = ", ".join(f'"{name}"' for name, _ in columns)
    unnested = ", ".join(f'unnest(?::{sql_type}[]) AS "{name}"' for name, sql_type in columns)
    return (
        f"INSERT INTO {table} (seq, {names}) "
        f"SELECT greatest((SELECT coalesce(max(seq), 0) FROM {table}), "
        f"(SELECT coalesce(max(seq), 0) FROM number_given WHERE kind = '{table.removesuffix('_event')}')) "
        f"+ row_number() OVER (ORDER BY place), {names} "
        f"FROM (SELECT unnest(?::BIGINT[]) AS place, {unnested}) AS given "
        f"WHERE NOT EXISTS (SELECT 1 FROM {table} AS old WHERE old.id = given.id)"
    )


def _in_transaction(connection: Connection, work: Work[T]) -> T:
    connection.execute("BEGIN TRANSACTION")
    try:
        result = work(connection)
    except BaseException:
        with suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return result
