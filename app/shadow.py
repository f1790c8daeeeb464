"""A challenger that answers a share of live screens in silence, after the person has had the champion's answer."""

import logging
import queue
import threading
import time
from dataclasses import dataclass

from core.schema import Example, NightshiftError, Prediction, ShadowAnswer, content_id
from core.services import Classifier, Workspace
from core.services.rollout import Stand, lot

__all__ = ["OnTrial", "Shadows"]

logger = logging.getLogger(__name__)

MOST_WAITING = 100
"Screens that wait for a silent answer; more are left out, so that live answers never wait for silent ones."


@dataclass(frozen=True)
class OnTrial:
    """A trial in its shadow or canary, and the challenger as it is loaded."""

    stand: Stand
    challenger: Classifier


class Shadows:
    """One thread that asks challengers what champions were asked, and keeps what they said apart."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._waiting: queue.Queue[tuple[OnTrial, Classifier, Prediction]] = queue.Queue(MOST_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def consider(self, on: OnTrial, champion: Classifier, live: Prediction) -> None:
        """Has the challenger answer the same screen, if it is one of its share. Returns at once."""
        share = on.stand.settings.shadow_share
        if on.stand.stage != "shadow" or lot(on.stand.trial, live.example) >= share:
            return
        try:
            self._waiting.put_nowait((on, champion, live))
        except queue.Full:
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="shadow", daemon=True)
                self._thread.start()

    def settle(self) -> None:
        """Waits until every screen so far has its silent answer."""
        self._waiting.join()

    def _work(self) -> None:
        while True:
            asked = self._waiting.get()
            try:
                self._answer(*asked)
            except NightshiftError as error:
                logger.warning("a silent answer was not kept: %s", error)
            except Exception:
                # A challenger that fails does so in silence too: it lacks an answer, and the log says why.
                logger.exception("the challenger failed on a screen")
            finally:
                self._waiting.task_done()

    def _answer(self, on: OnTrial, champion: Classifier, live: Prediction) -> None:
        examples = self._ws.store.get_many(Example, [live.example])
        said, seconds = {}, {}
        for name, classifier in (("champion", champion), ("challenger", on.challenger)):
            started = time.perf_counter()
            (said[name],) = classifier.predict(examples, explain=False)
            seconds[name] = time.perf_counter() - started
        self._ws.store.add(
            ShadowAnswer(
                id=content_id("shadow", on.stand.trial.id, live.example),
                environment=live.environment,
                trial=on.stand.trial.id,
                prediction=live.id,
                example=live.example,
                release=on.challenger.release_id,
                answer=said["challenger"].answer,
                probability=said["challenger"].probability,
                agrees=said["challenger"].answer == live.answer,
                latency_ms=round(seconds["challenger"] * 1000, 2),
                champion_latency_ms=round(seconds["champion"] * 1000, 2),
            )
        )
