"""A circuit breaker: a server that is down is left alone, tried again now and then, and given up in the end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.judge.faults import Fault, FaultKind

__all__ = ["Breaker"]

TRIPS = 4
"Pauses without a success between them after which the server is given up."


class Breaker:
    """Opens after so many failures in a row, for `pause_s` that doubles each time; then one call at a time is let
    through until one succeeds (Nygard, Release It!, 2007, chapter 5)."""

    def __init__(self, failures: int, pause_s: float) -> None:
        self._limit, self._pause_s = failures, pause_s
        self._in_a_row = 0
        self._trips = 0
        self._open_until = 0.0
        self._probe = asyncio.Lock()
        self._given_up: str | None = None

    @asynccontextmanager
    async def call(self, deadline: float) -> AsyncIterator[None]:
        """Lets one call through, and learns from what becomes of it. Raises Fault where none may be sent before
        `deadline`, or ever."""
        await self._wait(deadline)
        if not self._trips:
            async with self._learning():
                yield
            return
        async with self._probe:
            await self._wait(deadline)
            async with self._learning():
                yield

    async def _wait(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        while self._given_up is not None or loop.time() < self._open_until:
            if self._given_up is not None:
                raise Fault(FaultKind.STOPPED, self._given_up)
            if self._open_until >= deadline:
                raise Fault(FaultKind.STOPPED, f"the server failed {self._in_a_row} times in a row")
            await asyncio.sleep(self._open_until - loop.time())

    @asynccontextmanager
    async def _learning(self) -> AsyncIterator[None]:
        try:
            yield
        except Fault as fault:
            if fault.kind is FaultKind.LOCKED_OUT:
                self._given_up = str(fault)
            elif fault.kind is FaultKind.FAILING:
                self._failed(fault)
            elif fault.kind in (FaultKind.ANSWERED, FaultKind.NOT_TAKEN):
                self._succeeded()
            raise
        self._succeeded()

    def _succeeded(self) -> None:
        self._in_a_row = self._trips = 0
        self._open_until = 0.0

    def _failed(self, fault: Fault) -> None:
        self._in_a_row += 1
        loop = asyncio.get_running_loop()
        # Calls that were in flight when it opened say nothing new.
        if loop.time() < self._open_until or (not self._trips and self._in_a_row < self._limit):
            return
        self._trips += 1
        if self._trips >= TRIPS:
            self._given_up = f"given up: the server failed {self._in_a_row} times in a row, at last with: {fault}"
        self._open_until = loop.time() + self._pause_s * 2 ** (self._trips - 1)
