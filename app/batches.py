"""A thread that works off what waits, several things at once."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["Batches"]

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Batches(Generic[T]):
    """While one batch is worked on the next one gathers, so that batches grow with the load and only with it.

    A thing that could be worked on at once waits for company only if the last batch had some and more is on its way,
    and then for `company_s` seconds at most since it came.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[T]], None],
        *,
        most: int,
        company_s: float = 0.0,
        on_the_way: Callable[[], int] = lambda: 0,
        waited: Callable[[float], None] = lambda _: None,
    ) -> None:
        """`work` must deal with what goes wrong itself. `waited` is told the seconds a batch waited for company."""
        self._work, self._most, self._company_s = work, most, company_s
        self._on_the_way, self._waited = on_the_way, waited
        self._waiting: deque[tuple[float, T]] = deque()
        self._changed = threading.Condition()
        self._last_size = 1
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._started = False

    def put(self, thing: T) -> None:
        """Has it worked on. The thread begins with the first thing."""
        with self._changed:
            self._waiting.append((time.monotonic(), thing))
            if not self._started:
                self._started = True
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Returns once everything that was put is worked off."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._started:
            self._thread.join()

    def __len__(self) -> int:
        return len(self._waiting)

    def _run(self) -> None:
        while batch := self._gathered():
            try:
                self._work(batch)
            except Exception:
                logger.exception("a batch of %d was not worked on", len(batch))

    def _gathered(self) -> list[T]:
        """The next batch; empty once there is nothing left and nothing will come."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            began = time.monotonic()
            if self._waiting:
                self._await_company(until=self._waiting[0][0] + self._company_s)
                self._waited(time.monotonic() - began)
            batch = [self._waiting.popleft()[1] for _ in range(min(self._most, len(self._waiting)))]
            self._last_size = len(batch)
            return batch

    def _await_company(self, until: float) -> None:
        expected = min(self._most, self._last_size)
        while len(self._waiting) < expected and self._on_the_way() > 0 and not self._closing:
            left = until - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(left)
