"""Work of an event loop, taken in pages by code that has none."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from queue import Empty, SimpleQueue
from typing import TypeVar

__all__ = ["in_pages"]

T = TypeVar("T")
TURN_S = 5.0
"An empty page comes after so many seconds without a result."
GATHER_S = 0.25
"Whoever writes pages to a store would otherwise be busy with nothing else."


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def in_pages(work: Callable[[Callable[[T], None]], Awaitable[None]]) -> Iterator[list[T]]:
    """What `work` puts out through its argument, in pages, while it goes on.

    It runs in an event loop and a thread of its own; it is cancelled where nobody takes further pages, and what it
    raises is raised here, after what it had put out.
    """
    ready: SimpleQueue[T | _End] = SimpleQueue()
    loop = asyncio.new_event_loop()
    task = loop.create_task(_reported(work, ready))
    thread = threading.Thread(target=_run, args=(loop, task), name="judging", daemon=True)
    thread.start()
    try:
        ended = False
        while not ended:
            page, end = _page(ready)
            yield page
            ended = end is not None
            if end is not None and end.error is not None:
                raise end.error
    finally:
        with contextlib.suppress(RuntimeError):  # closed: the work is done
            loop.call_soon_threadsafe(task.cancel)
        thread.join()


async def _reported(work: Callable[[Callable[[T], None]], Awaitable[None]], ready: "SimpleQueue[T | _End]") -> None:
    try:
        await work(ready.put)
    except BaseException as error:
        ready.put(_End(error))
        raise
    ready.put(_End(None))


def _run(loop: asyncio.AbstractEventLoop, task: "asyncio.Task[None]") -> None:
    try:
        loop.run_until_complete(asyncio.wait([task]))
        task.cancelled() or task.exception()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def _page(ready: "SimpleQueue[T | _End]") -> tuple[list[T], _End | None]:
    """What comes within GATHER_S of the first result, none where that takes longer than a turn; and the end, where it
    is reached."""
    page: list[T] = []
    until = time.monotonic() + TURN_S
    while True:
        try:
            item = ready.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            return page, None
        if isinstance(item, _End):
            return page, item
        if not page:
            until = time.monotonic() + GATHER_S
        page.append(item)
