"""Who serves: one row per environment that is swapped only by whoever knows what is in it."""

from collections.abc import Sequence

from core.schema import AuditEntry, Mark, Promotion
from core.store import leases, tables
from core.store.engine import Connection
from core.store.errors import Quarantined

__all__ = ["champion_of", "quarantine", "swap"]


def champion_of(connection: Connection, environment: str) -> str | None:
    """The release id that serves, or None before the first was installed."""
    row = connection.execute("SELECT release FROM champion WHERE environment = ?", [environment]).fetchone()
    return row[0] if row else None


def swap(
    connection: Connection,
    *,
    expected: str | None,
    promotion: Promotion,
    lease: str | None,
    token: int | None,
    told: Sequence[AuditEntry] = (),
) -> bool:
    """Makes `promotion.release` champion and appends the promotion and `told`, if the champion is still `expected`.

    A promotion that is there already was done: True again, so that a stage killed after its commit can be repeated.
    Raises Quarantined for a release that may not serve.
    """
    if tables.select_seqs(connection, Promotion, {"id": promotion.id}):
        return True
    if lease is not None and token is not None:
        leases.verify_token(connection, lease, token)
    _refuse_quarantined(connection, promotion)
    if champion_of(connection, promotion.environment) != expected:
        return False
    if expected is None:
        change = "INSERT INTO champion (release, environment) VALUES (?, ?)"
    else:
        change = "UPDATE champion SET release = ? WHERE environment = ?"
    connection.execute(change, [promotion.release, promotion.environment])
    tables.insert(connection, Promotion, tables.rows_of(Promotion, [promotion]))
    _tell(connection, told)
    return True


def quarantine(connection: Connection, mark: Mark, retreat: Promotion | None, told: Sequence[AuditEntry] = ()) -> bool:
    """Marks a release as one that never serves again; one that serves now is replaced in the same transaction.

    `told` is appended with a mark that is new. False, with nothing done, where the release serves and `retreat` does
    not lead away from it.
    """
    serves = champion_of(connection, mark.environment) == mark.release
    if serves and (
        retreat is None or not swap(connection, expected=mark.release, promotion=retreat, lease=None, token=None)
    ):
        return False
    if not tables.select_seqs(connection, Mark, {"id": mark.id}):
        tables.insert(connection, Mark, tables.rows_of(Mark, [mark]))
        _tell(connection, told)
    return True


def _tell(connection: Connection, told: Sequence[AuditEntry]) -> None:
    if told:
        tables.insert(connection, AuditEntry, tables.rows_of(AuditEntry, told))


def _refuse_quarantined(connection: Connection, promotion: Promotion) -> None:
    asked = {"environment": promotion.environment, "release": promotion.release, "mark": "quarantined"}
    if tables.select_seqs(connection, Mark, asked):
        which = f"{promotion.release[:12]} of {promotion.environment!r}"
        raise Quarantined(f"release {which} is quarantined; it never serves again")
