"""What can go wrong with a call, and what follows from it."""

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from enum import StrEnum

__all__ = ["Fault", "FaultKind", "fault_of_status", "shortened"]

QUOTED_CHARACTERS = 200
BUSY = 429
LOCKED_OUT = (401, 402, 403, 404)
PASSING = (408, 409, 425)
FILTERED = "content_filter"


class FaultKind(StrEnum):
    """What a fault means for the next call."""

    BUSY = "busy"
    "The server asks to wait: tried again, and no sign that it is broken."
    FAILING = "failing"
    "Time-outs, broken connections, errors of the server: tried again, until it is taken for down."
    NOT_TAKEN = "not taken"
    "The server does not take this request: never tried again in the same words."
    LOCKED_OUT = "locked out"
    "No key, no credit, no such model: nothing will succeed until somebody mends it."
    STOPPED = "stopped"
    "Not asked at all, or not to the end: a budget, a deadline, a server taken for down."
    ANSWERED = "answered"
    "The model did answer, with a refusal or without a clear verdict: it would again."


class Fault(Exception):
    """A call that came to nothing. The message is the reason that a judgment is left unscored."""

    def __init__(
        self, kind: FaultKind, reason: str, *, retry_after_s: float | None = None, parameter: str | None = None
    ) -> None:
        super().__init__(reason)
        self.kind = kind
        self.retry_after_s = retry_after_s
        "What the server asked to be given."
        self.parameter = parameter
        "The part of the request that the server says it does not take."

    @property
    def may_pass(self) -> bool:
        """Whether the same call may succeed in a while."""
        return self.kind in (FaultKind.BUSY, FaultKind.FAILING)


def fault_of_status(status: int, headers: Mapping[str, str], body: str) -> Fault:
    """The fault that an HTTP status other than success stands for."""
    code, parameter = _error_of(body)
    if status == BUSY:
        return Fault(FaultKind.BUSY, "status 429: too many requests", retry_after_s=_retry_after_s(headers))
    if status in LOCKED_OUT:
        # Some servers quote the key they refuse: the body is left out.
        return Fault(FaultKind.LOCKED_OUT, f"status {status}: the server refuses the key, or has no such model")
    if status in PASSING or status >= 500:
        reason = f"status {status}: {shortened(body)}"
        return Fault(FaultKind.FAILING, reason, retry_after_s=_retry_after_s(headers))
    if code == FILTERED:
        return Fault(FaultKind.ANSWERED, "refused by the server's content filter")
    return Fault(FaultKind.NOT_TAKEN, f"status {status}: {shortened(body)}", parameter=parameter)


def shortened(text: str) -> str:
    """One line of what a server said."""
    line = " ".join(text.split())
    return line if len(line) <= QUOTED_CHARACTERS else f"{line[:QUOTED_CHARACTERS]}..."


def _error_of(body: str) -> tuple[str | None, str | None]:
    try:
        error = json.loads(body)["error"]
        code, parameter = error.get("code"), error.get("param")
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None, None
    return code if isinstance(code, str) else None, parameter if isinstance(parameter, str) else None


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds or a date (RFC 9110, section 10.2.3)."""
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None
