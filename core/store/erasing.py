"""Removing records, and finding what still names them. All of it in the dialect that the engines share."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from core.schema import Example, Media, Record, Tombstone
from core.store import tables
from core.store.engine import Connection

__all__ = ["Gone", "erase", "mentions", "naming", "too_late"]

Gone = Mapping[type[Record], Mapping[str, Collection[str]]]
"Of each kind, the records of which a column (`id`, or one of `tables.COLUMNS`) has one of these values."

JSON: dict[str, Any] = {"ensure_ascii": False, "separators": (",", ":")}
"As records are kept."
CLUSTER = '"cluster":"[0-9a-f]*",?'
"The name of a cluster is the id of the picture that began it, and outlives that picture."


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


def naming(
    connection: Connection, kind: type[Record], ids: Collection[str], fields: Collection[tuple[str, str]]
) -> list[str]:
    """Ids of the records of a kind that name one of the content ids or UUIDs, or have a field with the value given.

    Where an id stands as the name of a cluster it does not count. Fields count at any depth.
    """
    if not ids and not fields:
        return []
    table = f"{kind.kind}_event"
    found = connection.execute(
        f"SELECT DISTINCT id FROM (SELECT id, unnest(regexp_extract_all(regexp_replace(payload::VARCHAR, '{CLUSTER}', "
        f"'', 'g'), '[0-9a-f]{{32,64}}')) AS named FROM {table}) WHERE named IN (SELECT unnest(?::VARCHAR[])) "
        f"UNION SELECT id FROM {table}, (SELECT unnest(?::VARCHAR[]) AS field) WHERE contains(payload::VARCHAR, field)",
        [list(ids), [json.dumps({name: value}, **JSON)[1:-1] for name, value in fields]],
    )
    return sorted(row[0] for row in found.fetchall())


def mentions(connection: Connection, ids: Collection[str], fields: Collection[tuple[str, str]]) -> dict[str, int]:
    """How many records of each kind name one of these; kinds that do not are left out."""
    found = {kind.kind: len(naming(connection, kind, ids, fields)) for kind in tables.KINDS}
    return {kind: number for kind, number in found.items() if number}
