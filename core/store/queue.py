"""What waits for a person and in which order, as one statement over everything that was ever answered.

A draw by lot is the first 48 bits of an example's hash; whether two people see it, the next 48. So both follow from
the example alone, and looking again does not draw again.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.store.engine import Connection

__all__ = [
    "ANYTHING",
    "Asked",
    "Facets",
    "Order",
    "Sought",
    "Waiting",
    "facets",
    "reviewed_since",
    "select_waiting",
    "without_signal",
]


class Order(StrEnum):
    """What comes first."""

    DOUBT = "doubt"
    JUDGES = "judges"
    NOVELTY = "novelty"
    DRIFT = "drift"
    CONTRADICTION = "contradiction"
    RANDOM = "random"


@dataclass(frozen=True)
class Sought:
    """What a reviewer searches for; None means that it does not matter."""

    work: str | None = None
    "Words of the description, in any case."
    domain: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    reviewer: str | None = None
    "Examples on which this reviewer has a standing word, to look at again."
    verdict: str | None = None
    session: str | None = None

    @property
    def is_anything(self) -> bool:
        return self == Sought()


ANYTHING = Sought()


@dataclass(frozen=True)
class Asked:
    """Whose queue, and how it is drawn."""

    environment: str
    reviewer: str
    moment: datetime
    "Claims that end later are in force."
    sitting: str = ""
    held: tuple[str, ...] = ()
    "Predictions that this sitting has already, or has put aside."
    order: Order = Order.DOUBT
    sought: Sought = ANYTHING
    limit: int = 20
    audit_share: float = 0.0
    audits_missing: int = 0
    "Where few verdicts are open, so many of them are audits all the same."
    overlap_share: float = 0.0
    wanted: tuple[str, ...] = ()
    "Examples on which champion and a waiting challenger disagree: they come first."
    disputed: tuple[str, ...] = ()
    "Examples on which people's words contradict each other, the one longest open first."
    judges: tuple[str, ...] = ()
    disagreement: float = 1.0
    "Scores of one answer so far apart are a contradiction between judges."
    settle: bool = False
    "Whether contradictions between judges come before other doubts."


@dataclass(frozen=True)
class Waiting:
    """Two queues, each in its order, and what is known of all that waits."""

    told: list[tuple[str, bool, bool]] = field(default_factory=list)
    "Prediction ids, with whether the example is wanted by a challenger, and whether the verdict flips."
    audits: list[str] = field(default_factory=list)
    share: float = 0.0
    "The chance of an open verdict to be an audit."
    told_in_all: int = 0
    audits_in_all: int = 0


@dataclass(frozen=True)
class Facets:
    """What there is to search for."""

    domains: list[str]
    sessions: list[str]
    reviewers: list[str]


NEWEST = """
newest AS (
    SELECT example, arg_max(id, seq) AS prediction, arg_max(answer, seq) AS verdict, arg_max("at", seq) AS "at",
        arg_max(confidence, seq) AS confidence, arg_max(coalesce(session, ''), seq) AS session
    FROM prediction_event WHERE environment = $environment AND NOT from_person GROUP BY example
)"""
SPOKEN = """
spoken AS (
    SELECT example, count(DISTINCT reviewer) AS people, bool_or(reviewer = $reviewer) AS mine,
        bool_or(chosen_by = 'import') AS imported
    FROM word WHERE environment = $environment AND retracted_seq IS NULL GROUP BY example
)"""
TAKEN = """
taken AS (
    SELECT example, count(DISTINCT reviewer) AS hands, bool_or(reviewer = $reviewer) AS by_me FROM (
        SELECT example, reviewer, sitting, arg_max("until", seq) AS ends FROM claim_event
        WHERE environment = $environment AND NOT (reviewer = $reviewer AND sitting = $sitting)
        GROUP BY example, reviewer, sitting
    ) WHERE ends > $moment GROUP BY example
)"""
JUDGED = """
voice AS (
    SELECT example, judge, arg_max(payload, seq) AS payload FROM judgment_event
    WHERE environment = $environment AND judge IN (SELECT unnest($judges::VARCHAR[]))
        AND json_extract_string(payload, '$.unscored') IS NULL
    GROUP BY example, judge
), score AS (
    SELECT example, judge, json_extract_string(each, '$.answer') AS answer,
        json_extract_string(each, '$.score')::DOUBLE AS score
    FROM (SELECT example, judge, unnest(json_extract(payload, '$.scores[*]')) AS each FROM voice)
), apart AS (
    SELECT example, max(spread) AS spread FROM (
        SELECT example, answer, max(score) - min(score) AS spread FROM score GROUP BY example, answer
    ) GROUP BY example
), against AS (
    SELECT example, max(best - coalesce(of_verdict, 0)) AS gap FROM (
        SELECT score.example, judge, max(score) AS best, max(score) FILTER (answer = verdict) AS of_verdict
        FROM score JOIN newest USING (example) GROUP BY score.example, judge
    ) GROUP BY example
)"""
FLIPPED = """
flipped AS (
    SELECT id FROM (
        SELECT said.id, said.answer, said.from_person, lag(said.answer) OVER sitting AS earlier,
            lead(said.answer) OVER sitting AS later
        FROM prediction_event AS said
        JOIN (SELECT DISTINCT id, ask FROM example_event WHERE environment = $environment) AS asked
            ON asked.id = said.example
        WHERE said.environment = $environment AND said.session IS NOT NULL
        WINDOW sitting AS (PARTITION BY said.session, asked.ask ORDER BY said.seq)
    ) WHERE earlier = later AND answer <> earlier AND NOT from_person
)"""
SIGNALS = """
signals AS (
    SELECT example, arg_max(domain, seq) AS domain, arg_max(novelty, seq) AS novelty,
        arg_max(struct_pack(drift := drift), seq).drift AS drift
    FROM signal_event WHERE environment = $environment GROUP BY example
)"""
LOT = "('0x' || substr({column}, {first}, 12))::UBIGINT / 281474976710656.0"
UNANSWERED = """
    NOT coalesce(by_me, false) AND NOT coalesce(mine OR imported, false)
    AND coalesce(people, 0) + coalesce(hands, 0) < seats"""
IN_NO_HANDS = "coalesce(hands, 0) = 0"
RULES: dict[Order, tuple[str, str]] = {
    Order.DOUBT: (
        "true",
        "NOT wanted, CASE WHEN wanted THEN example END, NOT (settles OR flips), confidence, prediction",
    ),
    Order.JUDGES: ("gap > 0 OR spread >= $disagreement", "greatest(gap, spread) DESC, prediction"),
    Order.NOVELTY: ("novelty IS NOT NULL", "novelty DESC, prediction"),
    Order.DRIFT: ("drift > 0", "drift DESC, prediction"),
    Order.CONTRADICTION: ("true", "coalesce(mine, false), list_position($disputed::VARCHAR[], example), prediction"),
    Order.RANDOM: ("false", "prediction"),
}
"Of each order, which of the open items are in it, and what comes first."


def select_waiting(connection: Connection, asked: Asked) -> Waiting:
    """The first items of both queues, and how many wait in each."""
    values = _values(asked)
    sql = _statement(asked)
    rows = connection.execute(sql, {name: values[name] for name in values if f"${name}" in sql}).fetchall()
    if not rows:
        return Waiting()
    found = Waiting(share=rows[0][5])
    for prediction, wanted, flips, is_audit, of_kind, _ in rows:
        if is_audit:
            found.audits.append(prediction)
            found = replace(found, audits_in_all=of_kind)
        else:
            found.told.append((prediction, wanted, flips))
            found = replace(found, told_in_all=of_kind)
    return found


def facets(connection: Connection, environment: str) -> Facets:
    """What there is to search for, by name."""

    def names(sql: str) -> list[str]:
        return [row[0] for row in connection.execute(sql, [environment]).fetchall()]

    return Facets(
        domains=names("SELECT DISTINCT domain FROM signal_event WHERE environment = ? ORDER BY domain"),
        sessions=names("SELECT name FROM session WHERE environment = ? ORDER BY started DESC LIMIT 200"),
        reviewers=names("SELECT DISTINCT reviewer FROM word WHERE environment = ? ORDER BY reviewer"),
    )


def without_signal(connection: Connection, environment: str, basis: int, newest: int, limit: int) -> list[str]:
    """Of the newest unanswered examples, newest first, those that were not held against so many answered ones yet."""
    found = connection.execute(
        "SELECT example FROM ("
        "SELECT example, max(seq) AS seq FROM prediction_event WHERE environment = $environment AND NOT from_person "
        "AND example NOT IN (SELECT example FROM word WHERE environment = $environment AND retracted_seq IS NULL) "
        "GROUP BY example ORDER BY seq DESC LIMIT $newest) "
        "WHERE example NOT IN (SELECT example FROM signal_event WHERE environment = $environment AND basis >= $basis) "
        "ORDER BY seq DESC LIMIT $limit",
        {"environment": environment, "basis": basis, "newest": newest, "limit": limit},
    )
    return [row[0] for row in found.fetchall()]


def reviewed_since(connection: Connection, environment: str, reviewer: str, moment: datetime) -> int:
    """Examples on which this reviewer's word stands, said since then, and not volunteered."""
    row = connection.execute(
        "SELECT count(DISTINCT example) FROM word WHERE environment = ? AND reviewer = ? AND retracted_seq IS NULL "
        "AND \"at\" >= ? AND chosen_by NOT IN ('volunteered', 'import')",
        [environment, reviewer, moment],
    ).fetchone()
    return int(row[0]) if row else 0


