"""What can be wrong with the content of a store, cheap enough to ask at every start."""

from core.store.engine import Connection
from core.store.tables import KINDS

__all__ = ["problems"]

DANGLING = {
    "retract a correction that is not there": (
        "SELECT count(*) FROM correction "
        "WHERE retracts IS NOT NULL AND retracts NOT IN (SELECT id FROM correction_event)"
    ),
    "are corrections of an example that is not there": (
        "SELECT count(*) FROM correction WHERE retracts IS NULL AND example NOT IN (SELECT id FROM example_event)"
    ),
    "are predictions for an example that is not there": (
        "SELECT count(*) FROM prediction_event WHERE example NOT IN (SELECT id FROM example_event)"
    ),
    "are variants without their example": (
        "SELECT count(*) FROM variant_event WHERE example NOT IN (SELECT id FROM example_event)"
    ),
    "name a champion whose release is not there": (
        "SELECT count(*) FROM champion WHERE release NOT IN (SELECT id FROM release_event)"
    ),
    "name a champion that the last promotion did not install": (
        "SELECT count(*) FROM champion WHERE (environment, release) NOT IN ("
        "SELECT environment, release FROM promotion "
        "QUALIFY row_number() OVER (PARTITION BY environment ORDER BY seq DESC) = 1)"
    ),
}


def problems(connection: Connection) -> list[str]:
    """A line for each thing that is wrong, with how often; empty when nothing is."""
    found = []
    for kind in KINDS:
        table = f"{kind.kind}_event"
        doubled = _number(connection, f"SELECT count(*) - count(DISTINCT seq) FROM {table}")
        if doubled:
            found.append(f"{doubled} rows of {table} share a sequence number with another")
    for what, query in DANGLING.items():
        number = _number(connection, query)
        if number:
            found.append(f"{number} rows {what}")
    return found


def _number(connection: Connection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
