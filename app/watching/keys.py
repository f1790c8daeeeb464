"""Keys as they are pressed in a terminal, one by one and without Enter; none where nobody is there to press any."""

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["pressed_keys"]


@contextmanager
def pressed_keys(*, wanted: bool) -> Iterator[Callable[[float], str]]:
    """What waits so many seconds for a key, and returns it, or nothing; the terminal is afterwards as it was."""
    if not (wanted and sys.stdin is not None and sys.stdin.isatty()):
        yield _nobody
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield lambda seconds: _key(descriptor, seconds)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _key(descriptor: int, seconds: float) -> str:
    ready, _, _ = select.select([descriptor], [], [], seconds)
    return os.read(descriptor, 1).decode("ascii", "replace").lower() if ready else ""


def _nobody(seconds: float) -> str:
    select.select([], [], [], seconds)
    return ""
