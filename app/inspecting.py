"""Both stages of group quality control behind the doors: loaded once for the present champion, asked one at a time."""

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from weakref import WeakKeyDictionary, ref

from app.engine import LONGEST_RETRY_S, Engine, EngineBusy
from core.schema import Prediction
from core.services.groups import Inspected, Inspector, Mended, correct_lines, inspect_pictures

__all__ = ["NAME", "Stages", "stages_of"]

NAME = "group_qc"


class Stages:
    """Stage B is the engine's classifier, stage A stands beside it; a new champion brings both of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = ref(engine)  # whoever is looked up by an engine must not keep it alive
        self._turn = threading.Lock()
        self._loaded: Inspector | None = None
        self._places = engine.ws.settings.group_qc.places
        self._free = threading.BoundedSemaphore(self._places)
        self._last_s = 1.0

    def inspect(self, group: str, pictures: Sequence[tuple[str, bytes]], mission: str) -> Inspected:
        """Photos, each with a name, as one group.

        Raises NightshiftError for what is refused, EngineBusy where more groups wait than will be answered soon.
        """
        with self._place(), self._present() as inspector:
            began = time.monotonic()
            found = inspect_pictures(inspector, group, pictures, mission)
            self._last_s = time.monotonic() - began
            return found

    def correct_lines(self, prediction: Prediction, lines: Mapping[int, str], *, reviewer: str) -> Mended:
        """What a person says photos show, by their numbers; the group is answered anew by all of it."""
        with self._present() as inspector:
            return correct_lines(inspector, prediction, lines, reviewer=reviewer)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._free.acquire(blocking=False):
            raise EngineBusy(self._places, min(LONGEST_RETRY_S, max(1, math.ceil(self._places * self._last_s))))
        try:
            yield
        finally:
            self._free.release()

    @contextmanager
    def _present(self) -> Iterator[Inspector]:
        engine = self._engine()
        assert engine is not None
        classifier = engine.classifier(NAME)
        # Stage A is not made for more than one thread either.
        with self._turn:
            if self._loaded is None or self._loaded.classifier.release_id != classifier.release_id:
                if self._loaded is not None:
                    self._loaded.close()
                ws = engine.ws
                self._loaded = Inspector(ws, ws.registry.named(NAME, classifier.release_id), classifier)
            yield self._loaded


_OF_ENGINE: "WeakKeyDictionary[Engine, Stages]" = WeakKeyDictionary()


def stages_of(engine: Engine) -> Stages:
    """The same for every door of one engine."""
    return _OF_ENGINE.setdefault(engine, Stages(engine))
