"""Figures over many predictions and words, summed by the database from columns; no payload of a prediction is read.

A record that was written twice at one moment counts once: both copies have the same id and the same time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from core.schema import Record
from core.store.engine import Connection

__all__ = [
    "Answered",
    "DayIndex",
    "DayOfPredictions",
    "Word",
    "answered",
    "days_of_predictions",
    "heads",
    "index_days",
    "words_of_several",
]

EPOCH = date(1970, 1, 1)
DAY_MS = 86_400_000


@dataclass(frozen=True)
class DayIndex:
    """A day (UTC) on which predictions were made. Its figures are the same while these numbers are."""

    day: date
    rows: int
    last_seq: int


@dataclass(frozen=True)
class DayOfPredictions:
    """What was answered on a day (UTC)."""

    day: date
    predictions: int
    from_person: int
    "Of them, answered by a person's earlier word."
    answers: dict[str, int]
    "How often the models gave each answer."
    confidence: float | None
    "Mean calibrated probability of the models' answers."
    latency_ms_p50: float | None
    latency_ms_p95: float | None


@dataclass(frozen=True)
class Answered:
    """A model's answer, in short."""

    example: str
    answer: str
    confidence: float


@dataclass(frozen=True)
class Word:
    """The last word of a reviewer on an example, where it stands."""

    example: str
    reviewer: str
    answer: str


def heads(connection: Connection, kinds: Sequence[type[Record]]) -> tuple[tuple[int, int], ...]:
    """For each kind its last sequence number and how many rows there are: a number for the present state of it.

    Appending changes the first, erasing the second.
    """
    found = []
    for kind in kinds:
        row = connection.execute(f"SELECT coalesce(max(seq), 0), count(*) FROM {kind.kind}_event").fetchone()
        found.append((int(row[0]), int(row[1])) if row else (0, 0))
    return tuple(found)


def index_days(connection: Connection, environment: str) -> list[DayIndex]:
    """Every day with predictions, oldest first."""
    found = connection.execute(
        f'SELECT epoch_ms("at") // {DAY_MS} AS day, count(*), max(seq) FROM prediction_event '
        "WHERE environment = ? GROUP BY day ORDER BY day",
        [environment],
    )
    return [DayIndex(EPOCH + timedelta(days=int(day)), rows, seq) for day, rows, seq in found.fetchall()]


def days_of_predictions(connection: Connection, environment: str, first: date, last: date) -> list[DayOfPredictions]:
    """The figures of every day with predictions from `first` to `last`, oldest first."""
    start, end = ((day - EPOCH).days for day in (first, last + timedelta(days=1)))
    said = (
        f'SELECT epoch_ms("at") // {DAY_MS} AS day, answer, confidence, latency_ms, from_person FROM prediction_event '
        f'WHERE environment = ? AND epoch_ms("at") >= {start * DAY_MS} AND epoch_ms("at") < {end * DAY_MS} '
        "QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1"
    )
    rows = connection.execute(
        f"WITH said AS ({said}) SELECT day, count(*), count(*) FILTER (from_person), "
        "avg(confidence) FILTER (NOT from_person), quantile_cont(latency_ms, [0.5, 0.95]) "
        "FROM said GROUP BY day ORDER BY day",
        [environment],
    ).fetchall()
    counted = connection.execute(
        f"WITH said AS ({said}) SELECT day, answer, count(*) FROM said WHERE NOT from_person GROUP BY day, answer "
        "ORDER BY day, answer",
        [environment],
    ).fetchall()
    answers: dict[int, dict[str, int]] = {}
    for day, answer, count in counted:
        answers.setdefault(day, {})[answer] = count
    return [
        DayOfPredictions(
            EPOCH + timedelta(days=int(day)),
            count,
            by_people,
            answers.get(day, {}),
            confidence,
            *(times or (None, None)),
        )
        for day, count, by_people, confidence, times in rows
    ]


def answered(
    connection: Connection,
    environment: str,
    release: str,
    *,
    before_day: date | None,
    from_day: date | None,
    limit: int,
) -> list[Answered]:
    """The newest answers of a release itself, within days: from one on, or before one."""
    bounds = [(before_day, "<"), (from_day, ">=")]
    within = "".join(
        f' AND epoch_ms("at") {sign} {(day - EPOCH).days * DAY_MS}' for day, sign in bounds if day is not None
    )
    found = connection.execute(
        "SELECT example, answer, confidence FROM ("
        "SELECT seq, id, example, answer, confidence FROM prediction_event WHERE environment = ? AND release = ? "
        f"AND NOT from_person{within} ORDER BY seq DESC LIMIT {int(limit)}"
        ") AS newest QUALIFY row_number() OVER (PARTITION BY id ORDER BY seq) = 1 ORDER BY seq DESC",
        [environment, release],
    )
    return [Answered(*row) for row in found.fetchall()]


def words_of_several(connection: Connection, environment: str) -> list[Word]:
    """Of examples that more than one reviewer answered, each reviewer's last word that was not taken back."""
    found = connection.execute(
        "SELECT example, reviewer, answer FROM ("
        "SELECT *, count(*) OVER (PARTITION BY example) AS reviewers FROM ("
        "SELECT example, reviewer, answer FROM word WHERE environment = ? AND retracted_seq IS NULL "
        "QUALIFY row_number() OVER (PARTITION BY example, reviewer ORDER BY seq DESC) = 1"
        ") AS last) AS counted WHERE reviewers > 1 ORDER BY example, reviewer",
        [environment],
    )
    return [Word(*row) for row in found.fetchall()]
