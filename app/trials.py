"""Moves a challenger's trial on: a canary is reverted, and a deadline kept, whether or not anybody looks."""

import logging
import threading

from core.schema import NightshiftError
from core.services import Workspace, advance

__all__ = ["Trials"]

LOOK_S = 5.0

logger = logging.getLogger(__name__)


class Trials:
    """Looks now and then, for as long as this process lives."""

    def __init__(self, ws: Workspace, environment: str) -> None:
        self._ws, self._environment = ws, environment

    def start(self) -> None:
        """Begins to look."""
        threading.Thread(target=self._watch, name=f"trials of {self._environment}", daemon=True).start()

    def _watch(self) -> None:
        stopped = threading.Event()
        while not stopped.wait(LOOK_S):
            try:
                advance(self._ws, self._environment)
            except NightshiftError as error:
                logger.warning("the trial was not moved on yet: %s", error)
            except Exception:
                # Nobody would see that this thread is gone, and no canary would be reverted any more.
                logger.exception("the trial was not moved on yet")
