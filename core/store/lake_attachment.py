"""What stays open between two calls on a lake: an instance of DuckDB with the lake attached, and a session in Postgres.

Loading the extensions takes half a second, in which their signatures are verified. So an instance that is let go of
in good order is kept for the next lake that this process opens.
"""

from contextlib import suppress

import duckdb
import psycopg

from core.store.engine import quoted
from core.store.lake_address import LakeAddress, load_extension, s3_secret
from core.store.lake_turn import SCHEMA

__all__ = ["Attachment", "close_spare"]

INLINED_ROWS = 1_000
"Writes of up to so many rows go into the catalog's Postgres, and into files when the store is tended."
MOST_SPARE = 2
# No extension is fetched from the network, and nothing spills into the working directory.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "temp_directory": "",
}
_spare: list[duckdb.DuckDBPyConnection] = []


class Attachment:
    """Connections to one lake, opened when they are asked for. For one thread at a time."""

    def __init__(self, address: LakeAddress) -> None:
        self.address = address
        self._lake: duckdb.DuckDBPyConnection | None = None
        self._catalog: psycopg.Connection | None = None

    def catalog(self) -> psycopg.Connection:
        """A session in the catalog's Postgres, outside DuckLake's own. Raises psycopg.Error where there is none."""
        if self._catalog is None or self._catalog.closed:
            self._catalog = psycopg.connect(self.address.conninfo, password=self.address.password, autocommit=True)
        return self._catalog

    def lake(self) -> duckdb.DuckDBPyConnection:
        """DuckDB, using the lake; its catalog is made where there is none. Raises duckdb.Error."""
        if self._lake is None:
            connection = _spare.pop() if _spare else _instance()
            self._attach(connection)
            self._lake = connection
        return self._lake

    def _attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        address = self.address
        if address.data.startswith("s3:"):
            load_extension(connection, "httpfs")
            connection.execute(s3_secret())
        if address.password is not None:
            connection.execute(
                f"CREATE OR REPLACE SECRET catalog (TYPE postgres, PASSWORD '{quoted(address.password)}')"
            )
        secret = "" if address.password is None else ", META_SECRET 'catalog'"
        connection.execute(
            f"ATTACH 'ducklake:postgres:{quoted(address.conninfo)}' AS store (DATA_PATH '{quoted(address.data)}', "
            f"METADATA_SCHEMA '{SCHEMA}', DATA_INLINING_ROW_LIMIT {INLINED_ROWS}{secret})"
        )
        connection.execute("USE store")

    def let_go(self) -> None:
        """Closes what is open; the next call opens it again."""
        catalog, self._catalog = self._catalog, None
        lake, self._lake = self._lake, None
        if catalog is not None:
            with suppress(psycopg.Error):
                catalog.close()
        if lake is None:
            return
        try:
            lake.execute("USE memory")
            lake.execute("DETACH store")
            for secret in ("catalog", "bucket"):
                lake.execute(f"DROP SECRET IF EXISTS {secret}")
        except duckdb.Error:
            lake.close()
            return
        if len(_spare) < MOST_SPARE:
            _spare.append(lake)


def _instance() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config=CONFIG)
    for extension in ("ducklake", "postgres_scanner"):
        load_extension(connection, extension)
    # A transaction that met another is run again from its beginning, not committed on what it did not read.
    connection.execute("SET GLOBAL ducklake_max_retry_count = 0")
    return connection


def close_spare() -> None:
    """Closes the instances that wait for another lake."""
    while _spare:
        _spare.pop().close()
