"""Who answers in each environment: its champion, and a challenger on trial. Loaded once, swapped while they serve."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image

from app.metrics import Metrics
from app.shadow import OnTrial
from core.reading import Reading, read_image
from core.schema import Example, NightshiftError, Prediction, Release, Unavailable
from core.services import Classifier, Workspace
from core.services.rollout import open_trial

if TYPE_CHECKING:
    from core.policy.base import Arrays

__all__ = ["Seats"]

logger = logging.getLogger(__name__)


class _Served(Classifier):
    """A classifier that one thread at a time may ask: the readers behind it are not made for more."""

    turn: threading.Lock

    def predict(self, examples: Sequence[Example], *, explain: bool = True) -> list[Prediction]:
        with self.turn:
            return super().predict(examples, explain=explain)

    def warm_up(self) -> None:
        """Answers a blank picture, so that the first person does not wait for what happens only once."""
        example = self.environment.blank()
        with self.turn:
            self.answer_logprobs([example], library=_Blank())


@dataclass
class _Seat:
    serving: _Served | None = None
    trial: OnTrial | None = None
    loading: threading.Lock = field(default_factory=threading.Lock)
    complaint: str | None = None


class Seats:
    """The champion of each environment; a new one is loaded and warmed up beside the old one, which answers on."""

    def __init__(self, ws: Workspace, metrics: Metrics) -> None:
        self._ws, self._metrics = ws, metrics
        self._turn = threading.Lock()
        self._seats = {name: _Seat() for name in ws.environments}

    def champion(self, environment: str) -> Classifier:
        """Who serves; loaded now where nobody does yet. Raises Unavailable where none can."""
        seat = self._seat(environment)
        if seat.serving is None:
            with seat.loading:
                if seat.serving is None:
                    self._renew(environment, seat)
        if seat.serving is None:
            raise Unavailable(f"{environment} has no champion; `nightshift doctor` says what to do")
        return seat.serving

    def refuse_unknown(self, environment: str) -> None:
        """Raises NightshiftError for an environment that is not served."""
        self._seat(environment)

    def trial(self, environment: str, champion: Classifier) -> OnTrial | None:
        """The challenger that answers some screens beside this champion, or in its place."""
        trial = self._seat(environment).trial
        return trial if trial is not None and trial.stand.trial.champion == champion.release_id else None

    def serving(self, environment: str) -> str | None:
        """The release id that answers now, or None before the first is loaded. Asks nothing of the store."""
        serving = self._seat(environment).serving
        return serving.release_id if serving else None

    def look(self) -> None:
        """Compares every seat with the store, and swaps who was replaced there. What goes wrong leaves who serves."""
        for name, seat in self._seats.items():
            try:
                with seat.loading:
                    self._renew(name, seat)
                seat.complaint = None
            except NightshiftError as error:
                self._complain(name, seat, str(error))

    def _seat(self, environment: str) -> _Seat:
        seat = self._seats.get(self._ws.environment(environment).name)
        if seat is None:
            raise NightshiftError(f"{environment} is not served")
        return seat

    def _renew(self, environment: str, seat: _Seat) -> None:
        champion = self._ws.store.champion(environment)
        if champion is None:
            raise Unavailable(f"{environment} has no champion; `nightshift doctor` says what to do")
        if seat.serving is None or seat.serving.release_id != champion:
            try:
                seat.serving = self._ready(champion)
            except NightshiftError:
                self._metrics.swaps.labels(environment, "failed").inc()
                raise
            self._metrics.swaps.labels(environment, "done").inc()
        seat.trial = self._on_trial(environment, seat)

    def _ready(self, release_id: str) -> _Served:
        """A release, loaded and warmed up."""
        (release,) = self._ws.store.get_many(Release, [release_id])
        served = _Served.of_release(self._ws, release)
        served.turn = self._turn
        try:
            served.warm_up()
        except (RuntimeError, ValueError, TypeError) as error:
            raise Unavailable(f"release {release_id[:12]} does not answer a blank picture: {error}") from error
        return served

    def _on_trial(self, environment: str, seat: _Seat) -> OnTrial | None:
        """The challenger that answers some screens, in silence or in earnest; it never stands in the champion's way."""
        stand = open_trial(self._ws, environment)
        serving = seat.serving
        if stand is None or stand.stage not in ("shadow", "canary") or serving is None:
            return None
        if serving.release_id != stand.trial.champion:
            return None
        if seat.trial is not None and seat.trial.challenger.release_id == stand.trial.release:
            return OnTrial(stand, seat.trial.challenger)
        try:
            return OnTrial(stand, self._ready(stand.trial.release))
        except NightshiftError as error:
            logger.warning("the challenger %s is not tried: %s", stand.trial.release[:12], error)
            return None

    def _complain(self, environment: str, seat: _Seat, problem: str) -> None:
        """Says it once, and not every second."""
        if seat.complaint == problem:
            return
        seat.complaint = problem
        if seat.serving is None:
            logger.warning("%s is not ready: %s", environment, problem)
        else:
            logger.warning("%s keeps its model %s: %s", environment, seat.serving.release_id[:12], problem)


class _Blank:
    """A library in which every picture is white."""

    def image(self, media: str) -> Image.Image:  # noqa: ARG002
        return Image.new("RGB", (320, 200), "white")

    def reading(self, media: str) -> Reading:
        return read_image(self.image(media))

    def arrays(self, media: str, name: str, make: "Callable[[], Arrays]") -> "Arrays":  # noqa: ARG002
        return make()
