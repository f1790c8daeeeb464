"""What a server says of itself: one JSON object a line, each with the request it belongs to.

Nothing that was sent is in it: no picture, no description, no reason, no name of a file.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

from core.schema import new_id

__all__ = ["JsonLines", "begin_logging", "request_id", "request_id_of"]

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"The id of the request that is dealt with."
ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,128}")
OWN = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message", "taskName"}


class JsonLines(logging.Formatter):
    """A record as a line: time, level, logger, message, request, what `extra` brought, and the trace of an error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (current := request_id.get()) is not None:
            line["request_id"] = current
        line |= {name: value for name, value in record.__dict__.items() if name not in OWN}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def begin_logging(level: int = logging.WARNING) -> None:
    """Has this process log so, to standard error: what goes wrong, and one line a request."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("app.observing").setLevel(logging.INFO)


def request_id_of(given: str | None) -> str:
    """The id that a client gave its request, if it is one that can be logged; else a new one."""
    return given if given is not None and ACCEPTED.fullmatch(given) else new_id()
