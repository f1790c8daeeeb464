"""Removing records, and finding what still names them. All of it in the dialect that the engines share."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence

from core.schema import Example, Media, Record
from core.store import tables
from core.store.engine import Connection

__all__ = ["Gone", "erase", "left_out", "mentions", "naming"]

Gone = Mapping[type[Record], Mapping[str, Collection[str]]]
"Of each kind, the records of which a column (`id`, or one of `tables.COLUMNS`) has one of these values."

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
    _, (id,), (at,), (payload,), *columns = tables.rows_of(kind, [record])
    names = ('"at"', "payload", *(f'"{column}"' for column in tables.COLUMNS[kind]))
    change = ", ".join(f"{name} = ?" for name in names)
    values = [at, payload, *(column[0] for column in columns)]
    connection.execute(f"UPDATE {kind.kind}_event SET {change} WHERE id = ?", [*values, id])


def left_out(connection: Connection, kind: type[Record], records: Iterable[Record]) -> set[str]:
    """Ids of the records that are about something erased that is not there again: they came too late.

    Without this, whoever was at work on a picture while it was erased would bring a part of it back.
    """
    about: dict[str, list[str]] = {}
    wanted: type[Record] = Example
    for record in records:
        if kind is Example:
            wanted, named = Media, tuple(getattr(record, "media", ()))
        else:
            named = (record.example,) if "example" in tables.COLUMNS[kind] and hasattr(record, "example") else ()
        for each in named:
            about.setdefault(each, []).append(record.id)
    if not about:
        return set()
    missing = connection.execute(
        "SELECT DISTINCT content FROM tombstone_event WHERE what = ? AND content IN (SELECT unnest(?::VARCHAR[])) "
        f"AND content NOT IN (SELECT id FROM {wanted.kind}_event WHERE id IN (SELECT unnest(?::VARCHAR[])))",
        [wanted.kind, list(about), list(about)],
    ).fetchall()
    return {id for (content,) in missing for id in about[content]}


def naming(connection: Connection, kind: type[Record], ids: Collection[str], texts: Collection[str]) -> list[str]:
    """Ids of the records of a kind that name one of the content ids or UUIDs, or have one of the texts as a value.

    Where an id stands as the name of a cluster it does not count.
    """
    if not ids and not texts:
        return []
    table = f"{kind.kind}_event"
    found = connection.execute(
        f"SELECT DISTINCT id FROM (SELECT id, unnest(regexp_extract_all(regexp_replace(payload::VARCHAR, '{CLUSTER}', "
        f"'', 'g'), '[0-9a-f]{{32,64}}')) AS named FROM {table}) WHERE named IN (SELECT unnest(?::VARCHAR[])) "
        f"UNION SELECT id FROM {table}, (SELECT unnest(?::VARCHAR[]) AS wanted) WHERE contains(payload::VARCHAR, wanted)",
        [list(ids), [json.dumps(text, ensure_ascii=False) for text in texts]],
    )
    return sorted(row[0] for row in found.fetchall())


def mentions(connection: Connection, ids: Collection[str], texts: Collection[str]) -> dict[str, int]:
    """How many records of each kind name one of these; kinds that do not are left out."""
    found = {kind.kind: len(naming(connection, kind, ids, texts)) for kind in tables.KINDS}
    return {kind: number for kind, number in found.items() if number}
