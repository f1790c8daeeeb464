"""How fast calls may follow each other: a rate, and pauses that the server asks for."""

import asyncio

from core.judge.faults import Fault, FaultKind

__all__ = ["Pace"]


class Pace:
    """Turns at least 60 / `calls_per_minute` seconds apart (0: no rate), and none before a pause is over."""

    def __init__(self, calls_per_minute: float) -> None:
        self._apart_s = 60 / calls_per_minute if calls_per_minute > 0 else 0.0
        self._next = 0.0
        self._held_until = 0.0

    def hold(self, seconds: float) -> None:
        """Nobody calls before so many seconds have passed: a server that is busy is busy for everyone."""
        self._held_until = max(self._held_until, asyncio.get_running_loop().time() + seconds)

    async def turn(self, deadline: float) -> None:
        """Waits for a turn. Raises Fault at once where it would come after `deadline` (on the loop's clock)."""
        loop = asyncio.get_running_loop()
        turn = max(loop.time(), self._next, self._held_until)
        if turn >= deadline:
            raise Fault(FaultKind.STOPPED, f"the next call may be sent in {turn - loop.time():.0f} s: too late")
        self._next = turn + self._apart_s
        while (now := loop.time()) < max(turn, self._held_until):
            if self._held_until >= deadline:
                raise Fault(FaultKind.STOPPED, f"the server asks for {self._held_until - now:.0f} s: too late")
            await asyncio.sleep(max(turn, self._held_until) - now)
