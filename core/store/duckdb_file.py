"""DuckDB on one machine: `duckdb:///path` is one file that many processes take turns with.

DuckDB lets one process at a time hold a file, and any number if all of them only read. So a file is attached for
the length of one transaction and let go again; what stays open in between is an empty in-memory database, which
makes attaching five times quicker than connecting. Threads of one process take turns before they try the file.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from core.disk import write_through
from core.schema import NightshiftError, Unavailable, new_id
from core.store.engine import Connection, Engine, Work, quoted
from core.store.errors import StoreBusy, StoreNewer

__all__ = ["DuckDBFile"]

# No extension is fetched from the network, and nothing spills into the working directory.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
}
LOOK_AGAIN_S = 0.02
ASIDE = ".compact"
BUILD = """
import json, pathlib, sys, duckdb
rows = pathlib.Path(sys.argv[2])
with duckdb.connect(sys.argv[1], config={"threads": 1}) as fresh:
    missing = json.loads((rows / "schema.json").read_text())
    while missing:
        later = []
        for statement in missing:
            try:
                fresh.execute(statement)
            except duckdb.CatalogException:
                later.append(statement)
        if len(later) == len(missing):
            fresh.execute(missing[0])
        missing = later
    for table in rows.glob("*.parquet"):
        fresh.execute(f'INSERT INTO "{table.stem}" SELECT * FROM read_parquet(?)', [str(table)])
"""
"Makes a database of a folder of rows, in a process of its own."
REPLACED = "was written anew while it was being opened"
CONTENTION = (
    REPLACED,
    # Another process holds the file.
    "Could not set lock on file",
    # Someone in this process attached or connected to it without us.
    "Unique file handle conflict",
    "different configuration",
    # Two transactions of one instance met.
    "write-write conflict",
    "Transaction conflict",
    "Conflict on",
)


ENVIRONMENTAL = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.SerializationException,
    duckdb.TransactionException,
    duckdb.OutOfMemoryException,
)
"Errors of the machine or the file; the others can only be ours."


class Desk:
    """The one place of a process where a file can lie open."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def attached(self, path: Path, *, write: bool, until: float) -> Iterator[Connection]:
        if not self.turn.acquire(timeout=max(0.0, until - time.monotonic())):
            raise StoreBusy(f"{path} was in use by other threads of this process; try again")
        try:
            connection = self._connection = self._connection or duckdb.connect(":memory:", config=CONFIG)
            access = "READ_WRITE" if write else "READ_ONLY"
            before = _file_of(path)
            connection.execute(f"ATTACH '{quoted(path)}' AS store (TYPE duckdb, {access})")
            try:
                # Between being opened and being locked the file can have been put aside by whoever wrote it anew:
                # what is written to it then would be lost. Once it is locked that cannot happen.
                if before is not None and _file_of(path) != before:
                    raise duckdb.IOException(f"{path} {REPLACED}")
                connection.execute("USE store")
                yield Connection(connection)
            except duckdb.Error:
                # A failed write can leave an instance unusable: start the next block with a new one.
                self._close()
                raise
            finally:
                self._detach()
        finally:
            self.turn.release()

    def _detach(self) -> None:
        if self._connection is None:
            return
        try:
            self._connection.execute("USE memory")
            self._connection.execute("DETACH store")
        except duckdb.Error:
            # The commit is in the write-ahead log; only folding it into the file failed, and the next block repeats it.
            self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(duckdb.Error):
                connection.close()


_desk = Desk()
# A child that is forked while a file lies open would find it open for ever: forking waits for the block to end.
os.register_at_fork(before=_desk.turn.acquire, after_in_parent=_desk.turn.release, after_in_child=_desk.turn.release)


