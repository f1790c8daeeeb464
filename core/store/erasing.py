"""Removing records, and finding what still names them. All of it in the dialect that the engines share."""

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from core.schema import Example, Media, Record, Tombstone
from core.store import tables
from core.store.engine import Connection

__all__ = ["Gone", "Search", "erase", "too_late"]

Gone = Mapping[type[Record], Mapping[str, Collection[str]]]
"Of each kind, the records of which a column (`id`, or one of `tables.COLUMNS`) has one of these values."

JSON: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}
"As records are kept."
CLUSTER = '"cluster":"[0-9a-f]*",?'
"The name of a cluster is the id of the picture that began it, and outlives that picture."
FIRST_PAGE = 1_000
"Rows that a search looks through first; then as many as take some tenths of a second, however large they are."
HELD_S = 0.5
"""For so long a search looks through pages in one transaction, and for so long a page may take."""


def erase(connection: Connection, gone: Gone, replaced: Iterable[Record], added: Sequence[Record]) -> dict[str, int]:
    """Deletes, rewrites and appends records in the caller's transaction; how many of each kind were deleted."""
    erased: dict[str, int] = {}
    for kind, columns in gone.items():
        for column, values in columns.items():
            number = _delete(connection, kind, column, values)
            if number:
                erased[kind.kind] = erased.get(kind.kind, 0) + number
    for record in replaced:
        _rewrite(connection, record)
    for record in added:
        tables.insert(connection, type(record), tables.rows_of(type(record), [record]))
    return erased


def _delete(connection: Connection, kind: type[Record], column: str, values: Collection[str]) -> int:
    if column not in ("id", *tables.COLUMNS[kind]):
        raise TypeError(f"{kind.kind} cannot be erased by {column!r}")
    if not values:
        return 0
    table, wanted = f"{kind.kind}_event", list(values)
    is_one = f'"{column}" IN (SELECT unnest(?::VARCHAR[]))'
    found = connection.execute(f"SELECT count(DISTINCT id) FROM {table} WHERE {is_one}", [wanted]).fetchone()
    number = int(found[0]) if found else 0
    if number:
        connection.execute(
            f"INSERT INTO number_given SELECT ?, max(seq) FROM {table} "
            "HAVING max(seq) > coalesce((SELECT max(seq) FROM number_given WHERE kind = ?), 0)",
            [kind.kind, kind.kind],
        )
        connection.execute(f"DELETE FROM {table} WHERE {is_one}", [wanted])
    return number


def _rewrite(connection: Connection, record: Record) -> None:
    kind = type(record)
    (id,), (at,), (payload,), *columns = tables.rows_of(kind, [record])
    names = ('"at"', "payload", *(f'"{column}"' for column in tables.COLUMNS[kind]))
    change = ", ".join(f"{name} = ?" for name in names)
    values = [at, payload, *(column[0] for column in columns)]
    connection.execute(f"UPDATE {kind.kind}_event SET {change} WHERE id = ?", [*values, id])


def too_late(connection: Connection, records: Iterable[Record]) -> set[str]:
    """Ids of the records that are about a picture or an example that was erased and is not there again.

    Without this, whoever was at work on a screen while it was erased would bring a part of it back.
    """
    # Nearly every write is to a store from which nothing was ever erased, and on a lake each look costs.
    if not connection.has_rows(f"{Tombstone.kind}_event"):
        return set()
    shown: dict[str, list[str]] = {}
    about: dict[str, list[str]] = {}
    brought: set[str] = set()
    for record in records:
        if isinstance(record, Example):
            brought.add(record.id)
            for media in record.media:
                shown.setdefault(media, []).append(record.id)
        elif isinstance(example := getattr(record, "example", None), str):
            about.setdefault(example, []).append(record.id)
    late = {id for media in _missing(connection, Media, shown) for id in shown[media]}
    gone = late | (set(_missing(connection, Example, about)) - brought)
    return late | {id for example in gone for id in about.get(example, ())}


def _missing(connection: Connection, kind: type[Record], ids: Collection[str]) -> list[str]:
    if not ids:
        return []
    gone = connection.execute(
        "SELECT DISTINCT content FROM tombstone_event WHERE what = ? AND content IN (SELECT unnest(?::VARCHAR[]))",
        [kind.kind, list(ids)],
    ).fetchall()
    if not gone:
        return []
    stones = [content for (content,) in gone]
    again = connection.execute(
        f"SELECT id FROM {kind.kind}_event WHERE id IN (SELECT unnest(?::VARCHAR[]))", [stones]
    ).fetchall()
    return sorted(set(stones) - {id for (id,) in again})


class Search:
    """A search for the records of some kinds that name one of the content ids or UUIDs, or have a field with its value.

    Where an id stands as the name of a cluster it does not count. Fields count at any depth. It goes on over as many
    transactions as it takes, of which none holds the database for long.
    """

    def __init__(
        self, kinds: Collection[type[Record]], ids: Collection[str], fields: Collection[tuple[str, str]]
    ) -> None:
        self.found: dict[str, set[str]] = {}
        "Ids of records by their kind."
        self._left = list(kinds) if ids or fields else []
        self._sought = [list(ids), [json.dumps({name: value}, **JSON)[1:-1] for name, value in fields]]
        self._after, self._rows = 0, FIRST_PAGE

    def go_on(self, connection: Connection) -> bool:
        """Looks through what fits into about a second; whether that was the last of it."""
        until = time.monotonic() + HELD_S
        while self._left:
            began = time.monotonic()
            self._look(connection, self._left[0])
            took_s = time.monotonic() - began
            if took_s > HELD_S:
                self._rows = max(1, self._rows // 2)
            elif took_s < HELD_S / 4:
                self._rows *= 2
            if time.monotonic() > until:
                break
        return not self._left

    def _look(self, connection: Connection, kind: type[Record]) -> None:
        table, upto = f"{kind.kind}_event", self._after + self._rows
        page = f"{table} WHERE seq > {self._after} AND seq <= {upto}"
        found = connection.execute(
            "SELECT id FROM (SELECT id, unnest(regexp_extract_all(regexp_replace(payload::VARCHAR, "
            f"'{CLUSTER}', '', 'g'), '[0-9a-f]{{32,64}}')) AS named FROM {page}) "
            "WHERE named IN (SELECT unnest(?::VARCHAR[])) UNION SELECT id FROM (SELECT id, payload FROM "
            f"{page}), (SELECT unnest(?::VARCHAR[]) AS field) WHERE contains(payload::VARCHAR, field)",
            self._sought,
        ).fetchall()
        if found:
            self.found.setdefault(kind.kind, set()).update(id for (id,) in found)
        last = connection.execute(f"SELECT coalesce(max(seq), 0) FROM {table}").fetchone()
        if last and upto < last[0]:
            self._after = upto
        else:
            self._left.pop(0)
            self._after, self._rows = 0, FIRST_PAGE
