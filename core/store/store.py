"""The store: everything that happened, in order, and what follows from it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TypeVar

from core.schema import AuditEntry, Claim, Correction, Label, Mark, NightshiftError, Promotion, Record, Session
from core.store import champions, checks, claims, erasing, leases, queue, summing, tables
from core.store.database import Database, engine_of, open_database
from core.store.engine import Connection, Work
from core.store.leases import Lease
from core.store.migrate import load_migrations

__all__ = ["Store", "open_store"]

T = TypeVar("T", bound=Record)
PAGE = 5_000
"Payloads read while the database is held; more are read in several goes, so that others get their turn."


def open_store(url: str, *, deadline_s: float = 30.0) -> "Store":
    """The store at `url`, made or migrated where needed.

    `duckdb:///PATH` is a file (an absolute path makes four slashes), `ducklake:postgres://USER@HOST/DATABASE?data=...`
    a lake.

    Every call on it waits up to `deadline_s` seconds for other processes, then raises StoreBusy. Raises StoreNewer,
    with nothing written, for a store from a newer version, and NightshiftError where there can be no store.
    """
    return Store(open_database(engine_of(url), load_migrations(), deadline_s))


@dataclass(frozen=True)
class Store:
    """Append-only records and the views over them. Holds no connection; threads and processes may share one.

    Sequence numbers (`seq`) grow by one for each record of a kind, in the order of commits. They say what came before
    what within a kind, never across kinds.
    """

    database: Database

    def add(self, *records: Record) -> int:
        """Appends records of any kinds in one transaction; returns, after the commit, how many were new.

        A record whose id is there already is skipped, so that any write may be repeated. So is one about an example, or
        an example of a picture, that was erased and is not there again.
        """
        return self._append(records)[0]

    def add_unless_erased(self, *records: Record) -> set[str]:
        """Appends records as `add` does; returns the ids of those left out because what they are about was erased."""
        return self._append(records)[1]

    def _append(self, records: Sequence[Record]) -> tuple[int, set[str]]:
        by_kind: dict[type[Record], dict[str, Record]] = {}
        for record in records:
            if type(record) not in tables.COLUMNS:
                raise TypeError(f"{type(record).__name__} is not a kind of record that the store keeps")
            by_kind.setdefault(type(record), {}).setdefault(record.id, record)
        if not by_kind:
            return 0, set()
        rows = {kind: tables.rows_of(kind, by_id.values()) for kind, by_id in by_kind.items()}
        return self.database.write(lambda connection: _insert(connection, by_kind, rows))

    def get(self, kind: type[T], id: str) -> T | None:
        """The record with this id, or None."""
        return next(iter(self.find(kind, id=id)), None)

    def get_many(self, kind: type[T], ids: Iterable[str]) -> list[T]:
        """The records with these ids, in their order. Raises NightshiftError where one is missing."""
        wanted = list(ids)
        if not wanted:
            return []
        found = {record.id: record for record in self.find(kind, id=set(wanted))}
        missing = [id for id in wanted if id not in found]
        if missing:
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise NightshiftError(f"there is no {kind.kind} {missing[0]!r} in {self.database.engine.name}{more}")
        return [found[id] for id in wanted]

    def find(
        self,
        kind: type[T],
        *,
        environment: str | None = None,
        after_seq: int = 0,
        limit: int | None = None,
        newest_first: bool = False,
        **equals: object,
    ) -> list[T]:
        """Records in the order of their `seq`, whose columns (`core.store.tables.COLUMNS`) equal the values given.

        A list, tuple or set as a value means any of them; None means that the field is not set. Raises TypeError for
        a column that the kind does not have.
        """
        conditions: dict[str, object] = dict(equals)
        if environment is not None:
            conditions["environment"] = environment
        choose = partial(
            tables.select_seqs,
            kind=kind,
            equals=conditions,
            after_seq=after_seq,
            limit=limit,
            newest_first=newest_first,
        )
        return [record for _, record in self._records(kind, choose)]

    def page(
        self, kind: type[T], limit: int, *, before_seq: int | None = None, **equals: object
    ) -> list[tuple[int, T]]:
        """The newest records earlier than `before_seq` that `find` would find, newest first, each with its number."""
        choose = partial(
            tables.select_seqs, kind=kind, equals=equals, before_seq=before_seq, limit=limit, newest_first=True
        )
        return self._records(kind, choose)

    def numbered(self, kind: type[T], after_seq: int = 0) -> list[tuple[int, T]]:
        """Every record of a kind later than `after_seq`, in order, each with its sequence number."""
        return self._records(kind, partial(tables.select_seqs, kind=kind, equals={}, after_seq=after_seq))

    def count(self, kind: type[Record], environment: str | None = None) -> int:
        """How many records of a kind there are."""
        conditions = {} if environment is None else {"environment": environment}
        return self.database.read(lambda connection: tables.count(connection, kind, conditions))

    def head(self, environment: str) -> int:
        """The largest `seq` of any correction, 0 when there is none: what a snapshot reaches up to."""
        return self.database.read(lambda connection: tables.last_seq(connection, Correction, environment))

    def last_seq(self, kind: type[Record], environment: str) -> int:
        """The largest `seq` of a kind, 0 when there is none: whether anything was added since."""
        return self.database.read(lambda connection: tables.last_seq(connection, kind, environment))

    def labels(
        self,
        environment: str,
        *,
        upto_seq: int | None = None,
        after_seq: int = 0,
        examples: Collection[str] | None = None,
    ) -> list[Label]:
        """The word that stands for each example, in the order in which the words were said.

        `upto_seq` shows them as they stood when that correction was the last one; `after_seq` leaves out words said
        no later than it; `examples` leaves out all others. A standing CANNOT_TELL is a word like any other.
        """
        choose = partial(
            tables.select_standing,
            environment=environment,
            upto_seq=upto_seq,
            after_seq=after_seq,
            examples=examples,
        )
        return [_label(seq, word) for seq, word in self._records(Correction, choose)]

    def voices(
        self, environment: str, *, upto_seq: int | None = None, examples: Collection[str] | None = None
    ) -> list[Label]:
        """The last word of each person that was not taken back, on examples of which more than one said something.

        `upto_seq` and `examples` as in `labels`. An example may come with one person alone: the others took back what
        they said.
        """
        choose = partial(tables.select_voices, environment=environment, upto_seq=upto_seq, examples=examples)
        return [_label(seq, word) for seq, word in self._records(Correction, choose)]

    def sessions(self, environment: str) -> list[Session]:
        """Every session that predictions were made in, the one that began last first."""
        return self.database.read(lambda connection: tables.select_sessions(connection, environment))

    def waiting(self, asked: queue.Asked) -> queue.Waiting:
        """What waits for a person's eyes, most needed first."""
        return self.database.read(lambda connection: queue.select_waiting(connection, asked))

    def facets(self, environment: str) -> queue.Facets:
        """What the queue can be searched by."""
        return self.database.read(lambda connection: queue.facets(connection, environment))

    def reviewed_since(self, environment: str, reviewer: str, moment: datetime) -> int:
        """How many examples this reviewer worked through since then, as their words stand now."""
        return self.database.read(lambda connection: queue.reviewed_since(connection, environment, reviewer, moment))

    def without_signal(self, environment: str, basis: int, *, newest: int, limit: int) -> list[str]:
        """Of the newest unanswered examples, those that were not held against `basis` answered ones yet."""
        return self.database.read(
            lambda connection: queue.without_signal(connection, environment, basis, newest, limit)
        )

    def claim(self, tickets: Sequence[claims.Ticket]) -> list[Claim]:
        """Of one sitting's claims, those that are its own now; the items of the others are in other hands."""
        return self.database.write(lambda connection: claims.take_claims(connection, tickets))

    def heads(self, *kinds: type[Record]) -> tuple[tuple[int, int], ...]:
        """For each kind its last sequence number and its rows: what was computed from them holds while these do."""
        return self.database.read(lambda connection: summing.heads(connection, kinds))

    def prediction_days(self, environment: str) -> list[summing.DayIndex]:
        """Every day (UTC) with predictions, oldest first, and what tells whether its figures changed."""
        return self.database.read(lambda connection: summing.index_days(connection, environment))

    def days_of_predictions(self, environment: str, first: date, last: date) -> list[summing.DayOfPredictions]:
        """Volume, answers, confidence and response times of each day (UTC) from `first` to `last`."""
        return self.database.read(lambda connection: summing.days_of_predictions(connection, environment, first, last))

    def answered(
        self,
        environment: str,
        release: str,
        *,
        before_day: date | None = None,
        from_day: date | None = None,
        limit: int = 5_000,
    ) -> list[summing.Answered]:
        """The newest answers that a release gave itself, before a day (UTC) or from one on."""
        return self.database.read(
            lambda connection: summing.answered(
                connection, environment, release, before_day=before_day, from_day=from_day, limit=limit
            )
        )

    def words_of_several(self, environment: str) -> list[summing.Word]:
        """Each reviewer's standing word on the examples that several reviewers answered."""
        return self.database.read(lambda connection: summing.words_of_several(connection, environment))

    def lease(self, name: str, owner: str, ttl_s: float) -> Lease:
        """The lease `name` for `ttl_s` seconds. Raises LeaseHeld (with who and until when) while another lasts."""
        return leases.take_lease(self.database, name, owner, ttl_s)

    def check_token(self, name: str, token: int) -> None:
        """Raises LeaseLost unless `token` is the newest of the lease, unexpired and not released."""
        self.database.read(lambda connection: leases.verify_token(connection, name, token))

    def lease_ran_out(self, name: str) -> datetime | None:
        """When the lease ran out on an owner who neither renewed nor released it; None where that is not so."""
        return self.database.read(lambda connection: leases.ran_out(connection, name))

    def champion(self, environment: str) -> str | None:
        """The release id that serves, or None before the first was installed."""
        return self.database.read(lambda connection: champions.champion_of(connection, environment))

    def swap_champion(
        self,
        environment: str,
        *,
        expected: str | None,
        new: str,
        promotion: Promotion,
        lease: str | None = None,
        token: int | None = None,
        told: Sequence[AuditEntry] = (),
    ) -> bool:
        """Makes `new` champion and appends the promotion, in one transaction, if the champion is still `expected`.

        `told` are the lines of the audit log about it, of the same transaction.

        Returns whether the promotion is done; repeating one that was done returns True and changes nothing. With a
        `lease`, raises LeaseLost unless `token` still holds it.
        """
        if (promotion.environment, promotion.release, promotion.previous) != (environment, new, expected):
            raise ValueError(f"the promotion says something else than the swap from {expected!r} to {new!r}")
        if (lease is None) != (token is None):
            raise ValueError("a lease and its token go together")
        return self.database.write(
            lambda connection: champions.swap(
                connection, expected=expected, promotion=promotion, lease=lease, token=token, told=told
            )
        )

    def quarantine(self, mark: Mark, retreat: Promotion | None = None, *, told: Sequence[AuditEntry] = ()) -> bool:
        """Keeps the mark and `told`, and where its release serves makes `retreat` in the same transaction.

        Returns whether it is done: not where the release serves and `retreat` does not replace it. Repeating what was
        done changes nothing. Raises Quarantined where `retreat` goes to a quarantined release.
        """
        if retreat is not None and retreat.previous != mark.release:
            raise ValueError("a retreat leads away from the release that is quarantined")
        return self.database.write(lambda connection: champions.quarantine(connection, mark, retreat, told))

    def erase(
        self,
        gone: erasing.Gone,
        *,
        replaced: Sequence[Record] = (),
        added: Sequence[Record] = (),
        lease: str | None = None,
        token: int | None = None,
    ) -> dict[str, int]:
        """Deletes, rewrites (by id) and appends records in one transaction; how many of each kind were deleted.

        Their sequence numbers are not given out again. With a `lease`, raises LeaseLost unless `token` still holds it.
        What was deleted may lie in the file until `compact` is done.
        """

        def work(connection: Connection) -> dict[str, int]:
            if lease is not None and token is not None:
                leases.verify_token(connection, lease, token)
            return erasing.erase(connection, gone, replaced, added)

        return self.database.write(work)

    def naming(self, kind: type[T], ids: Collection[str], fields: Collection[tuple[str, str]] = ()) -> list[T]:
        """Records of a kind that name one of these ids (not as a cluster), or have one of these fields so."""
        found = self._naming([kind], ids, fields).get(kind.kind)
        return self.find(kind, id=found) if found else []

    def mentions(self, ids: Collection[str], fields: Collection[tuple[str, str]] = ()) -> dict[str, int]:
        """How many records of each kind name one of these ids or have one of these fields with its value."""
        return {kind: len(found) for kind, found in self._naming(tables.KINDS, ids, fields).items()}

    def compact(self) -> bool:
        """Writes the database anew, so that nothing deleted is left in free parts of it; whether that was done.

        Nobody can write meanwhile; on a lake, only between its steps. Raises StoreBusy where others write without a
        pause.
        """
        return self.database.compact()

    def remains(self, ids: Collection[str], texts: Collection[str]) -> list[str]:
        """Where the files of a lake, or its catalog, still hold one of these ids or texts; a line each."""
        return self.database.engine.remains(ids, texts)

    def tables(self) -> dict[str, int]:
        """How many records of each kind there are."""
        return self.database.read(
            lambda connection: {kind.kind: tables.count(connection, kind, {}) for kind in tables.KINDS}
        )

    def check(self) -> list[str]:
        """What is wrong with the content of the store, a line each; empty when nothing is."""
        return self.database.read(checks.problems)

    def tend(self) -> dict[str, int]:
        """Puts in order what many small writes left behind, and says what was done. No record goes but claims that
        others replaced."""
        thinned = self.database.write(claims.thin_claims)
        done = self.database.engine.tend(self.database.deadline_s)
        return {**({"claims_replaced": thinned} if thinned else {}), **done}

    def _naming(
        self, kinds: Collection[type[Record]], ids: Collection[str], fields: Collection[tuple[str, str]]
    ) -> dict[str, set[str]]:
        search = erasing.Search(kinds, ids, fields)
        while not self.database.read(search.go_on):
            pass
        return search.found

    def _records(self, kind: type[T], choose: Callable[[Connection], list[int]]) -> list[tuple[int, T]]:
        def first_page(connection: Connection) -> tuple[list[int], dict[int, str]]:
            seqs = choose(connection)
            return seqs, tables.payloads(connection, kind, seqs[:PAGE])

        seqs, payloads = self.database.read(first_page)
        for start in range(PAGE, len(seqs), PAGE):
            page: Work[Mapping[int, str]] = partial(tables.payloads, kind=kind, seqs=seqs[start : start + PAGE])
            payloads |= self.database.read(page)
        return [(seq, tables.parse(kind, payloads[seq])) for seq in seqs if seq in payloads]


def _insert(
    connection: Connection,
    by_kind: Mapping[type[Record], Mapping[str, Record]],
    rows: Mapping[type[Record], list[list[object]]],
) -> tuple[int, set[str]]:
    """How many were new, and which ids came too late."""
    late = erasing.too_late(connection, [record for by_id in by_kind.values() for record in by_id.values()])
    if late and all(id in late for kind, by_id in by_kind.items() if kind is not AuditEntry for id in by_id):
        # Nothing was done, so there is nothing to tell of.
        by_kind = {kind: by_id for kind, by_id in by_kind.items() if kind is not AuditEntry}
    added = 0
    for kind, by_id in by_kind.items():
        kept = [record for id, record in by_id.items() if id not in late]
        added += tables.insert(connection, kind, rows[kind] if len(kept) == len(by_id) else tables.rows_of(kind, kept))
    return added, late


def _label(seq: int, word: Correction) -> Label:
    return Label(
        environment=word.environment,
        example=word.example,
        answer=word.answer,
        correction=word.id,
        prediction=word.prediction,
        reviewer=word.reviewer,
        chosen_by=word.chosen_by,
        chosen_probability=word.chosen_probability,
        reason=word.reason,
        seq=seq,
        at=word.at,
    )
