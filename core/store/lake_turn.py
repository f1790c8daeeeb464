"""Whose turn it is to write to a lake, and what Postgres remembers so that a write need not look into the files.

Looking up which ids a table holds, and its last sequence number, takes DuckLake a dozen queries. So three tables of
our own beside the catalog say it: `known`, `last`, and in `turn` the snapshot up to which they do. They are changed
while the turn is held and committed just after the lake; a process that dies in between leaves them one snapshot
behind, which whoever writes next sees, and makes good from the lake itself. The lake is what counts.
"""

import random
import time
from dataclasses import dataclass
from typing import Self

import psycopg
from psycopg import errors as postgres

from core.store.engine import Contended

__all__ = ["SCHEMA", "State", "Turn"]

SCHEMA = "nightshift"
QUEUES_AFTER_S, QUEUES_S = 0.5, 1
"""Who finds the turn taken looks again in a moment, so that a process that writes much goes on while its data are at
hand; but for so long, and then it queues, which lets nobody past."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.002, 0.02
LASTS_S = 60
"A holder that is silent for so long froze or lost its machine; Postgres ends its turn."
TABLES = f"""
CREATE TABLE IF NOT EXISTS {SCHEMA}.turn (version BIGINT, snapshot BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS {SCHEMA}.last (name TEXT PRIMARY KEY, seq BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS {SCHEMA}.known (name TEXT, id TEXT, PRIMARY KEY (name, id));
INSERT INTO {SCHEMA}.turn SELECT NULL, -1 WHERE NOT EXISTS (SELECT 1 FROM {SCHEMA}.turn);
"""
STATE = f"""
SELECT turn.version, turn.snapshot, (SELECT max(snapshot_id) FROM {SCHEMA}.ducklake_snapshot) FROM {SCHEMA}.turn
"""
ADMIT = f"""
WITH fresh AS (
    INSERT INTO {SCHEMA}.known SELECT %(name)s, unnest(%(ids)s::text[]) ON CONFLICT DO NOTHING RETURNING id
), counted AS (
    INSERT INTO {SCHEMA}.last AS before SELECT %(name)s, count(*) FROM fresh
    ON CONFLICT (name) DO UPDATE SET seq = before.seq + excluded.seq RETURNING seq
)
SELECT (SELECT seq FROM counted), id FROM fresh
"""
FILLED = f"""
SELECT held.table_name, coalesce(last.seq, 0)
FROM {SCHEMA}.ducklake_table AS held
JOIN {SCHEMA}.ducklake_table_stats AS stats USING (table_id)
LEFT JOIN {SCHEMA}.last ON last.name = held.table_name
WHERE held.end_snapshot IS NULL AND stats.record_count > 0 AND held.table_name LIKE '%\\_event'
"""


@dataclass(frozen=True)
class State:
    """What Postgres remembers of the lake, and the lake's newest snapshot."""

    version: int | None
    "The schema version, as of `snapshot`."
    snapshot: int
    head: int

    @property
    def current(self) -> bool:
        """Whether nothing happened to the lake that is not remembered."""
        return self.version is not None and self.snapshot == self.head

    @classmethod
    def of(cls, catalog: psycopg.Connection) -> Self:
        """What is remembered now."""
        row = catalog.execute(STATE).fetchone()
        if row is None:
            raise Contended(f"{SCHEMA}.turn is empty")
        return cls(*row)


class Turn:
    """The right to write, and the memory as this write changes it. Nothing of it lasts before `finish`."""

    def __init__(self, catalog: psycopg.Connection) -> None:
        """Waits for the turn. Raises Contended where it does not come within QUEUES_AFTER_S and QUEUES_S seconds."""
        self._catalog = catalog
        began, pause_s = time.monotonic(), FIRST_PAUSE_S
        while not self._lock("NOWAIT"):
            if time.monotonic() - began > QUEUES_AFTER_S:
                if self._lock():
                    break
                raise Contended(f"others held {SCHEMA}.turn")
            time.sleep(random.uniform(0.5, 1.5) * pause_s)
            pause_s = min(1.5 * pause_s, LONGEST_PAUSE_S)
        state = State.of(catalog)
        self.version, self.head, self.current = state.version, state.head, state.current
        self.wrote = False

    def _lock(self, how: str = "") -> bool:
        try:
            # LOCK TABLE takes no snapshot: what is read after it is what the last holder left. The commit of this
            # transaction may be lost with the power, which leaves no more than a memory that is behind.
            self._catalog.execute(
                f"BEGIN; SET LOCAL synchronous_commit = off; SET LOCAL lock_timeout = '{QUEUES_S}s'; "
                f"SET LOCAL idle_in_transaction_session_timeout = '{LASTS_S}s'; "
                f"LOCK TABLE {SCHEMA}.turn IN EXCLUSIVE MODE {how}"
            )
        except postgres.LockNotAvailable:
            self._catalog.execute("ROLLBACK")
            return False
        return True

    def admit(self, table: str, ids: list[object]) -> tuple[set[object], int]:
        """Which of the ids the table does not have, and the sequence number of its last row once they are there."""
        rows = self._catalog.execute(ADMIT, {"name": table, "ids": ids}).fetchall()
        return {id for _, id in rows}, rows[0][0] if rows else 0

    def last(self, table: str) -> int:
        """The last sequence number that is remembered of a table; 0 where it never had a row."""
        row = self._catalog.execute(f"SELECT seq FROM {SCHEMA}.last WHERE name = %s", [table]).fetchone()
        return int(row[0]) if row else 0

    def filled(self) -> list[tuple[str, int]]:
        """The tables of records that hold any, with the last sequence number that is remembered of each."""
        return [(name, seq) for name, seq in self._catalog.execute(FILLED).fetchall()]

    def learn(self, table: str, ids: list[object], last: int) -> None:
        """Remembers rows that were found in the lake."""
        self._catalog.execute(
            f"INSERT INTO {SCHEMA}.known SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING", [table, ids]
        )
        self._catalog.execute(
            f"INSERT INTO {SCHEMA}.last VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
            [table, last],
        )

    def counts(self) -> list[tuple[str, int]]:
        """How many ids are remembered of each table that has any."""
        return self._catalog.execute(f"SELECT name, count(*) FROM {SCHEMA}.known GROUP BY name ORDER BY 1").fetchall()

    def relearn(self, table: str, ids: list[object]) -> None:
        """Remembers these ids of a table and no others; the last sequence number stays, since it is not given again."""
        self._catalog.execute(f"DELETE FROM {SCHEMA}.known WHERE name = %s", [table])
        self._catalog.execute(f"INSERT INTO {SCHEMA}.known SELECT %s, unnest(%s::text[])", [table, ids])

    def given(self, table: str, last: int) -> None:
        """Remembers that sequence numbers up to `last` were given out, whether their rows are still there or not."""
        self._catalog.execute(
            f"INSERT INTO {SCHEMA}.last AS before VALUES (%s, %s) "
            "ON CONFLICT (name) DO UPDATE SET seq = greatest(before.seq, excluded.seq)",
            [table, last],
        )

    def finish(self) -> None:
        """Ends the turn after the lake's commit.

        Where the lake has more new snapshots than this write made, somebody wrote past the turn: not remembered.
        """
        if self.current:
            self._catalog.execute(
                f"UPDATE {SCHEMA}.turn SET version = {int(self.version or 0)}, snapshot = lake.newest "
                f"FROM (SELECT max(snapshot_id) AS newest FROM {SCHEMA}.ducklake_snapshot) AS lake "
                f"WHERE lake.newest <= {self.head + self.wrote}; COMMIT"
            )
        else:
            self._catalog.execute("COMMIT")

    def abandon(self) -> None:
        """Ends the turn as if it had not been."""
        self._catalog.execute("ROLLBACK")
