"""What the store needs of a database: a session, and which of its errors are worth another try.

Everything that differs between engines (connecting, locking, creating, the wording of errors) is in a subclass;
all SQL outside one is the dialect that they share.
"""

import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TypeAlias, TypeVar

import duckdb

from core.schema import NightshiftError
from core.store.errors import StoreBusy

__all__ = ["Connection", "Engine", "Work"]

T = TypeVar("T")
Connection: TypeAlias = duckdb.DuckDBPyConnection
Work: TypeAlias = Callable[[Connection], T]
"Statements to run in one transaction. May run more than once, so it must do nothing but use the connection."

FIRST_PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.1


class Engine(ABC):
    """One database, by its address. Holds no connection to it between calls; safe to share between threads.

    An engine must run write transactions one after the other: sequence numbers are given out inside them.
    """

    name: str
    "How people are told which store is meant: a path or a URL without secrets."

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
            except duckdb.Error as error:
                if not self.is_contention(error):
                    explained = self.explain(error)
                    if explained is None:
                        raise
                    raise explained from error
                if time.monotonic() >= until:
                    raise StoreBusy(f"{self.name} was in use by others for {deadline_s:g} s; try again") from error
            # Jitter keeps processes that met once from meeting again.
            time.sleep(max(0.0, min(random.uniform(0.5, 1.5) * pause_s, until - time.monotonic())))
            pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)


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