def _statement(asked: Asked) -> str:
    order, sought = asked.order, asked.sought
    needs_judges = order is Order.JUDGES or asked.settle
    is_open = UNANSWERED
    if sought.reviewer is not None:
        is_open = f"theirs.example IS NOT NULL AND {IN_NO_HANDS}"
    elif order is Order.CONTRADICTION:
        is_open = f"newest.example IN (SELECT unnest($disputed::VARCHAR[])) AND {IN_NO_HANDS}"
    within, first = RULES[order]
    audit = "false" if not sought.is_anything or order is Order.CONTRADICTION else "lot < share"
    # Whatever is kept for audits stays for them, or what is left of it would be no random sample.
    kept = "true" if sought.reviewer is not None or order is Order.CONTRADICTION else "lot >= share"
    parts = [NEWEST, SPOKEN, TAKEN]
    parts += [JUDGED] if needs_judges else []
    parts += [*([FLIPPED] if order is Order.DOUBT else []), SIGNALS]
    return f"""
WITH {",".join(parts)}{_theirs(sought)}, opened AS (
    SELECT newest.*, spoken.mine, {LOT.format(column="newest.example", first=1)} AS lot,
        CASE WHEN {LOT.format(column="newest.example", first=13)} < $overlap_share THEN 2 ELSE 1 END AS seats
    FROM newest LEFT JOIN spoken USING (example) LEFT JOIN taken USING (example)
    {"LEFT JOIN theirs USING (example)" if sought.reviewer is not None else ""}
    WHERE {is_open} AND prediction NOT IN (SELECT unnest($held::VARCHAR[]))
), told AS (
    SELECT opened.*, greatest($audit_share, least(1.0, $audits_missing / (SELECT greatest(1, count(*)) FROM opened)))
            AS share,
        opened.example IN (SELECT unnest($wanted::VARCHAR[])) AS wanted,
        {"opened.prediction IN (SELECT id FROM flipped)" if order is Order.DOUBT else "false"} AS flips,
        {"apart.spread" if needs_judges else "NULL"} AS spread, {"against.gap" if needs_judges else "NULL"} AS gap,
        {"coalesce(apart.spread >= $disagreement, false)" if asked.settle else "false"} AS settles,
        signals.domain, signals.novelty, signals.drift
    FROM opened LEFT JOIN signals USING (example)
    {"LEFT JOIN apart USING (example) LEFT JOIN against USING (example)" if needs_judges else ""}
), placed AS (
    SELECT prediction, wanted, flips, {audit} AS is_audit, share,
        count(*) OVER (PARTITION BY {audit}) AS of_kind,
        row_number() OVER (PARTITION BY {audit} ORDER BY CASE WHEN {audit} THEN lot END, {first}) AS place
    FROM told WHERE ({audit} OR ({kept} AND ({within}))) {_found(sought)}
)
SELECT prediction, wanted, flips, is_audit, of_kind, share FROM placed WHERE place <= $limit ORDER BY is_audit, place
"""


