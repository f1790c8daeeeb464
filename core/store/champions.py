"""Who serves: one row per environment that is swapped only by whoever knows what is in it."""

from core.schema import Promotion
from core.store import leases, tables
from core.store.engine import Connection

__all__ = ["champion_of", "swap"]


def champion_of(connection: Connection, environment: str) -> str | None:
    """The release id that serves, or None before the first was installed."""
    row = connection.execute("SELECT release FROM champion WHERE environment = ?", [environment]).fetchone()
    return row[0] if row else None


def swap(
    connection: Connection, *, expected: str | None, promotion: Promotion, lease: str | None, token: int | None
) -> bool:
    """Makes `promotion.release` champion and appends the promotion, if the champion is still `expected`.

    A promotion that is there already was done: True again, so that a stage killed after its commit can be repeated.
    """
    if tables.select_seqs(connection, Promotion, {"id": promotion.id}):
        return True
    if lease is not None and token is not None:
        leases.verify_token(connection, lease, token)
    if champion_of(connection, promotion.environment) != expected:
        return False
    if expected is None:
        change = "INSERT INTO champion (release, environment) VALUES (?, ?)"
    else:
        change = "UPDATE champion SET release = ? WHERE environment = ?"
    connection.execute(change, [promotion.release, promotion.environment])
    tables.insert(connection, Promotion, tables.rows_of(Promotion, [promotion]))
    return True
