"""Chat requests on their way to one server, without the parameters that it has said it does not take."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from core.judge.budget import Tally
from core.judge.calls import Calls
from core.judge.faults import Fault
from core.judge.reply import Reply

__all__ = ["Asked", "Sender"]

OTHER_NAMES = {"max_tokens": "max_completion_tokens"}
OPTIONAL = ("max_tokens", "temperature", "seed", "response_format")
"Parameters that a server may refuse by name; it is then asked without."
PIXELS_PER_TOKEN, CHARACTERS_PER_TOKEN = 784, 3
"For servers that do not count: patches of 28 x 28 pixels, and short words."


class Asked(NamedTuple):
    """One question with its pictures."""

    ask: str
    urls: Sequence[str]
    max_pixels: int
    deadline: float
    "On the clock of the event loop."
    tally: Tally


class Sender:
    """Sends requests as they are meant, or as far as the server takes them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._not_taken: set[str] = set()

    async def send(self, request: dict[str, Any], asked: Asked, characters: int) -> Reply:
        """The reply to a question whose text has so many characters. Raises Fault where there is none."""
        guessed = asked.max_pixels * len(asked.urls) // PIXELS_PER_TOKEN + characters // CHARACTERS_PER_TOKEN
        while True:
            known = frozenset(self._not_taken)
            try:
                return await self._calls.complete(self._as_taken(request), guessed, asked.deadline, asked.tally)
            except Fault as fault:
                if fault.parameter not in OPTIONAL or fault.parameter in known:
                    raise
                self._not_taken.add(fault.parameter)

    def _as_taken(self, request: dict[str, Any]) -> dict[str, Any]:
        taken = {name: value for name, value in request.items() if name not in self._not_taken}
        for name in self._not_taken & request.keys() & OTHER_NAMES.keys():
            taken[OTHER_NAMES[name]] = request[name]
        return taken
