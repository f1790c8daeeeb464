"""The judge's opinion on a verdict, asked for by a person and got by a thread of its own: no page waits for a judge."""

import logging
import queue
import threading
from functools import cached_property
from typing import NamedTuple

from core.judge import Judge
from core.schema import Judgment, NightshiftError
from core.services import Workspace, judge_prediction, judged_before
from core.services.judging import teacher_of

__all__ = ["Opinion", "Opinions"]

logger = logging.getLogger(__name__)

MOST_WAITING = 20
MOST_REMEMBERED = 500


class Opinion(NamedTuple):
    """How far an opinion is: waited for, here, or not to be had."""

    waits: bool = False
    judgment: Judgment | None = None
    problem: str | None = None


class Opinions:
    """Asks one judge one thing after the other. What it says is in the store; what is waited for is in memory alone."""

    def __init__(self, ws: Workspace, environment: str) -> None:
        self._ws, self._environment = ws, environment
        self._waiting: queue.Queue[str] = queue.Queue(MOST_WAITING)
        self._known: dict[str, Opinion] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @cached_property
    def _teacher(self) -> Judge:
        return teacher_of(self._ws, self._environment)

    def ask(self, prediction_id: str) -> Opinion:
        """Has the judge asked, and returns at once. Raises NightshiftError for an id that is no prediction."""
        try:
            before = judged_before(self._ws, self._teacher, prediction_id)
        except NightshiftError as error:
            return Opinion(problem=str(error))
        if before is not None:
            return Opinion(judgment=before)
        with self._lock:
            if self._known.get(prediction_id, Opinion()).waits:
                return self._known[prediction_id]
            try:
                self._waiting.put_nowait(prediction_id)
            except queue.Full:
                return Opinion(problem=f"{MOST_WAITING} others are waiting for the judge; ask again in a moment")
            self._remember(prediction_id, Opinion(waits=True))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="opinions", daemon=True)
                self._thread.start()
        return Opinion(waits=True)

    def look(self, prediction_id: str) -> Opinion:
        """How far it is; neither waiting nor anything else where nobody asked."""
        with self._lock:
            return self._known.get(prediction_id, Opinion())

    def settle(self) -> None:
        """Waits until everything that was asked has its answer."""
        self._waiting.join()

    def _remember(self, prediction_id: str, opinion: Opinion) -> None:
        self._known.pop(prediction_id, None)
        self._known[prediction_id] = opinion
        while len(self._known) > MOST_REMEMBERED:
            self._known.pop(next(iter(self._known)))

    def _work(self) -> None:
        while True:
            asked = self._waiting.get()
            try:
                opinion = Opinion(judgment=judge_prediction(self._ws, self._teacher, asked))
            except NightshiftError as error:
                opinion = Opinion(problem=str(error))
            except Exception:
                # The page must not wait for ever, and the next one gets its answer.
                logger.exception("the judge failed on %s", asked)
                opinion = Opinion(problem="it failed; the log of the server says how")
            with self._lock:
                self._remember(asked, opinion)
            self._waiting.task_done()
