"""Carries notices to their addresses: each until it arrives or was tried often enough, across restarts."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import httpx

from core.notices.happened import drifts, what_happened
from core.notices.webhook import Answer, post
from core.schema import Delivery, NightshiftError, Notice, new_id, now
from core.settings import NoticeSettings, WebhookSettings
from core.store import Lease, LeaseHeld, Store

__all__ = ["Courier", "Standing", "deliver_again", "standing"]

LEASE, LEASE_S = "notices", 60.0
LOOKS_BACK = timedelta(days=1)
"What happened longer ago is no news: a home that is given an address does not tell its whole past."
PAUSES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3600, 10_800, 28_800))
"Between one try and the next, as Standard Webhooks recommends; the last one holds from there on."
REMEMBERED = 1_000
DRIFT_EVERY = timedelta(hours=1)


class State(StrEnum):
    """Where a notice stands with an address."""

    DELIVERED = "delivered"
    WAITING = "waiting"
    GIVEN_UP = "given up"


@dataclass(frozen=True)
class Standing:
    """One notice and one address."""

    notice: Notice
    endpoint: str
    state: State
    tries: int
    due: datetime
    last_error: str | None


def standing(store: Store, settings: NoticeSettings, *, limit: int = REMEMBERED) -> list[Standing]:
    """Where the newest notices stand with each address that wants them, the newest first."""
    notices = store.find(Notice, newest_first=True, limit=limit)
    tries = store.find(Delivery, notice=[notice.id for notice in notices]) if notices else []
    by_pair: dict[tuple[str, str], list[Delivery]] = {}
    for each in tries:
        by_pair.setdefault((each.notice, each.endpoint), []).append(each)
    return [
        _standing(notice, endpoint, by_pair.get((notice.id, endpoint.name), []), settings.tries)
        for notice in notices
        for endpoint in settings.webhooks
        if notice.event in endpoint.events
    ]


def _standing(notice: Notice, endpoint: WebhookSettings, told: Sequence[Delivery], most: int) -> Standing:
    anew = max((place for place, each in enumerate(told) if each.again), default=-1)
    tries = told[anew + 1 :]
    last = tries[-1] if tries else None
    if last is None:
        state, due = State.WAITING, told[anew].at if told else notice.at
    else:
        state = State.DELIVERED if last.ok else State.GIVEN_UP if len(tries) >= most else State.WAITING
        due = last.at + PAUSES[min(len(tries), len(PAUSES)) - 1]
    return Standing(notice, endpoint.name, state, len(tries), due, last.error if last else None)


def deliver_again(store: Store, settings: NoticeSettings, notice: str, endpoint: str | None = None) -> list[Standing]:
    """Has a notice, named by the beginning of its id, told again to one address or all that want it.

    Raises NightshiftError where no such notice or address is there.
    """
    meant = [
        each
        for each in standing(store, settings)
        if each.notice.id.startswith(notice) and endpoint in (None, each.endpoint)
    ]
    if len({each.notice.id for each in meant}) != 1:
        said = "more than one notice begins" if meant else "no notice for such an address begins"
        raise NightshiftError(f"{said} with {notice!r}; `nightshift notices list` shows them")
    store.add(*(Delivery(id=new_id(), notice=each.notice.id, endpoint=each.endpoint, again=True) for each in meant))
    return [each for each in standing(store, settings) if each.notice.id == meant[0].notice.id]


class Courier:
    """Looks for what happened, keeps it, and posts what is due. One at a time: a lease of the store sees to that.

    A post that was made and whose outcome could not be written is made again: every notice arrives at least once, and
    carries an id by which the other side can tell.
    """

    def __init__(
        self,
        store: Store,
        settings: NoticeSettings,
        environments: Sequence[str],
        *,
        tell: Callable[[Notice], None] | None = None,
    ) -> None:
        """`tell` is told of each notice when it is first kept."""
        self._store, self._settings, self._environments, self._tell = store, settings, environments, tell
        self._looked_for_drift: datetime | None = None

    def look(self, at: datetime | None = None) -> list[Delivery]:
        """Keeps what happened, posts what is due as of `at`, and returns how that went.

        Raises NightshiftError where a secret is missing, once everything else has been posted.
        """
        moment = at or now()
        try:
            lease = self._store.lease(LEASE, f"process {os.getpid()} on {socket.gethostname()}", LEASE_S)
        except LeaseHeld:
            return []
        with lease:
            for environment in self._environments:
                self._keep(self._found(environment, moment))
            self._looked_for_drift = moment if self._is_time_for_drift(moment) else self._looked_for_drift
            return self._deliver(lease, moment)

    def _found(self, environment: str, at: datetime) -> list[Notice]:
        found = what_happened(self._store, environment, since=at - LOOKS_BACK, at=at)
        if self._is_time_for_drift(at):
            found += drifts(self._store, environment, self._settings, at=at)
        return found

    def _is_time_for_drift(self, at: datetime) -> bool:
        """It takes reading thousands of predictions."""
        return self._looked_for_drift is None or at - self._looked_for_drift >= DRIFT_EVERY

    def _keep(self, found: Sequence[Notice]) -> None:
        known = {each.id for each in self._store.find(Notice, id=[notice.id for notice in found])} if found else set()
        for notice in found:
            if notice.id not in known and self._store.add(notice) and self._tell is not None:
                self._tell(notice)

    def _deliver(self, lease: Lease, at: datetime) -> list[Delivery]:
        endpoints = {each.name: each for each in self._settings.webhooks}
        made: list[Delivery] = []
        # Who does not take one notice is not asked to take the others now.
        down: set[str] = set()
        unsigned: NightshiftError | None = None
        with httpx.Client(follow_redirects=False, trust_env=False) as client:
            for each in self._due(at):
                if each.endpoint in down:
                    continue
                lease.renew()
                try:
                    answer = post(each.notice, endpoints[each.endpoint], client, timeout_s=self._settings.timeout_s)
                except NightshiftError as error:
                    unsigned = error
                    down.add(each.endpoint)
                    continue
                made.append(_delivery(each, answer, at))
                self._store.add(made[-1])
                if not answer.ok:
                    down.add(each.endpoint)
        if unsigned is not None:
            raise unsigned
        return made

    def _due(self, at: datetime) -> list[Standing]:
        if not self._settings.webhooks:
            return []  # the usual home: nothing to read every few seconds
        waiting = [each for each in standing(self._store, self._settings) if each.state is State.WAITING]
        return sorted((each for each in waiting if each.due <= at), key=lambda each: each.notice.at)


def _delivery(each: Standing, answer: Answer, at: datetime) -> Delivery:
    return Delivery(
        id=new_id(),
        at=at,
        notice=each.notice.id,
        endpoint=each.endpoint,
        ok=answer.ok,
        status=answer.status,
        error=answer.error,
    )
