"""Comparisons of releases, which take as long as the golden examples are many: made beside all requests."""

import logging
import threading
from typing import Any

from app.console.language import say
from core.schema import NightshiftError
from core.services import Workspace, compare_releases

__all__ = ["Comparisons"]

logger = logging.getLogger(__name__)


class Comparisons:
    """Holds one release against the champion at a time, in a thread of its own; the last result is kept."""

    def __init__(self, ws: Workspace, environment: str) -> None:
        self._ws, self._environment = ws, environment
        self._lock = threading.Lock()
        self._at_work: str | None = None
        self._last: tuple[str, dict[str, Any] | NightshiftError] | None = None

    def ask(self, release: str) -> None:
        """Has it compared, and returns at once. Raises NightshiftError while another one is."""
        with self._lock:
            if self._at_work == release:
                return
            if self._at_work is not None:
                raise NightshiftError(say("another comparison is at work; ask again when it is done"))
            self._at_work, self._last = release, None
        threading.Thread(target=self._compare, args=(release,), name="comparison", daemon=True).start()

    def is_at_work(self, release: str) -> bool:
        """Whether it is being compared now."""
        with self._lock:
            return self._at_work == release

    def found(self, release: str) -> dict[str, Any] | None:
        """What the comparison found; None where nobody asked for it last. Raises NightshiftError where it failed."""
        with self._lock:
            last = self._last
        if last is None or last[0] != release:
            return None
        if isinstance(last[1], NightshiftError):
            raise last[1]
        return last[1]

    def _compare(self, release: str) -> None:
        outcome: dict[str, Any] | NightshiftError
        try:
            outcome = compare_releases(self._ws, self._environment, "champion", release)
        except NightshiftError as error:
            outcome = error
        except Exception:
            # The page must not wait for ever, and the next one is to be compared.
            logger.exception("the comparison of %s failed", release)
            outcome = NightshiftError("it failed; the log of the server says how")
        with self._lock:
            self._at_work, self._last = None, (release, outcome)