class DuckDBFile(Engine):
    """A DuckDB database file."""

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path.expanduser().absolute()
        self.name = name or str(self.path)

    def exists(self) -> bool:
        return self.path.exists()

    def create(self, build: Work[None], deadline_s: float) -> None:
        aside = DuckDBFile(self.path.with_name(f".{self.path.name}.{new_id()}.new"), self.name)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            aside.write(build, deadline_s)
            # Linking fails where the name is taken, so of two processes one store wins, and never half of one.
            with suppress(FileExistsError):
                self.path.hardlink_to(aside.path)
            write_through(self.path.parent)
        except OSError as error:
            raise Unavailable(f"cannot create the store {self.name}: {error.strerror}") from error
        finally:
            for left in (aside.path, aside.path.with_name(f"{aside.path.name}.wal")):
                with suppress(OSError):
                    left.unlink(missing_ok=True)

    @contextmanager
    def session(self, *, write: bool, until: float) -> Iterator[Connection]:
        with _desk.attached(self.path, write=write, until=until) as connection:
            yield connection

    def compact(self, deadline_s: float) -> bool:
        """DuckDB leaves deleted rows where they lay, whether it checkpoints or vacuums: only a new file is without.

        The new one is written by a process of its own, which has never had them in memory: what is left over in the
        buffers of one that has gets into the unused parts of a block. While the old file is locked for reading nobody
        can write to it, so that the new one, which takes its name before the lock ends, lacks nothing.
        """
        until = time.monotonic() + deadline_s
        aside = self.path.with_name(f".{self.path.name}.{new_id()}{ASIDE}")
        try:
            self._clear_aside()
            while not self._copied(aside, until, deadline_s):
                aside.unlink(missing_ok=True)
                if time.monotonic() >= until:
                    raise StoreBusy(f"{self.name} was written to by others for {deadline_s:g} s; try again")
        except OSError as error:
            raise Unavailable(f"cannot write the store {self.name} anew: {error.strerror}") from error
        finally:
            self._clear_aside()
        write_through(self.path.parent)
        return True

    def _clear_aside(self) -> None:
        """Removes what a compaction left beside the file, one that was killed too: it holds rows that may go later."""
        for left in self.path.parent.glob(f".{self.path.name}.*{ASIDE}*"):
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                with suppress(OSError):
                    left.unlink(missing_ok=True)

    def _copied(self, aside: Path, until: float, deadline_s: float) -> bool:
        """Whether a copy has taken the place of the file; not where somebody wrote in between."""
        # What the write-ahead log holds comes into the file, for a log would outlive the file that it belongs to.
        self.write(lambda connection: connection.execute("SELECT 1"), deadline_s)
        while True:
            try:
                with self.session(write=False, until=until) as connection:
                    return self._copy(connection, aside)
            except duckdb.Error as error:
                if not self.is_contention(error) or time.monotonic() >= until:
                    raise (self.explain(error) or error) from error
            time.sleep(LOOK_AGAIN_S)

    def _copy(self, connection: Connection, aside: Path) -> bool:
        if self.path.with_name(f"{self.path.name}.wal").exists():
            return False
        aside.unlink(missing_ok=True)
        rows = aside.with_name(f"{aside.name}.rows")
        shutil.rmtree(rows, ignore_errors=True)
        _write_rows(connection, rows)
        built = subprocess.run([sys.executable, "-c", BUILD, str(aside), str(rows)], capture_output=True, text=True)
        if built.returncode:
            raise Unavailable(f"cannot write the store {self.name} anew: {built.stderr.strip().splitlines()[-1:]}")
        write_through(aside)
        aside.replace(self.path)
        return True

    def is_contention(self, error: duckdb.Error) -> bool:
        return any(sign in str(error) for sign in CONTENTION)

    def explain(self, error: duckdb.Error) -> NightshiftError | None:
        text = str(error)
        if "not a valid DuckDB database file" in text:
            return Unavailable(f"{self.name} is not a Nightshift store: it is not a DuckDB file, or a damaged one")
        if "database file with version number" in text:
            return StoreNewer(f"{self.name} is in a file format of a newer DuckDB; upgrade Nightshift to open it")
        if "database does not exist" in text:
            return Unavailable(f"the store {self.name} is gone; was it deleted or moved while in use?")
        if isinstance(error, duckdb.CatalogException):
            return Unavailable(f"{self.name} lacks a table or view of a Nightshift store: {_first_line(text)}")
        if isinstance(error, ENVIRONMENTAL):
            return Unavailable(f"the store {self.name} cannot be read or written: {_first_line(text)}")
        return None


def _write_rows(connection: Connection, folder: Path) -> None:
    """Each table as a Parquet file, and what made tables and views; a view may come before what it is made of."""
    folder.mkdir()
    tables = connection.execute("SELECT table_name, sql FROM duckdb_tables() WHERE database_name = 'store'").fetchall()
    views = connection.execute(
        "SELECT sql FROM duckdb_views() WHERE database_name = 'store' AND NOT internal"
    ).fetchall()
    made = [*(sql for _, sql in tables), *(sql for (sql,) in views)]
    (folder / "schema.json").write_text(json.dumps(made), encoding="utf-8")
    for name, _ in tables:
        target = quoted(folder / f"{name}.parquet")
        connection.execute(f"COPY (SELECT * FROM store.main.\"{name}\") TO '{target}' (FORMAT parquet)")


def _file_of(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0]
