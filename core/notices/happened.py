"""What there is to tell, read off the records that are there anyway.

Nothing announces anything: a notice exists if and only if the record it tells of does, so that none is lost where a
process dies between doing and telling, and none is told of what did not happen.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from pydantic import JsonValue

from core.evaluation.drift import drift
from core.schema import (
    Decision,
    Event,
    Notice,
    Outcome,
    Prediction,
    Promotion,
    Run,
    StageResult,
    content_id,
)
from core.settings import NoticeSettings
from core.store import Store

__all__ = ["drifts", "what_happened"]

NEWEST = 30
"Records of a kind that are looked at: a home makes a few a day."
COMPARED = 5_000
"Predictions that drift is looked for in, the newest ones."
HELD = timedelta(minutes=10)
"A lease that ran out so long ago will not be taken up by whoever had it."
CHAMPIONS_MOVE = {"promote": Event.PROMOTED, "rollback": Event.ROLLED_BACK}


def what_happened(store: Store, environment: str, *, since: datetime, at: datetime) -> list[Notice]:
    """Notices of what happened in an environment from `since` on, as of `at`; the same ones whenever it is asked."""
    return [
        *_promotions(store, environment, since),
        *_refusals(store, environment, since),
        *_nights(store, environment, since, at),
    ]


def _notice(environment: str, event: Event, subject: str, title: str, at: datetime, **detail: JsonValue) -> Notice:
    return Notice(
        id=content_id("notice", environment, event.value, subject),
        at=at,
        environment=environment,
        event=event,
        title=title,
        subject=subject,
        detail=detail,
    )


def _promotions(store: Store, environment: str, since: datetime) -> Iterator[Notice]:
    for change in store.find(Promotion, environment=environment, newest_first=True, limit=NEWEST):
        if change.at >= since and change.action in CHAMPIONS_MOVE:
            event = CHAMPIONS_MOVE[change.action]
            title = f"{environment}: {change.release[:12]} is champion now ({event.value.replace('_', ' ')})"
            yield _notice(
                environment,
                event,
                change.id,
                title,
                change.at,
                release=change.release,
                previous=change.previous,
                reason=change.reason,
                by=change.by,
            )


def _refusals(store: Store, environment: str, since: datetime) -> Iterator[Notice]:
    for decision in store.find(
        Decision, environment=environment, outcome=Outcome.REFUSED, newest_first=True, limit=NEWEST
    ):
        if decision.at >= since:
            title = f"{environment}: the challenger {decision.challenger[:12]} was refused"
            yield _notice(
                environment,
                Event.REFUSED,
                decision.id,
                title,
                decision.at,
                challenger=decision.challenger,
                champion=decision.champion,
                run=decision.run,
                reason=decision.reason,
            )


def _nights(store: Store, environment: str, since: datetime, at: datetime) -> Iterator[Notice]:
    runs = store.find(Run, environment=environment, newest_first=True, limit=NEWEST)
    results = store.find(StageResult, run=[run.id for run in runs]) if runs else []
    by_run: dict[str, dict[str, StageResult]] = {}
    for result in results:
        by_run.setdefault(result.run, {})[result.stage] = result
    for run in runs:
        done = by_run.get(run.id, {})
        if (failed := done.get("abandoned")) and failed.at >= since:
            title = f"{environment}: the night of {run.at.date()} failed"
            yield _notice(environment, Event.NIGHT_FAILED, run.id, title, failed.at, why=failed.result["why"])
        judged = done.get("judge")
        if judged and judged.at >= since and judged.result.get("budget_spent"):
            title = f"{environment}: the judge's budget was spent before the night of {run.at.date()} was judged"
            detail = {name: judged.result.get(name) for name in ("judge", "calls", "cost_usd", "unscored")}
            yield _notice(environment, Event.JUDGE_BUDGET_SPENT, run.id, title, judged.at, **detail)
    yield from _zombie(store, environment, runs[:1], by_run, at)


def _zombie(
    store: Store, environment: str, newest: list[Run], by_run: dict[str, dict[str, StageResult]], at: datetime
) -> Iterator[Notice]:
    """A night whose owner neither went on nor gave up: it died, or hangs, and nothing has gone on with it."""
    ran_out = store.lease_ran_out(f"night/{environment}")
    if ran_out is None or ran_out > at - HELD:
        return
    for run in newest:
        done = by_run.get(run.id, {})
        if not {"report", "abandoned"} & done.keys() and ran_out > run.at:
            stages: list[JsonValue] = [*sorted(done)]
            title = f"{environment}: the night of {run.at.date()} died or hangs; the next one goes on with it"
            # A night that is taken up and dies again is another zombie.
            subject = content_id(run.id, stages, ran_out.isoformat())
            yield _notice(environment, Event.ZOMBIE_RUN, subject, title, at, run=run.id, done=stages)


def drifts(store: Store, environment: str, settings: NoticeSettings, *, at: datetime) -> list[Notice]:
    """Notices of how the champion's answers of the last days differ from all its earlier ones; one a week at most."""
    champion = store.champion(environment)
    if champion is None:
        return []
    said = store.find(
        Prediction, environment=environment, release=champion, from_person=False, newest_first=True, limit=COMPARED
    )
    border = at - timedelta(days=settings.drift_days)
    before = [(str(each.answer), each.confidence) for each in said if each.at < border]
    lately = [(str(each.answer), each.confidence) for each in said if each.at >= border]
    return [
        _notice(
            environment,
            Event.DRIFT,
            content_id(champion, moved.what, *at.isocalendar()[:2]),
            f"{environment}: {moved.what} of the last {settings.drift_days} days differ from before",
            at,
            release=champion,
            what=moved.what,
            stability_index=round(moved.stability_index, 4),
            p=moved.p,
            before=moved.before,
            lately=moved.lately,
        )
        for moved in drift(before, lately) or ()
        if moved.is_there
    ]
