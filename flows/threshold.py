"""A night also starts when people have said enough that no night has heard yet."""

import logging
import threading

from core.schema import NightshiftError
from core.services import Workspace, corrections_waiting, nights
from flows.client import start_night

__all__ = ["Threshold"]

LOOK_S = 15.0

logger = logging.getLogger(__name__)


class Threshold:
    """Asks for a night each time the words that no night has heard reach `night.after_corrections`.

    What was heard is the newest night's own snapshot, so that a restart neither forgets nor repeats.
    """

    def __init__(self, ws: Workspace, environment: str) -> None:
        self._ws, self._environment = ws, environment
        self._asked: tuple[object, int] = (None, 0)

    def start(self) -> None:
        """Looks now and then, for as long as this process lives."""
        threading.Thread(target=self._watch, name=f"threshold of {self._environment}", daemon=True).start()

    def look(self) -> str | None:
        """Asks for a night if it is time; returns its flow run. Raises NightshiftError where that fails."""
        wanted = self._ws.settings.night.after_corrections
        waiting = corrections_waiting(self._ws, self._environment)
        newest = next(((night["run_id"], night["state"]) for night in nights(self._ws, self._environment, 1)), None)
        # A night that was asked for and did not come, or failed, is not asked for again before as many words more.
        already = self._asked[1] if self._asked[0] == newest else 0
        if waiting - already < wanted:
            return None
        flow_run = start_night(self._ws.home, self._environment, trigger=f"{waiting} new corrections")
        self._asked = (newest, waiting)
        return flow_run

    def _watch(self) -> None:
        stopped = threading.Event()
        while not stopped.wait(LOOK_S):
            try:
                flow_run = self.look()
            except NightshiftError as error:
                logger.warning("no night could be asked for after new corrections: %s", error)
            except Exception:
                # Nobody would see that this thread is gone, and nights would no longer come by themselves.
                logger.exception("no night could be asked for after new corrections")
            else:
                if flow_run is not None:
                    logger.info("asked for a night after new corrections: flow run %s", flow_run)
