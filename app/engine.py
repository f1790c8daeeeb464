"""The model behind the doors: the champion of each environment, loaded once, swapped while it serves."""

import logging
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image

from app.shadow import OnTrial, Shadows
from core.environments import environments
from core.reading import Reading, read_image
from core.schema import Example, NightshiftError, Prediction, Release
from core.services import Classifier, Workspace, classify
from core.services.rollout import lot, open_trial

if TYPE_CHECKING:
    from core.policy.base import Arrays

__all__ = ["Engine", "EngineBusy"]

logger = logging.getLogger(__name__)

CHECK_EVERY_S = 1.0
MAX_WAITING = 32
REMEMBERED_LATENCIES = 1000


class EngineBusy(NightshiftError):
    """More requests are waiting than will be answered soon."""


class _Served(Classifier):
    """A classifier that one thread at a time may ask: the readers behind it are not made for more."""

    turn: threading.Lock

    def predict(self, examples: Sequence[Example], *, explain: bool = True) -> list[Prediction]:
        with self.turn:
            return super().predict(examples, explain=explain)


@dataclass
class _Seat:
    """Who serves an environment, and when that was last compared with the store."""

    serving: _Served | None = None
    trial: OnTrial | None = None
    checked_at: float = float("-inf")
    checking: threading.Lock = field(default_factory=threading.Lock)
    loading: threading.Lock = field(default_factory=threading.Lock)


class Engine:
    """Answers pictures with the present champion. Any number of threads may call it.

    A new champion is loaded beside the old one, which goes on answering until the new one stands; a request keeps the
    model it began with.
    """

    def __init__(self, ws: Workspace, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.ws = ws
        self._clock = clock
        self._turn = threading.Lock()
        self._seats = {name: _Seat() for name in environments()}
        self._places = threading.BoundedSemaphore(MAX_WAITING)
        self._shadows = Shadows(ws)
        self._latencies_ms: deque[float] = deque(maxlen=REMEMBERED_LATENCIES)

    def classify(
        self, environment: str, data: bytes, ask: str, *, name: str | None = None, session: str | None = None
    ) -> Prediction:
        """A stored prediction. Raises NightshiftError for what is refused, EngineBusy when too many are waiting."""
        with self._place():
            champion = self.classifier(environment)
            trial = self._seats[environment].trial
            route = partial(self._route, champion, trial)
            answered = classify(self.ws, champion, data, ask, name=name, source="api", session=session, route=route)
        self._latencies_ms.append(answered.latency_ms)
        if trial is not None and answered.release == champion.release_id and not answered.from_person:
            self._shadows.consider(trial, champion, answered)
        return answered

    def classifier(self, environment: str) -> Classifier:
        """The champion, compared with the store at most once a second. Raises NightshiftError where there is none."""
        seat = self._seats.get(self.ws.environment(environment).name)
        if seat is None:
            raise NightshiftError(f"{environment} is not served")
        if seat.serving is None:
            with seat.loading:
                return seat.serving or self._renew(environment, seat)
        if self._clock() - seat.checked_at >= CHECK_EVERY_S and seat.checking.acquire(blocking=False):
            try:
                return self._renew(environment, seat)
            except NightshiftError as error:
                # A store that is busy, or a champion that cannot be loaded, is no reason to stop answering.
                logger.warning("%s keeps its model %s: %s", environment, seat.serving.release_id[:12], error)
                seat.checked_at = self._clock()
            finally:
                seat.checking.release()
        return seat.serving

    @staticmethod
    def _route(champion: Classifier, trial: OnTrial | None, example: Example) -> Classifier:
        if trial is None or trial.stand.stage != "canary":
            return champion
        falls_on_canary = lot(trial.stand.trial, example.id) < trial.stand.settings.canary_share
        return trial.challenger if falls_on_canary else champion

    def serving(self, environment: str) -> str | None:
        """The release id that answers now, or None before the first is loaded. Asks nothing of the store."""
        seat = self._seats[environment]
        return seat.serving.release_id if seat.serving else None

    def latency_ms(self) -> dict[str, float | int | None]:
        """Median and 95th percentile, in milliseconds, of the last answers."""
        taken = sorted(self._latencies_ms)
        if not taken:
            return {"n": 0, "p50": None, "p95": None}
        return {"n": len(taken), "p50": statistics.median(taken), "p95": taken[int(0.95 * (len(taken) - 1))]}

    def warm_up(self) -> None:
        """Loads every champion and lets it see a blank picture, so that the first person does not wait for that."""
        for name in self._seats:
            classifier = self.classifier(name)
            example = classifier.environment.example(("blank",), "Warm up.", cluster="")
            with self._turn:
                classifier.answer_logprobs([example], library=_Blank())

    def _renew(self, environment: str, seat: _Seat) -> _Served:
        champion = self.ws.registry.champion(environment)
        if champion is None:
            raise NightshiftError(f"{environment} has no champion; `nightshift doctor` says what to do")
        if seat.serving is None or seat.serving.release_id != champion.id:
            served = _Served.of_release(self.ws, champion)
            served.turn = self._turn
            seat.serving = served
        seat.trial = self._on_trial(environment, seat)
        seat.checked_at = self._clock()
        return seat.serving

    def _on_trial(self, environment: str, seat: _Seat) -> OnTrial | None:
        """The challenger that answers some screens, in silence or in earnest; it never stands in the champion's way."""
        stand = open_trial(self.ws, environment)
        serving = seat.serving
        if stand is None or stand.stage not in ("shadow", "canary") or serving is None:
            return None
        if serving.release_id != stand.trial.champion:
            return None
        if seat.trial is not None and seat.trial.challenger.release_id == stand.trial.release:
            return OnTrial(stand, seat.trial.challenger)
        try:
            (release,) = self.ws.store.get_many(Release, [stand.trial.release])
            challenger = _Served.of_release(self.ws, release)
        except NightshiftError as error:
            logger.warning("the challenger %s is not tried: %s", stand.trial.release[:12], error)
            return None
        challenger.turn = self._turn
        return OnTrial(stand, challenger)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise EngineBusy(f"{MAX_WAITING} requests are waiting already; try again in a moment")
        try:
            yield
        finally:
            self._places.release()


class _Blank:
    """A library in which every picture is white."""

    def image(self, media: str) -> Image.Image:  # noqa: ARG002
        return Image.new("RGB", (320, 200), "white")

    def reading(self, media: str) -> Reading:
        return read_image(self.image(media))

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":  # noqa: ARG002
        return make()
