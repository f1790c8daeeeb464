"""Forgetting: the intention first, then rows, then files, then the file of the database itself; then it is done.

    intend    a record of what is to go, so that whoever comes after a crash knows
    rows      one transaction: rows go, tombstones come, what named them is written again without them
    files     pictures, readings, what nights put aside; screens that `nightshift watch` keeps go before any of it
    compact   the database is written anew, so that nothing lies in free parts of its file
    done      the intention becomes the record that it was done
    prove     everything is looked through for what should be gone

Every step may be repeated. Killed between any two of them, the next erasure first goes on with what is open.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from core.access import NIGHTSHIFT, Actor, acting, entry
from core.schema import Correction, Erasure, Media, Prediction, Tombstone, new_id, now
from core.services.erasing.files import clear_runs, remove_pictures, scrub_bootstraps
from core.services.erasing.holding import while_no_night_runs
from core.services.erasing.proof import Proof, Sought, hash_of, prove
from core.services.erasing.reach import (
    Reach,
    learnt_from,
    orphans,
    reach_of_pictures,
    reach_of_reviewer,
    runs_that_learnt,
    tombstones_of,
)
from core.services.erasing.scrubbing import without_examples, without_name
from core.services.erasing.waiting import remove_screens, remove_words, screens_waiting
from core.services.erasing.wanted import Wanted, pictures_wanted
from core.services.night.record import abandon, unfinished
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["forget", "open_erasures", "pictures_erased"]

BATCH = 500
"Pictures of one erasure: so many go in one transaction."
LATE = 5
"Times to look for what came in while rows went."
Told = Callable[[int, int], None]


def forget(ws: Workspace, wanted: Wanted, *, dry_run: bool = False, told: Told = lambda *_: None) -> dict[str, Any]:
    """Erases what is asked for and all that was made of it, and looks for it afterwards; JSON-ready.

    With `dry_run` nothing changes, and `erased` says what would go. Raises NightshiftError, having changed nothing,
    while a night runs and for a screen that never was here.
    """
    if dry_run:
        return _foretold(ws, wanted)
    with while_no_night_runs(ws) as lease:
        work = _Work(ws, lease)
        work.go_on()
        unanswered = remove_screens(screens_waiting(ws, session=wanted.session, before=wanted.before))
        if wanted.reviewer is not None:
            work.erase_reviewer(wanted)
        else:
            work.erase_pictures(pictures_wanted(ws, wanted), wanted.how, wanted.reason, wanted.by, told)
        done = work.finish(wanted.how, wanted.field)
        return {**done, "erased": {**done["erased"], **unanswered}}


def pictures_erased(
    ws: Workspace,
    pictures: Callable[[], Sequence[str]],
    *,
    reason: str,
    by: str,
    lease: Lease | None = None,
    told: Told = lambda *_: None,
) -> dict[str, Any]:
    """The same for pictures by their ids, asked for once no night can begin; as a part of the night that holds `lease`.

    What is open of earlier erasures is done first. Raises NightshiftError while another night runs.
    """
    with while_no_night_runs(ws, lease) as held:
        work = _Work(ws, held)
        work.go_on()
        work.erase_pictures(pictures(), "retention", reason, by, told)
        return work.finish("retention")


def open_erasures(ws: Workspace) -> list[Erasure]:
    """Erasures that were begun and not ended."""
    return ws.store.find(Erasure, done_at=None)


class _Work:
    """What one call does, and what it has to prove."""

    def __init__(self, ws: Workspace, lease: Lease) -> None:
        self._ws, self._lease, self._began = ws, lease, now()
        self._done: list[Erasure] = []
        self._sought = Sought()
        self._resumed = 0

    def erase_pictures(self, ids: Sequence[str], how: Any, reason: str, by: str, told: Told) -> None:
        """Batch by batch; what nights made and did not keep goes with the last."""
        told(0, len(ids))
        for start in range(0, len(ids), BATCH):
            batch = ids[start : start + BATCH]
            self._lease.renew()
            self._begin(how, reason, by, reach_of_pictures(self._ws, batch, now()))
            told(min(start + BATCH, len(ids)), len(ids))
        if ids:
            left = orphans(self._ws)
            for start in range(0, len(left), BATCH):
                self._begin(how, reason, by, reach_of_pictures(self._ws, left[start : start + BATCH], now()))

    def erase_reviewer(self, wanted: Wanted) -> None:
        """A person's words and name."""
        assert wanted.reviewer is not None
        self._begin("reviewer", wanted.reason, wanted.by, reach_of_reviewer(self._ws, wanted.reviewer), wanted.reviewer)

    def go_on(self) -> None:
        """Does what interrupted erasures had left to do."""
        for erasure in open_erasures(self._ws):
            self._resumed += 1
            self._go_on_with(erasure)

    def _go_on_with(self, erasure: Erasure) -> None:
        if erasure.reviewer is not None:
            reach = reach_of_reviewer(self._ws, erasure.reviewer)
            reach.media |= reach_of_pictures(self._ws, erasure.media, erasure.at).media
        else:
            reach = reach_of_pictures(self._ws, erasure.media, erasure.at)
        self._erase(erasure, reach)

    def finish(self, how: str, field: tuple[str, str] | None = None) -> dict[str, Any]:
        """Writes the database anew, marks as done, proves; what all of it came to."""
        rewritten = self._ws.store.compact() if self._done else False
        at = now()
        done = [each.model_copy(update={"done_at": at}) for each in self._done]
        self._ws.store.erase({}, replaced=done)
        self._ws.let_go_of_erased()
        if field is not None and not self._came_since(field):
            self._sought.fields.add(field)
        proof = prove(self._ws, self._sought, rewritten=rewritten)
        return _answer(self._ws, how, self._done, proof, self._resumed)

    def _came_since(self, field: tuple[str, str]) -> bool:
        """Whether the same session or person sent something since this began: that is new, and may stay."""
        name, value = field
        store = self._ws.store
        if name == "session":
            sent = [*store.find(Media, session=value), *store.find(Prediction, session=value)]
            return any(each.at > self._began for each in sent)
        return any(word.at > self._began for word in store.find(Correction, reviewer=value))

    def _begin(self, how: Any, reason: str, by: str, reach: Reach, reviewer: str | None = None) -> None:
        is_named = reviewer is not None and bool(without_name(self._ws, reviewer))
        if not reach.ids and not is_named:
            return
        touched, learnt = runs_that_learnt(self._ws, reach)
        erasure = Erasure(
            id=new_id(),
            asked=how,
            reason=reason,
            by=by,
            media=tuple(sorted(reach.media)),
            blobs=tuple(sorted({media.blob for media in reach.media.values()})),
            reviewer=reviewer,
            runs=tuple(sorted(touched)),
            learnt=tuple(sorted(learnt)),
        )
        self._ws.store.add(erasure, entry("erasure.begun", erasure.id, f"by {how}: {reason}", by=self._who(by)))
        self._erase(erasure, reach)

    @staticmethod
    def _who(by: str) -> Actor:
        return NIGHTSHIFT if by == NIGHTSHIFT.name else acting()

    def _erase(self, erasure: Erasure, reach: Reach) -> None:
        self._give_up_what_used(erasure)
        for _ in range(LATE):
            erasure = self._rows(erasure, reach)
            reach = reach_of_pictures(self._ws, erasure.media, erasure.at)
            if not reach.examples and not reach.media:
                break
        files = remove_pictures(self._ws, erasure.media, erasure.blobs)
        clear_runs(self._ws, erasure.runs)
        scrub_bootstraps(self._ws, self._sought.ids)
        # What is kept of an open one is let go before the database is written anew, or its old self would stay there.
        erasure = erasure.model_copy(
            update={"media": (), "blobs": (), "reviewer": None, "erased": _sum(erasure.erased, files)}
        )
        self._ws.store.erase({}, replaced=[erasure], lease=self._lease.name, token=self._lease.token)
        self._done.append(erasure)

    def _rows(self, erasure: Erasure, reach: Reach) -> Erasure:
        """The rows of one erasure, in one transaction."""
        self._sought.ids |= reach.ids | {hash_of(each.blob) for each in reach.media.values()}
        self._sought.ids |= set(erasure.media)
        self._sought.hashes |= {*reach.media, *reach.examples, *erasure.media}
        self._sought.blobs |= set(erasure.blobs)
        replaced = without_examples(self._ws, reach.named) if reach.named else []
        if erasure.reviewer is not None:
            replaced += without_name(self._ws, erasure.reviewer)
        remove_words(self._ws, reach.ids)
        counted = erasure.model_copy(update={"erased": _sum(erasure.erased, reach.counts)})
        self._lease.renew()
        self._ws.store.erase(
            reach.gone,
            replaced=[*replaced, counted],
            added=tombstones_of(reach, partial(Tombstone.make, erasure)),
            lease=self._lease.name,
            token=self._lease.token,
        )
        return counted

    def _give_up_what_used(self, erasure: Erasure) -> None:
        """A night that died half-way and used what goes cannot go on; the next one starts anew."""
        for environment in self._ws.environments:
            run = unfinished(self._ws, environment)
            if run is not None and run.id in erasure.runs:
                abandon(self._ws, run, "something it had begun to learn from was erased")


