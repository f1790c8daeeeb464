"""One person's way through the review queue: what is shown, what was said, and the way back. Knows nothing of pages."""

import threading
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import JsonValue

from core.schema import ChosenBy, NightshiftError
from core.services import ReviewItem, Workspace, correct, review_queue, undo

__all__ = ["Reviewing", "answered_today"]

FETCHED = 100
LOOKAHEAD = 3
SKIPPED = object()


@dataclass
class _Step:
    item: ReviewItem
    was: object
    "The answer given, or SKIPPED."


@dataclass
class Reviewing:
    """The items before one person. How an item was chosen is remembered here, so that a page cannot misstate it.

    Every method holds the lock: a page may send two keys at once, and the second must not answer an item that nobody
    has seen.
    """

    ws: Workspace
    environment: str
    reviewer: str = "local"
    items: list[ReviewItem] = field(default_factory=list)
    steps: list[_Step] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    done_today: int = 0
    has_more: bool = False
    lock: threading.RLock = field(default_factory=threading.RLock)

    @classmethod
    def begin(cls, ws: Workspace, environment: str, reviewer: str = "local") -> "Reviewing":
        """With the queue as it stands now."""
        session = cls(ws, environment, reviewer)
        session.done_today = answered_today(ws, environment, reviewer)
        session.refill()
        return session

    @property
    def current(self) -> ReviewItem | None:
        """What is before the person, or None when nothing waits."""
        return self.items[0] if self.items else None

    @property
    def coming(self) -> list[ReviewItem]:
        """The next few, so that their pictures can be fetched already."""
        return self.items[1 : 1 + LOOKAHEAD]

    def refill(self) -> None:
        """Asks for the queue again; what was skipped comes back only when nothing else is left."""
        with self.lock:
            fetched = review_queue(self.ws, self.environment, limit=FETCHED, reviewer=self.reviewer)
            self.has_more = len(fetched) == FETCHED
            fresh = [item for item in fetched if item.example.id not in self.skipped]
            if not fresh:
                self.skipped.clear()
            self.items = fresh or fetched

    def answer(self, prediction_id: str, answer: JsonValue, *, reason: str | None = None) -> bool:
        """Stores the answer to the item that is shown; False, and nothing done, where another one is shown by now.

        Raises NightshiftError for an answer that is not one.
        """
        with self.lock:
            item = self.current
            if item is None or item.prediction.id != prediction_id:
                return False
            correct(
                self.ws,
                item.prediction.id,
                answer,
                reason=reason,
                reviewer=self.reviewer,
                chosen_by=item.chosen_by,
                chosen_probability=item.chosen_probability,
            )
            self.done_today += 1
            self._go_on(_Step(item, answer))
            return True

    def skip(self, prediction_id: str) -> bool:
        """Leaves the shown item for later; False where another one is shown by now."""
        with self.lock:
            item = self.current
            if item is None or item.prediction.id != prediction_id:
                return False
            self.skipped.add(item.example.id)
            self._go_on(_Step(item, SKIPPED))
            return True

    def undo(self) -> _Step:
        """Takes the last step back and shows its item again. Raises NightshiftError where there is none."""
        with self.lock:
            if not self.steps:
                raise NightshiftError(
                    "there is nothing to undo here; older answers can be changed on the Classify page"
                )
            step = self.steps[-1]
            if step.was is not SKIPPED:
                undo(self.ws, step.item.prediction.id, reviewer=self.reviewer)
                self.done_today -= 1
            self.steps.pop()
            self.skipped.discard(step.item.example.id)
            self.items = [step.item, *(item for item in self.items if item.example.id != step.item.example.id)]
            return step

    def _go_on(self, step: _Step) -> None:
        self.steps.append(step)
        self.items = self.items[1:]
        if not self.items:
            self.refill()


def answered_today(ws: Workspace, environment: str, reviewer: str) -> int:
    """How many items this person reviewed since local midnight, as their words stand now."""
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return sum(
        label.reviewer == reviewer
        and label.at >= midnight
        and label.chosen_by in (ChosenBy.REVIEW_QUEUE, ChosenBy.RANDOM_AUDIT, ChosenBy.DISAGREEMENT)
        for label in ws.store.labels(environment)
    )
