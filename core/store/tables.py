"""Which record goes into which table, and what of it stands in a column of its own, to be searched by.

A table `<kind>_event` holds what was written; a view `<kind>` over it shows each id once.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

from core.schema import (
    AuditEntry,
    Checkpoint,
    Claim,
    Correction,
    DatasetVersion,
    Decision,
    Delivery,
    Erasure,
    Evaluation,
    Example,
    Frozen,
    Grant,
    HubStep,
    JudgeAudit,
    Judgment,
    LoginFailure,
    Mark,
    Media,
    NightshiftError,
    Notice,
    Password,
    Prediction,
    Promotion,
    Record,
    Release,
    Revocation,
    Rollout,
    Run,
    Session,
    SettingChange,
    ShadowAnswer,
    Signal,
    StageResult,
    Tombstone,
    Trial,
    TrialStep,
    Unavailable,
    User,
    Variant,
)
from core.store.engine import Connection

__all__ = [
    "COLUMNS",
    "KINDS",
    "count",
    "insert",
    "last_seq",
    "parse",
    "payload_of",
    "payloads",
    "rows_of",
    "select_seqs",
    "select_sessions",
    "select_standing",
    "select_voices",
]

T = TypeVar("T", bound=Record)

COLUMNS: dict[type[Record], tuple[str, ...]] = {
    Media: ("form", "blob", "phash", "source", "session"),
    Example: ("environment", "cluster", "parent", "ask"),
    Prediction: (
        "environment",
        "example",
        "release",
        "from_person",
        "session",
        "answer",
        "confidence",
        "latency_ms",
    ),
    Correction: ("environment", "example", "prediction", "reviewer", "chosen_by", "retracts", "answer"),
    Variant: ("environment", "example", "parent", "how", "run"),
    Judgment: ("environment", "example", "judge", "prompt_version"),
    Rollout: ("environment", "example", "run"),
    Checkpoint: ("environment", "policy", "parent", "run"),
    Release: ("environment",),
    DatasetVersion: ("environment",),
    Run: ("environment", "trigger"),
    StageResult: ("run", "stage"),
    Evaluation: ("environment", "release", "suite", "run"),
    Decision: ("environment", "run", "champion", "challenger", "outcome"),
    Frozen: ("environment", "champion", "challenger", "run", "ends"),
    Promotion: ("environment", "release", "previous", "action", "decision"),
    JudgeAudit: ("environment", "judge", "prompt_version"),
    Notice: ("environment", "event", "subject"),
    Delivery: ("notice", "endpoint"),
    Mark: ("environment", "release", "mark"),
    HubStep: ("environment", "release", "repo", "step"),
    Trial: ("environment", "release", "decision"),
    TrialStep: ("environment", "trial", "stage"),
    ShadowAnswer: ("environment", "trial", "prediction"),
    Erasure: ("asked", "done_at"),
    Tombstone: ("erasure", "what", "content"),
    User: ("name", "uid"),
    Password: ("uid",),
    Grant: ("form", "uid"),
    Revocation: ("revoked",),
    LoginFailure: ("name", "address"),
    AuditEntry: ("who", "action"),
    SettingChange: ("key", "undoes"),
    Claim: ("environment", "example", "prediction", "reviewer", "sitting", "until"),
    Signal: ("environment", "example", "domain", "novelty", "drift", "basis"),
}
KINDS = tuple(COLUMNS)
LAST_SEQ = 2**63 - 1
SQL_TYPES = {
    "from_person": "BOOLEAN",
    "done_at": "TIMESTAMPTZ",
    "until": "TIMESTAMPTZ",
    "confidence": "DOUBLE",
    "latency_ms": "DOUBLE",
    "novelty": "DOUBLE",
    "drift": "DOUBLE",
    "basis": "BIGINT",
}


def rows_of(kind: type[Record], records: Iterable[Record]) -> list[list[object]]:
    """The records column by column, as `insert` wants them. Raises NightshiftError for one that has no JSON."""
    kept = list(records)
    return [
        [record.id for record in kept],
        [record.at for record in kept],
        [payload_of(record) for record in kept],
        *([_plain(getattr(record, column)) for record in kept] for column in COLUMNS[kind]),
    ]


def insert(connection: Connection, kind: type[Record], rows: list[list[object]]) -> int:
    """Appends the rows whose ids are not there yet, numbered after the last one. Returns how many."""
    return connection.append(f"{kind.kind}_event", _types(kind), rows)


@cache
def _types(kind: type[Record]) -> dict[str, str]:
    types = {"id": "VARCHAR", "at": "TIMESTAMPTZ", "payload": "VARCHAR"}
    return types | {column: SQL_TYPES.get(column, "VARCHAR") for column in COLUMNS[kind]}


def select_seqs(
    connection: Connection,
    kind: type[Record],
    equals: Mapping[str, object],
    *,
    after_seq: int = 0,
    before_seq: int | None = None,
    limit: int | None = None,
    newest_first: bool = False,
) -> list[int]:
    """Sequence numbers of the records whose columns equal the values given; a list, tuple or set means any of them."""
    where, values = _where(kind, equals)
    order = "DESC" if newest_first else "ASC"
    bound = "" if limit is None else f" LIMIT {int(limit)}"
    # Rows with one id are the same record. Grouping is many times quicker than the view, which ranks all rows first.
    found = connection.execute(
        f"SELECT min(seq) AS first FROM {kind.kind}_event WHERE {where} GROUP BY id "
        f"HAVING min(seq) > ? AND min(seq) < ? ORDER BY first {order}{bound}",
        [*values, after_seq, LAST_SEQ if before_seq is None else before_seq],
    )
    return [row[0] for row in found.fetchall()]


def select_standing(
    connection: Connection,
    environment: str,
    *,
    upto_seq: int | None = None,
    after_seq: int = 0,
    examples: Collection[str] | None = None,
) -> list[int]:
    """Sequence numbers of the corrections that stand, one an example, as of `upto_seq`, and later than `after_seq`.

    The view `labels` is this for all environments and the present. `examples`: of these alone.
    """
    upto = LAST_SEQ if upto_seq is None else upto_seq
    about, ids = _about(examples)
    found = connection.execute(
        f"SELECT seq FROM word WHERE environment = ? AND seq > ? AND seq <= ?{about} "
        "AND (retracted_seq IS NULL OR retracted_seq > ?) "
        "QUALIFY row_number() OVER (PARTITION BY example ORDER BY seq DESC) = 1 ORDER BY seq",
        [environment, after_seq, upto, *ids, upto],
    )
    return [row[0] for row in found.fetchall()]


def select_voices(
    connection: Connection, environment: str, *, upto_seq: int | None = None, examples: Collection[str] | None = None
) -> list[int]:
    """Sequence numbers of each person's last word that stands as of `upto_seq`, where several persons have one.

    `examples`: of these alone.
    """
    upto = LAST_SEQ if upto_seq is None else upto_seq
    about, ids = _about(examples)
    found = connection.execute(
        f"SELECT seq FROM word WHERE environment = ? AND seq <= ?{about} "
        "AND (retracted_seq IS NULL OR retracted_seq > ?) AND example IN (SELECT example FROM correction_event "
        f"WHERE environment = ?{about} GROUP BY example HAVING min(reviewer) <> max(reviewer)) "
        "QUALIFY row_number() OVER (PARTITION BY example, reviewer ORDER BY seq DESC) = 1 ORDER BY seq",
        [environment, upto, *ids, upto, environment, *ids],
    )
    return [row[0] for row in found.fetchall()]


def _about(examples: Collection[str] | None) -> tuple[str, list[Any]]:
    """A condition on the example, and what it is about; none without examples."""
    return ("", []) if examples is None else (" AND example IN (SELECT unnest(?::VARCHAR[]))", [list(examples)])


def select_sessions(connection: Connection, environment: str) -> list[Session]:
    """The sessions of an environment, the one that began last first."""
    found = connection.execute(
        "SELECT name, started, ended, predictions FROM session WHERE environment = ? ORDER BY started DESC, name",
        [environment],
    )
    return [
        Session(environment=environment, name=name, started=started, ended=ended, predictions=predictions)
        for name, started, ended, predictions in found.fetchall()
    ]


def count(connection: Connection, kind: type[Record], equals: Mapping[str, object]) -> int:
    """How many records there are whose columns equal the values given."""
    where, values = _where(kind, equals)
    row = connection.execute(f"SELECT count(DISTINCT id) FROM {kind.kind}_event WHERE {where}", values).fetchone()
    return int(row[0]) if row else 0


def last_seq(connection: Connection, kind: type[Record], environment: str) -> int:
    """The largest sequence number of a kind in an environment; 0 when there is none."""
    row = connection.execute(
        f"SELECT coalesce(max(seq), 0) FROM {kind.kind}_event WHERE environment = ?", [environment]
    ).fetchone()
    return int(row[0]) if row else 0


def _where(kind: type[Record], equals: Mapping[str, object]) -> tuple[str, list[Any]]:
    clauses, values = ["true"], []
    for column, wanted in equals.items():
        clause, value = _condition(kind, column, wanted)
        clauses.append(clause)
        values += value
    return " AND ".join(clauses), values


def _condition(kind: type[Record], column: str, wanted: object) -> tuple[str, list[Any]]:
    if column not in ("id", *COLUMNS[kind]):
        known = ", ".join(("id", *COLUMNS[kind]))
        raise TypeError(f"{kind.kind} cannot be searched by {column!r}; only by {known}")
    if wanted is None:
        return f'"{column}" IS NULL', []
    if isinstance(wanted, list | tuple | set | frozenset):
        sql_type = SQL_TYPES.get(column, "VARCHAR")
        return f'"{column}" IN (SELECT unnest(?::{sql_type}[]))', [[_plain(value) for value in wanted]]
    return f'"{column}" = ?', [_plain(wanted)]


def payloads(connection: Connection, kind: type[Record], seqs: Iterable[int]) -> dict[int, str]:
    """The stored JSON of some records, by sequence number."""
    found = connection.execute(
        f"SELECT seq, payload FROM {kind.kind}_event WHERE seq IN (SELECT unnest(?::BIGINT[]))", [list(seqs)]
    )
    return dict(found.fetchall())


def parse(kind: type[T], payload: str) -> T:
    """The record that `payload` holds. Raises Unavailable where this version cannot read it."""
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Unavailable(
            f"a stored {kind.kind} cannot be read: {where}: {first['msg']} (in {payload[:100]}...)"
        ) from error


def payload_of(record: Record) -> str:
    """The record as it is kept. Raises NightshiftError for one that has no JSON."""
    # JSON has no infinities, and a null would not be read back as a number: they are kept as strings.
    try:
        return to_json(record.model_dump(), inf_nan_mode="strings").decode()
    except PydanticSerializationError as error:
        raise NightshiftError(f"{record.kind} {record.id!r} cannot be stored: {error}") from error


def _plain(value: object) -> object:
    """As it is searched by: an answer that is no text stands as its JSON."""
    if isinstance(value, Enum):
        return value.value
    return to_json(value).decode() if isinstance(value, list | tuple | dict) else value
