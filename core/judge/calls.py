"""Calls to a judge's server: so many at a time, at a pace, tried again where that may help, never past a deadline."""

import asyncio
import random
from typing import Any

from core.judge.backend import Backend
from core.judge.breaker import Breaker
from core.judge.budget import Budget, Tally
from core.judge.faults import Fault, FaultKind, shortened
from core.judge.pace import Pace
from core.judge.reply import Reply, read_reply
from core.settings import JudgingSettings

__all__ = ["Calls"]

BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 20.0


class Calls:
    """All calls of one night to one server."""

    def __init__(self, backend: Backend, settings: JudgingSettings, budget: Budget) -> None:
        self._backend, self._settings, self._budget = backend, settings, budget
        self.at_once = min(settings.concurrency, backend.at_once or settings.concurrency)
        self._in_flight = asyncio.Semaphore(self.at_once)
        self._pace = Pace(settings.calls_per_minute)
        self._breaker = Breaker(settings.breaker_failures, settings.breaker_pause_s)

    async def complete(self, request: dict[str, Any], guessed_tokens: int, deadline: float, tally: Tally) -> Reply:
        """The answer to a chat request; what it cost is added to `tally`, and to the night.

        `guessed_tokens` is what the request comes to where the server does not count. Raises Fault with the reason
        where there is no answer, at once where `deadline` (on the loop's clock) leaves no time for another try.
        """
        tried = 0
        while True:
            tried += 1
            try:
                # The slot comes first: whoever waited for one must not call a server that has gone down meanwhile.
                async with self._in_flight, self._breaker.call(deadline):
                    await self._pace.turn(deadline)
                    payload = await self._send(request, tally)
                    self._budget.count(payload, guessed_tokens, tally)
                    return read_reply(payload)
            except Fault as fault:
                if not fault.may_pass:
                    raise
                if tried == self._settings.tries:
                    raise Fault(fault.kind, f"{fault} ({tried} tries)") from fault
                await self._wait(fault, tried, deadline)

    async def _send(self, request: dict[str, Any], tally: Tally) -> object:
        self._budget.begin_call()
        tally.calls += 1
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                return await self._backend.complete(request)
        except Fault:
            raise
        except TimeoutError as error:
            raise Fault(FaultKind.FAILING, f"no whole answer within {self._settings.timeout_s:g} s") from error
        except Exception as error:
            # Whatever a client makes of hostile bytes, it is the server's fault and no bug of the night.
            raise Fault(FaultKind.FAILING, f"{type(error).__name__}: {shortened(str(error))}") from error
        finally:
            self._budget.end_call()

    async def _wait(self, fault: Fault, tried: int, deadline: float) -> None:
        """Backs off exponentially with full jitter (Brooker, Exponential Backoff And Jitter, 2015), and for as long
        as the server asks."""
        wait_s = random.uniform(0, min(LONGEST_BACKOFF_S, BACKOFF_S * 2**tried))
        asked_s = fault.retry_after_s or 0.0
        left_s = deadline - asyncio.get_running_loop().time()
        if fault.kind is FaultKind.BUSY:
            self._pace.hold(asked_s)
        if asked_s + wait_s >= left_s:
            reason = f"{fault}; {asked_s + wait_s:.0f} s to wait, and {left_s:.0f} s are left"
            raise Fault(FaultKind.STOPPED, reason) from fault
        await asyncio.sleep(asked_s + wait_s)
