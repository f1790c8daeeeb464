"""Keeps what sets waiting examples apart up to date while the server runs, beside all requests."""

import logging
import threading

from core.schema import NightshiftError
from core.services import Workspace
from core.services.signals import Signals

__all__ = ["keep_signals"]

LOOK_S = 20.0
AT_ONCE = 50
"So many examples between two looks at whether the server stops."

logger = logging.getLogger(__name__)


def keep_signals(ws: Workspace, over: threading.Event) -> None:
    """Looks now and then until `over` is set."""
    each_environment = [
        Signals(ws, name, over.is_set) for name in ws.environments if ws.environment(name).answers is not None
    ]
    while not over.wait(LOOK_S):
        for signals in each_environment:
            _catch_up(signals, over)


def _catch_up(signals: Signals, over: threading.Event) -> None:
    try:
        while not over.is_set() and signals.refresh(AT_ONCE) == AT_ONCE:
            pass
    except NightshiftError as error:
        logger.warning("what sets waiting examples apart was not looked at: %s", error)
    except Exception:
        # The queue by doubt needs none of it: the others are behind until the next look.
        logger.exception("what sets waiting examples apart was not found out")
