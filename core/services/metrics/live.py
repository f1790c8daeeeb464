"""What is asked and answered day by day, and whether questions or answers are other than they were."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from core.evaluation import Drift, category_drift, drift
from core.schema import Example, Media, now
from core.services.workspace import Workspace
from core.store import Answered, DayIndex, DayOfPredictions

__all__ = ["Drifts", "Live", "drifts", "live_days"]

SAMPLE = 1_000
"Newest answers on either side of which inputs are looked at."
COMPARED = 10_000
"Newest answers on either side of which verdicts are looked at."
OTHER = "other"
MOST_ASKS = 200
"Different questions whose kind of work is looked up; rarer ones count as other."


class Live(NamedTuple):
    """Days with predictions, oldest first."""

    days: list[DayOfPredictions]

    @property
    def total(self) -> int:
        return sum(day.predictions for day in self.days)


class Drifts(NamedTuple):
    """How the champion's last days differ from all its earlier ones; None where either side has too few answers."""

    border: date
    before: int
    lately: int
    found: list[Drift] | None


def live_days(ws: Workspace, environment: str, remembered: dict[date, tuple[DayIndex, DayOfPredictions]]) -> Live:
    """Every day's figures; only days that changed since they were remembered are summed again."""
    index = ws.store.prediction_days(environment)
    kept = {each.day for each in index if each.day in remembered and remembered[each.day][0] == each}
    for day in remembered.keys() - kept:
        del remembered[day]
    changed = [each for each in index if each.day not in kept]
    by_day = {each.day: each for each in changed}
    for first, last in _spans([each.day for each in index], set(by_day)):
        for figures in ws.store.days_of_predictions(environment, first, last):
            if figures.day in by_day:
                remembered[figures.day] = (by_day[figures.day], figures)
    return Live([remembered[each.day][1] for each in index if each.day in remembered])


def _spans(days: Sequence[date], changed: set[date]) -> list[tuple[date, date]]:
    """Runs of neighbouring changed days, so that each is one statement."""
    spans: list[tuple[date, date]] = []
    before: date | None = None
    for day in days:
        if day in changed:
            if before is not None and before in changed and spans:
                spans[-1] = (spans[-1][0], day)
            else:
                spans.append((day, day))
        before = day
    return spans


def drifts(ws: Workspace, environment: str) -> Drifts:
    """Of the present champion: what it answers, how sure it is, what kinds of work and screens it is asked about."""
    border = (now() - timedelta(days=ws.settings.notices.drift_days)).date()
    champion = ws.store.champion(environment) or ""
    before = ws.store.answered(environment, champion, before_day=border, limit=COMPARED)
    lately = ws.store.answered(environment, champion, from_day=border, limit=COMPARED)
    sides = [[(each.answer, each.confidence) for each in side] for side in (before, lately)]
    of_verdicts = drift(*sides)
    if of_verdicts is None:
        return Drifts(border, len(before), len(lately), None)
    return Drifts(border, len(before), len(lately), [*of_verdicts, *_of_inputs(ws, environment, before, lately)])


def _of_inputs(ws: Workspace, environment: str, before: Sequence[Answered], lately: Sequence[Answered]) -> list[Drift]:
    wanted = [[each.example for each in side[:SAMPLE]] for side in (before, lately)]
    # What was erased meanwhile is in no sample.
    known = {each.id: each for each in ws.store.find(Example, id={id for side in wanted for id in side})}
    pictures = {each.id: each for each in ws.store.find(Media, id={each.media[0] for each in known.values()})}
    sides = [[known[id] for id in side if id in known and known[id].media[0] in pictures] for side in wanted]
    bound = ws.environment(environment)
    asked = Counter(example.ask for side in sides for example in side)
    example_of = {example.ask: example for side in sides for example in side}
    domain = {ask: bound.domain(example_of[ask]) for ask, _ in asked.most_common(MOST_ASKS)}
    works = [[domain.get(example.ask, OTHER) for example in side] for side in sides]
    sizes = [[_size(pictures[example.media[0]]) for example in side] for side in sides]
    found = (category_drift("kinds of work", *works), category_drift("sizes of screens", *sizes))
    return [each for each in found if each is not None]


def _size(media: Media) -> str:
    return f"{media.width} x {media.height}"
