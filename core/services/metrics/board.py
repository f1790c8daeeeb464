"""All figures of an environment, each computed once for a state of the store."""

import threading
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar, cast

from core.evaluation import Summary
from core.schema import Correction, Decision, Erasure, Evaluation, JudgeAudit, Prediction, Promotion, Record, now
from core.services.groups.monitoring import monitored
from core.services.metrics.champion import Quality, champion_quality
from core.services.metrics.golden import GoldenHistory, golden_history
from core.services.metrics.live import Drifts, Live, drifts, live_days
from core.services.metrics.people import BetweenPeople, JudgeKappa, between_people, judge_kappas
from core.services.metrics.taught import Taught, taught_by
from core.services.workspace import Workspace
from core.store import DayIndex, DayOfPredictions

__all__ = ["Board"]

T = TypeVar("T")
NIGHTLY = (Evaluation, Decision, Promotion, Erasure)
"What the figures of nights follow from."


class Board:
    """What there is to say of an environment. Threads may share one.

    Each figure is remembered under the sequence numbers of the records it follows from, so that looking again costs
    one query for those numbers, and what was appended or erased is never missed.
    """

    def __init__(self, ws: Workspace, environment: str) -> None:
        self.ws, self.environment = ws, environment
        self._known: dict[str, tuple[object, Any]] = {}
        self._summaries: dict[str, Summary] = {}
        self._days: dict[date, tuple[DayIndex, DayOfPredictions]] = {}
        self._lock = threading.RLock()

    def golden(self) -> GoldenHistory:
        """Accuracy on examples that are never trained on, night by night."""
        return self._of("golden", NIGHTLY, lambda: golden_history(self.ws, self.environment, self._summaries))

    def quality(self) -> Quality | None:
        """Confusion, reliability and kinds of work of the champion."""
        return self._of("quality", NIGHTLY, lambda: champion_quality(self.ws, self.environment))

    def live(self) -> Live:
        """Volume, verdicts and response times by day."""
        return self._of("live", (Prediction,), lambda: live_days(self.ws, self.environment, self._days))

    def drifts(self) -> Drifts:
        """Of inputs and of verdicts; looked at again when the first two digits of how many predictions there are move.

        A larger sample of the same is no news, and the sample is what costs.
        """
        ((_, rows),) = self.ws.store.heads(Prediction)
        state = (len(str(rows)), str(rows)[:2], now().date(), self.ws.store.champion(self.environment))
        return self._remembered("drifts", state, lambda: drifts(self.ws, self.environment))

    def people(self) -> list[BetweenPeople]:
        """Agreement between people."""
        return self._of("people", (Correction,), lambda: between_people(self.ws, self.environment))

    def judges(self) -> list[JudgeKappa]:
        """Agreement of judges with people."""
        return self._of("judges", (JudgeAudit,), lambda: judge_kappas(self.ws, self.environment))

    def taught(self) -> Taught | None:
        """Before and after, of the last night that compared; None before the first."""

        def last() -> Taught | None:
            found = self.ws.store.find(Decision, environment=self.environment, limit=1, newest_first=True)
            return taught_by(self.ws, found[0]) if found else None

        return self._of("taught", NIGHTLY, last)

    def missions(self) -> dict[str, Any]:
        """Groups by mission and site, where the examples are groups: passes, drift, false passes. As of the day."""
        state = (self.ws.store.heads(Prediction, Correction, Erasure), now().date())
        return self._remembered("missions", state, lambda: monitored(self.ws))

    def _of(self, name: str, kinds: tuple[type[Record], ...], make: Callable[[], T]) -> T:
        return self._remembered(name, self.ws.store.heads(*kinds), make)

    def _remembered(self, name: str, state: object, make: Callable[[], T]) -> T:
        with self._lock:
            known = self._known.get(name)
            if known is None or known[0] != state:
                known = self._known[name] = (state, make())
            return cast(T, known[1])
