"""Writing a lake anew without what was deleted from it, and looking for it in the files and in the catalog's Postgres.

A deleted row stays in its Parquet file, and in old snapshots; where it was inlined, in a table of the catalog. So what
is inlined is put into files, every file that has a deleted row is written again without it, all snapshots but the
newest are forgotten, and the files that only they needed are removed, with those that killed writers left. Then
Postgres writes the catalog's own tables again, which leaves nothing in free parts of them, and the versions that a
bucket keeps of removed files are removed. What is out of reach from here: Postgres's write-ahead log and backups.
"""

from collections.abc import Collection

import duckdb
import psycopg
from psycopg import sql

from core.store.engine import quoted
from core.store.errors import StoreBusy
from core.store.lake_turn import SCHEMA

__all__ = ["REWRITING", "left_in_catalog", "left_in_files", "vacuum"]

REWRITING = {
    "rows_flushed": "SELECT coalesce(sum(rows_flushed), 0) FROM ducklake_flush_inlined_data('store')",
    "files_rewritten": "SELECT coalesce(sum(files_processed), 0) "
    "FROM ducklake_rewrite_data_files('store', delete_threshold => 0)",
    "snapshots_expired": "SELECT count(*) FROM ducklake_expire_snapshots('store', older_than => now())",
    "files_removed": "SELECT count(*) FROM ducklake_cleanup_old_files('store', cleanup_all => true)",
    "left_files_removed": "SELECT count(*) FROM ducklake_delete_orphaned_files('store', cleanup_all => true)",
}
"""Each in a turn of its own, in this order. Nobody writes a file out of turn, so one that no snapshot names is left
over."""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1"
WITH_CONTENT = f"""{TABLES.removesuffix(" ORDER BY 1")} AND (
    tablename LIKE 'ducklake\\_inlined\\_%%' OR tablename LIKE '%%\\_column\\_stats' OR tablename = 'known') ORDER BY 1
"""
"""Those in which parts of rows stand: rows that are inlined, smallest and largest values, ids."""
TOKEN = "[0-9a-f]{32,64}"


def vacuum(catalog: psycopg.Connection, name: str, deadline_s: float) -> None:
    """Writes the tables of the catalog that hold content anew. Raises StoreBusy where others hold one for long."""
    catalog.execute(f"SET lock_timeout = '{max(1, round(deadline_s))}s'")
    try:
        for (table,) in catalog.execute(WITH_CONTENT, [SCHEMA]).fetchall():
            catalog.execute(sql.SQL("VACUUM (FULL) {}").format(sql.Identifier(SCHEMA, table)))
    except psycopg.errors.LockNotAvailable as error:
        raise StoreBusy(f"{name} was in use by others for {deadline_s:g} s; try again") from error
    finally:
        catalog.execute("RESET lock_timeout")


def left_in_catalog(catalog: psycopg.Connection, texts: Collection[str]) -> list[str]:
    """The tables of the catalog in which one of these texts stands, plain or as DuckLake inlines it."""
    spelt = [*texts, *(text.encode().hex() for text in texts)]
    found = []
    for (table,) in catalog.execute(TABLES, [SCHEMA]).fetchall():
        asked = sql.SQL(
            "SELECT count(*) FROM {} AS kept WHERE EXISTS "
            "(SELECT 1 FROM unnest(%s::text[]) AS text WHERE position(text IN kept::text) > 0)"
        )
        row = catalog.execute(asked.format(sql.Identifier(SCHEMA, table)), [spelt]).fetchone()
        if row and row[0]:
            found.append(f"{row[0]} rows of {SCHEMA}.{table} in the catalog name something of it")
    return found


def left_in_files(
    lake: duckdb.DuckDBPyConnection, data: str, ids: Collection[str], texts: Collection[str]
) -> list[str]:
    """The Parquet files below `data`, in use or not, in which one of these ids or texts stands."""
    found = []
    for (file,) in lake.execute(f"SELECT file FROM glob('{quoted(data)}**/*.parquet') ORDER BY 1").fetchall():
        rows = f"read_parquet('{quoted(file)}')"
        columns = [row[0] for row in lake.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()]
        whole = ", ".join(f'"{column}"::VARCHAR' for column in columns)
        row = lake.execute(
            f"WITH whole AS (SELECT concat_ws(chr(10), {whole}) AS row FROM {rows}) "
            f"SELECT (SELECT count(*) FROM (SELECT unnest(regexp_extract_all(row, '{TOKEN}')) AS id FROM whole) "
            "WHERE id IN (SELECT unnest(?::VARCHAR[]))) "
            "+ (SELECT count(*) FROM whole, (SELECT unnest(?::VARCHAR[]) AS text) AS sought WHERE contains(row, text))",
            [list(ids), list(texts)],
        ).fetchone()
        if row and row[0]:
            found.append(f"{file.removeprefix(data)} names {row[0]} of it")
    return found
