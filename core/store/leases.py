"""The right to do something alone: one row per name, with a token that only ever grows.

A token fences: whoever acts on a lease shows its token, and one that is not the newest, or whose time is over, is
refused inside the same transaction. Time is the wall clock of whoever asks, so the clocks of machines that share a
store must agree to well within the time a lease lasts.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import NamedTuple, Self

from core.schema import now
from core.store.database import Database
from core.store.engine import Connection
from core.store.errors import LeaseHeld, LeaseLost

__all__ = ["ERASURE", "Lease", "ran_out", "take_lease", "verify_token"]

ERASURE = "an erasure"
"Owner of the leases of nights while something is erased: a night that finds it waits."


class Row(NamedTuple):
    owner: str
    token: int
    until: datetime
    released: bool


@dataclass
class Lease:
    """A lease that was taken. `until` moves with each renewal; leaving the block releases it."""

    name: str
    owner: str
    token: int
    ttl_s: float
    until: datetime
    _database: Database = field(repr=False)

    def renew(self) -> None:
        """Lasts another `ttl_s` seconds from now. Raises LeaseLost where it is over already."""

        def work(connection: Connection) -> datetime:
            verify_token(connection, self.name, self.token)
            until = now() + timedelta(seconds=self.ttl_s)
            connection.execute('UPDATE lease SET "until" = ? WHERE name = ?', [until, self.name])
            return until

        self.until = self._database.write(work)

    def release(self) -> None:
        """Lets others have it at once. Does nothing where it has gone to someone else."""

        def work(connection: Connection) -> None:
            connection.execute("UPDATE lease SET released = true WHERE name = ? AND token = ?", [self.name, self.token])

        self._database.write(work)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def take_lease(database: Database, name: str, owner: str, ttl_s: float) -> Lease:
    """The lease, with a token larger than any before. Raises LeaseHeld while another one lasts."""
    if ttl_s <= 0:
        raise ValueError(f"a lease must last more than 0 s, not {ttl_s}")

    def work(connection: Connection) -> Lease:
        row, moment = _row(connection, name), now()
        if row and not row.released and row.until > moment:
            raise LeaseHeld(name, row.owner, row.until)
        token = row.token + 1 if row else 1
        until = moment + timedelta(seconds=ttl_s)
        if row:
            change = 'UPDATE lease SET owner = ?, token = ?, "until" = ?, released = false WHERE name = ?'
        else:
            change = 'INSERT INTO lease (owner, token, "until", released, name) VALUES (?, ?, ?, false, ?)'
        connection.execute(change, [owner, token, until, name])
        return Lease(name, owner, token, ttl_s, until, database)

    return database.write(work)


def verify_token(connection: Connection, name: str, token: int) -> None:
    """Raises LeaseLost unless `token` is the newest of the lease and the lease lasts."""
    row = _row(connection, name)
    if row is None:
        raise LeaseLost(f"lease {name!r} was never taken")
    if row.token != token:
        raise LeaseLost(f"lease {name!r} has gone to {row.owner!r} (token {row.token}; yours is {token})")
    if row.released:
        raise LeaseLost(f"lease {name!r} was released by {row.owner!r}")
    if row.until <= now():
        raise LeaseLost(f"lease {name!r} of {row.owner!r} ran out at {row.until.isoformat(timespec='seconds')}")


def ran_out(connection: Connection, name: str) -> datetime | None:
    """When the lease ran out on an owner who neither renewed nor released it; None where that is not so."""
    row = _row(connection, name)
    return row.until if row and not row.released and row.until <= now() else None


def _row(connection: Connection, name: str) -> Row | None:
    row = connection.execute(
        'SELECT owner, token, epoch_us("until"), released FROM lease WHERE name = ?', [name]
    ).fetchone()
    if row is None:
        return None
    return Row(row[0], row[1], datetime.fromtimestamp(row[2] / 1e6, UTC), row[3])
