"""Notices go out for as long as nights are served."""

import logging
import threading
from collections.abc import Sequence

from core.notices import Courier
from core.schema import NightshiftError
from core.settings import Settings
from core.store import open_store
from flows.automations import emit

__all__ = ["start_courier"]

LOOK_S = 10.0

logger = logging.getLogger(__name__)


def start_courier(settings: Settings, environments: Sequence[str]) -> threading.Thread:
    """Looks now and then for what happened and posts what is due, for as long as this process lives."""
    courier = Courier(open_store(settings.store_url), settings.notices, environments, tell=emit)
    thread = threading.Thread(target=_watch, args=(courier,), name="courier", daemon=True)
    thread.start()
    return thread


def _watch(courier: Courier) -> None:
    stopped = threading.Event()
    said = ""
    while not stopped.wait(LOOK_S):
        try:
            for delivery in courier.look():
                if not delivery.ok:
                    logger.warning("webhook %r was not told: %s", delivery.endpoint, delivery.error)
            said = ""
        except NightshiftError as error:
            if str(error) != said:  # the same every ten seconds would fill the log
                logger.warning("notices could not go out: %s", error)
            said = str(error)
        except Exception:
            # Nobody would see that this thread is gone.
            logger.exception("notices could not go out")
