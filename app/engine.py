"""The model behind the doors: pictures come in from many sides, are read in parallel and answered in batches."""

import logging
import math
import os
import statistics
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from opentelemetry import context
from opentelemetry.context import Context

from app.batches import Batches
from app.metrics import Metrics
from app.seats import Seats
from app.shadow import OnTrial, Shadows
from app.tracing import stage_span
from core.schema import Example, NightshiftError, Prediction, new_id
from core.services import Classifier, Workspace
from core.services.classify import ERASED_MEANWHILE, log_predictions, take_in
from core.services.rollout import lot

__all__ = ["CHECK_EVERY_S", "LONGEST_RETRY_S", "DeadlinePassed", "Engine", "EngineBusy", "EngineStopping", "Wanted"]

logger = logging.getLogger(__name__)

CHECK_EVERY_S = 1.0
READERS = max(2, min(8, os.cpu_count() or 1))
"Pictures that are taken in and read at a time: reading one keeps all cores busy only some of the time."
REMEMBERED = 1000
"Answers over which latency and pace are known."
PACE_OVER_S = 60.0
LONGEST_RETRY_S = 60
DRAIN_S = 2.0
"What has not been begun so long after a stop was asked for is given up."
SOURCE = "api"


class EngineBusy(NightshiftError):
    """More pictures are under way than will be answered soon."""

    def __init__(self, places: int, retry_after_s: int) -> None:
        super().__init__(f"all {places} places are taken; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class EngineStopping(NightshiftError):
    """The server stops, and takes nothing on."""

    def __init__(self) -> None:
        super().__init__("the server is stopping; try again in a moment")


class DeadlinePassed(NightshiftError):
    """Nothing was stored of what was asked, and nothing will be done about it any more."""

    def __init__(self, given_s: float) -> None:
        super().__init__(f"there was no answer within the {given_s:g} s that the request had; nothing was stored")


@dataclass(frozen=True)
class Wanted:
    """A picture as somebody sent it, and what it is held against."""

    data: bytes
    ask: str
    name: str | None = None
    session: str | None = None


@dataclass(frozen=True, eq=False)
class _Asked:
    """A picture on its way."""

    environment: str
    wanted: Wanted
    given_s: float
    began: float
    "By `time.monotonic`."
    context: Context
    answer: "Future[Prediction]"

    def is_over(self) -> bool:
        """Whether nobody waits for the answer any more."""
        if not self.answer.done() and time.monotonic() - self.began > self.given_s:
            self.fail(DeadlinePassed(self.given_s))
        return self.answer.done()

    def fail(self, error: BaseException) -> None:
        # Whoever asked may have gone a moment ago.
        with suppress(InvalidStateError):
            self.answer.set_exception(error)


@dataclass(frozen=True, eq=False)
class _Read:
    """A picture that is taken in and read, and who answers it."""

    asked: _Asked
    example: Example
    champion: Classifier
    trial: OnTrial | None
    classifier: Classifier


@dataclass(frozen=True, eq=False)
class _Answered:
    """A picture with its verdict, which nobody knows of yet."""

    read: _Read
    prediction: Prediction


class Engine:
    """Answers pictures with the present champion. Any number of threads may call it.

    A picture takes a place, is read by one of a few threads, answered together with others by one call of a model, and
    logged together with others in one transaction. It is answered once that is committed, so that no answer is ever
    lost. It keeps the model that it was read for.
    """

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.metrics = Metrics(ws)
        self.seats = Seats(ws, self.metrics)
        self._settings = ws.settings.engine
        self._shadows = Shadows(ws)
        self._lock = threading.Lock()
        self._taken = 0
        self._reading = 0
        self._done: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._over = threading.Event()
        self._give_up_at = math.inf
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="reading")
        self._verdicts = Batches(
            "verdicts",
            self._answer,
            most=self._settings.batch,
            company_s=self._settings.company_ms / 1000,
            on_the_way=lambda: self._reading,
            waited=self.metrics.company_seconds.observe,
        )
        self._log = Batches("predictions", self._keep, most=self._settings.batch)
        self._watcher = threading.Thread(target=self._watch, name="champions", daemon=True)
        self._show_places()

    def classify(
        self,
        environment: str,
        data: bytes,
        ask: str,
        *,
        name: str | None = None,
        session: str | None = None,
        deadline_s: float | None = None,
    ) -> Prediction:
        """A stored prediction. Raises what `submit` does, and NightshiftError for what is refused."""
        (future,) = self.submit(environment, [Wanted(data, ask, name, session)], deadline_s=deadline_s)
        given_s = deadline_s or self._settings.deadline_s
        try:
            return future.result(timeout=given_s)
        except TimeoutError:
            if future.cancel():
                raise DeadlinePassed(given_s) from None
            return future.result()

    def submit(
        self, environment: str, wanted: Sequence[Wanted], *, deadline_s: float | None = None
    ) -> list["Future[Prediction]"]:
        """Takes pictures on, all of them or none; each future holds a stored prediction, or why there is none.

        A future that is cancelled in time stores nothing. Raises NightshiftError for an environment that is not served,
        EngineBusy where there are too few places, EngineStopping at the end.
        """
        self.seats.refuse_unknown(environment)
        given_s = deadline_s or self._settings.deadline_s
        self._take(len(wanted))
        asked = [
            _Asked(environment, each, given_s, time.monotonic(), context.get_current(), Future()) for each in wanted
        ]
        for each in asked:
            each.answer.add_done_callback(self._leave)
            try:
                self._readers.submit(self._read, each)
            except RuntimeError:
                each.fail(EngineStopping())
        return [each.answer for each in asked]

    def classifier(self, environment: str) -> Classifier:
        """The champion; loaded where it is not yet. Raises NightshiftError where there is none."""
        return self.seats.champion(environment)

    def serving(self, environment: str) -> str | None:
        """The release id that answers now, or None before the first is loaded. Asks nothing of the store."""
        return self.seats.serving(environment)

    def latency_ms(self) -> dict[str, float | int | None]:
        """Median and 95th percentile, in milliseconds, of the last answers."""
        with self._lock:
            taken = sorted(latency for _, latency in self._done)
        if not taken:
            return {"n": 0, "p50": None, "p95": None}
        return {"n": len(taken), "p50": statistics.median(taken), "p95": taken[int(0.95 * (len(taken) - 1))]}

    def start(self) -> None:
        """Loads every champion in the background, and from then on whoever takes its place, within about a second."""
        self._watcher.start()

    def _watch(self) -> None:
        while True:
            try:
                self.seats.look()
            except Exception:
                logger.exception("the champions were not looked at")
            if self._over.wait(CHECK_EVERY_S):
                return

    def close(self) -> None:
        """Takes nothing on any more; returns once what was begun is answered and logged."""
        self._over.set()
        self._give_up_at = time.monotonic() + DRAIN_S
        self._readers.shutdown()
        self._verdicts.close()
        self._log.close()
        if self._watcher.is_alive():
            self._watcher.join()

    def _take(self, places: int) -> None:
        if self._over.is_set():
            raise EngineStopping
        if places > self._settings.places:
            raise NightshiftError(
                f"{places} pictures at once are more than this server has places for (engine.places is "
                f"{self._settings.places}); send fewer at a time"
            )
        with self._lock:
            if self._taken + places > self._settings.places:
                self.metrics.refused.labels("busy").inc(places)
                raise EngineBusy(self._settings.places, self._retry_after_s())
            self._taken += places

    def _leave(self, answer: "Future[Prediction]") -> None:
        with self._lock:
            self._taken -= 1
        if answer.cancelled() or isinstance(answer.exception(), DeadlinePassed):
            self.metrics.refused.labels("deadline").inc()

    def _retry_after_s(self) -> int:
        """Seconds in which half of what is under way will be answered, at the pace of the last minute."""
        now = time.monotonic()
        lately = [at for at, _ in self._done if now - at < PACE_OVER_S]
        if not lately:
            return 1
        per_s = len(lately) / max(now - lately[0], 0.1)
        return max(1, min(LONGEST_RETRY_S, math.ceil(self._taken / 2 / per_s)))

    def _read(self, asked: _Asked) -> None:
        """The first stage, in one of several threads: the picture is taken in and read."""
        if time.monotonic() > self._give_up_at:
            asked.fail(EngineStopping())
        if asked.is_over():
            return
        began_ns = time.time_ns()
        with self._lock:
            self._reading += 1
        try:
            read = self._taken_in(asked)
        except BaseException as error:
            asked.fail(error)
            return
        finally:
            with self._lock:
                self._reading -= 1
        self._observe("reading", [asked], began_ns)
        self._verdicts.put(read)

    def _taken_in(self, asked: _Asked) -> _Read:
        champion = self.seats.champion(asked.environment)
        trial = self.seats.trial(asked.environment, champion)
        environment, wanted = champion.environment, asked.wanted
        environment.example(("unchecked",), wanted.ask, cluster="")
        media = take_in(self.ws, wanted.data, name=wanted.name, source=SOURCE, session=wanted.session)
        example = environment.example((media.id,), wanted.ask, cluster=self.ws.clusters.cluster(media.id))
        classifier = _routed(champion, trial, example)
        if classifier.policy.reads:
            self.ws.library.reading(media.id)
        return _Read(asked, example, champion, trial, classifier)

    def _answer(self, batch: list[_Read]) -> None:
        """The second stage: one call of the model for all that one release answers."""
        waiting = [read for read in batch if not read.asked.is_over()]
        for classifier, reads in _by_classifier(waiting):
            began_ns = time.time_ns()
            try:
                # Several may ask the same of one screen.
                examples = list({read.example.id: read.example for read in reads}.values())
                predicted = {said.example: said for said in classifier.predict(examples)}
            except BaseException as error:
                for read in reads:
                    read.asked.fail(error)
                continue
            self._observe("verdict", [read.asked for read in reads], began_ns)
            for read in reads:
                self._log.put(_Answered(read, _own(read, predicted[read.example.id])))

    def _keep(self, batch: list[_Answered]) -> None:
        """The last stage: one transaction for all; only then is anything answered."""
        # From here on nobody can go: what is stored is answered.
        kept = [
            each
            for each in batch
            if not each.read.asked.is_over() and each.read.asked.answer.set_running_or_notify_cancel()
        ]
        if not kept:
            return
        began_ns = time.time_ns()
        try:
            logged = log_predictions(self.ws, [(each.read.example, each.prediction) for each in kept])
        except BaseException as error:
            for each in kept:
                each.read.asked.fail(error)
            return
        self._observe("log", [each.read.asked for each in kept], began_ns)
        for each, prediction in zip(kept, logged, strict=True):
            if prediction is None:
                each.read.asked.fail(NightshiftError(ERASED_MEANWHILE))
                continue
            try:
                self._count(each.read, prediction)
            except Exception:
                # It is stored, and neither it nor what comes behind it can be called off any more.
                logger.exception("an answer was not counted")
            each.read.asked.answer.set_result(prediction)

    def _count(self, read: _Read, prediction: Prediction) -> None:
        """Tells metrics and a challenger on trial of an answer."""
        with self._lock:
            self._done.append((time.monotonic(), prediction.latency_ms))
        by = "person" if prediction.from_person else "model"
        # Free text would make a series of every answer.
        verdict = prediction.answer if prediction.answer in (read.example.answers or ()) else "other"
        self.metrics.verdicts.labels(prediction.environment, verdict, by).inc()
        on_champion = prediction.release == read.champion.release_id
        if read.trial is not None and on_champion and not prediction.from_person:
            self._shadows.consider(read.trial, read.champion, prediction)

    def _observe(self, stage: str, asked: Sequence[_Asked], began_ns: int) -> None:
        """Tells metrics and traces of a stage that ended, before what it was for goes on or is answered."""
        ended_ns = time.time_ns()
        try:
            self.metrics.stage_seconds.labels(stage).observe((ended_ns - began_ns) / 1e9)
            self.metrics.batch_size.labels(stage).observe(len(asked))
            stage_span(stage, (each.context for each in asked), began_ns, ended_ns, batch=len(asked))
        except Exception:
            # Nobody waits in vain for an answer because it could not be counted.
            logger.exception("a stage was not counted")

    def _show_places(self) -> None:
        self.metrics.places.set(self._settings.places)
        self.metrics.places_taken.set_function(lambda: self._taken)
        for stage, batches in (("verdict", self._verdicts), ("log", self._log)):
            self.metrics.waiting.labels(stage).set_function(batches.__len__)


def _routed(champion: Classifier, trial: OnTrial | None, example: Example) -> Classifier:
    if trial is None or trial.stand.stage != "canary":
        return champion
    falls_on_canary = lot(trial.stand.trial, example.id) < trial.stand.settings.canary_share
    return trial.challenger if falls_on_canary else champion


def _own(read: _Read, said: Prediction) -> Prediction:
    """A prediction of one's own from that of the example."""
    took_ms = (time.monotonic() - read.asked.began) * 1000
    return said.model_copy(
        update={"id": new_id(), "latency_ms": round(took_ms, 1), "session": read.asked.wanted.session}
    )


def _by_classifier(reads: Sequence[_Read]) -> list[tuple[Classifier, list[_Read]]]:
    groups: dict[int, tuple[Classifier, list[_Read]]] = {}
    for read in reads:
        groups.setdefault(id(read.classifier), (read.classifier, []))[1].append(read)
    return list(groups.values())
