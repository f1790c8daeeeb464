"""Who has what in hand: checked and written in one transaction, so that no two reviewers are given one item."""

from collections.abc import Sequence
from typing import NamedTuple

from core.schema import Claim, now
from core.store import erasing, tables
from core.store.engine import Connection

__all__ = ["Ticket", "take_claims", "thin_claims"]


class Ticket(NamedTuple):
    """A claim that somebody would have."""

    claim: Claim
    seats: int = 1
    "People who may have the item at a time."
    unanswered: bool = True
    "Whether those who have answered it take a seat as well."


def take_claims(connection: Connection, tickets: Sequence[Ticket]) -> list[Claim]:
    """Those claims of one sitting that can be had; the items of the others are in other hands."""
    if not tickets:
        return []
    (environment, reviewer, sitting) = _whose(tickets)
    examples = [each.claim.example for each in tickets]
    hands = connection.execute(
        "SELECT DISTINCT example, reviewer FROM ("
        'SELECT example, reviewer, sitting, arg_max("until", seq) AS ends FROM claim_event '
        "WHERE environment = ? AND NOT (reviewer = ? AND sitting = ?) AND example IN (SELECT unnest(?::VARCHAR[])) "
        "GROUP BY example, reviewer, sitting) WHERE ends > ?",
        [environment, reviewer, sitting, examples, now()],
    ).fetchall()
    said = connection.execute(
        "SELECT DISTINCT example, reviewer FROM word "
        "WHERE environment = ? AND retracted_seq IS NULL AND example IN (SELECT unnest(?::VARCHAR[]))",
        [environment, examples],
    ).fetchall()
    taken = []
    gone = erasing.too_late(connection, [each.claim for each in tickets])
    for each in tickets:
        busy = {who for example, who in hands if example == each.claim.example}
        if each.unanswered:
            busy |= {who for example, who in said if example == each.claim.example}
        if reviewer not in busy and len(busy) < each.seats and each.claim.id not in gone:
            taken.append(each.claim)
    if taken:
        tables.insert(connection, Claim, tables.rows_of(Claim, taken))
    return taken


def thin_claims(connection: Connection) -> int:
    """Deletes claims that a later one of the same sitting on the same item replaced, and says how many.

    A page renews what it has at hand every three minutes, and nobody asks for any but the last.
    """
    replaced = (
        "FROM claim_event WHERE seq NOT IN "
        "(SELECT max(seq) FROM claim_event GROUP BY environment, example, reviewer, sitting)"
    )
    row = connection.execute(f"SELECT count(*) {replaced}").fetchone()
    number = int(row[0]) if row else 0
    if number:
        connection.execute(f"DELETE {replaced}")
    return number


def _whose(tickets: Sequence[Ticket]) -> tuple[str, str, str]:
    whose = {(each.claim.environment, each.claim.reviewer, each.claim.sitting) for each in tickets}
    if len(whose) != 1:
        raise ValueError("claims are taken for one sitting at a time")
    return whose.pop()