def _foretold(ws: Workspace, wanted: Wanted) -> dict[str, Any]:
    moment: datetime = now()
    counts: dict[str, int] = {}
    learnt: set[str] = set()
    ids = pictures_wanted(ws, wanted)
    batches = [ids[start : start + BATCH] for start in range(0, len(ids), BATCH)]
    reaches = (
        [reach_of_reviewer(ws, wanted.reviewer)]
        if wanted.reviewer is not None
        else (reach_of_pictures(ws, batch, moment) for batch in batches)
    )
    for reach in reaches:
        counts = _sum(counts, reach.counts)
        learnt |= runs_that_learnt(ws, reach)[1]
    unanswered = screens_waiting(ws, session=wanted.session, before=wanted.before)
    counts = _sum(counts, {"waiting_screens": len(unanswered)})
    return {
        "dry_run": True,
        "asked": wanted.how,
        "erased": counts,
        "trained_on_it": learnt_from(ws, learnt),
        "open": len(open_erasures(ws)),
    }


def _answer(ws: Workspace, how: str, done: Sequence[Erasure], proof: Proof, resumed: int) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for each in done:
        counts = _sum(counts, each.erased)
    return {
        "dry_run": False,
        "asked": how,
        "erased": counts,
        "erasures": [each.id for each in done],
        "resumed": resumed,
        "trained_on_it": learnt_from(ws, {run for each in done for run in each.learnt}),
        "proof": proof.model_dump(mode="json"),
    }


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    summed = {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}
    return {name: number for name, number in summed.items() if number}