def _theirs(sought: Sought) -> str:
    if sought.reviewer is None:
        return ""
    return (
        ", theirs AS (SELECT DISTINCT example FROM word "
        "WHERE environment = $environment AND retracted_seq IS NULL AND reviewer = $theirs)"
    )


def _found(sought: Sought) -> str:
    conditions = {
        "work": "example IN (SELECT id FROM example_event "
        "WHERE environment = $environment AND contains(lower(ask), lower($work)))",
        "domain": "domain = $domain",
        "since": '"at" >= $since',
        "until": '"at" < $until',
        "verdict": "verdict = $verdict",
        "session": "session = $session",
    }
    return " ".join(f"AND {sql}" for name, sql in conditions.items() if getattr(sought, name) is not None)


def _values(asked: Asked) -> dict[str, Any]:
    sought = asked.sought
    return {
        "environment": asked.environment,
        "reviewer": asked.reviewer,
        "moment": asked.moment,
        "sitting": asked.sitting,
        "held": list(asked.held),
        "overlap_share": asked.overlap_share,
        "audit_share": asked.audit_share,
        "audits_missing": float(asked.audits_missing),
        "wanted": list(asked.wanted),
        "disputed": list(asked.disputed),
        "judges": list(asked.judges),
        "disagreement": asked.disagreement,
        "limit": asked.limit,
        "theirs": sought.reviewer,
        "work": sought.work,
        "domain": sought.domain,
        "since": sought.since,
        "until": sought.until,
        "verdict": sought.verdict,
        "session": sought.session,
    }
