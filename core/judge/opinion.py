"""What a model thinks of one question, asked in both orders of the answers.

Where the server gives log-probabilities the verdict is one token and its probability is read off; else the model
writes a reason, a verdict and a confidence.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from core.judge.budget import Tally
from core.judge.calls import Calls
from core.judge.faults import Fault, FaultKind
from core.judge.prompt import LETTERS, JudgePrompt
from core.judge.reply import Reply, letter_probabilities, stated_probabilities
from core.settings import JudgingSettings

__all__ = ["Asked", "Opinion", "Opinions"]

TOP_LOGPROBS = 20
VERDICT_TOKENS = 4
"A blank or two may come before the letter."
REASON_TOKENS = 400
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


@dataclass(frozen=True)
class Opinion:
    """Scores over the prompt's answers, the mean of both orders."""

    scores: dict[str, float]
    position_bias: float
    "Mean probability of the answer that stood first, less that of a blind guess; 0 where places do not matter."
    reason: str


class Opinions:
    """Asks one model, and remembers what its server does not take."""

    def __init__(self, calls: Calls, prompt: JudgePrompt, settings: JudgingSettings) -> None:
        self._calls, self._prompt, self._verdict = calls, prompt, settings.verdict
        self._in_words = settings.verdict == "json"
        self._not_taken: set[str] = set()

    async def opinion(self, asked: Asked) -> Opinion:
        """Both orders, asked at the same time. Raises Fault where either brings nothing."""
        answers = self._prompt.answers
        (forward, reason), (backward_reversed, other_reason) = await _both(
            self._in_order(asked, answers), self._in_order(asked, answers[::-1])
        )
        backward = backward_reversed[::-1]
        means = [(one + other) / 2 for one, other in zip(forward, backward, strict=True)]
        return Opinion(
            scores=dict(zip(answers, means, strict=True)),
            position_bias=(forward[0] + backward_reversed[0]) / 2 - 1 / len(answers),
            reason=f"{reason} | {other_reason}",
        )

    async def _in_order(self, asked: Asked, order: Sequence[str]) -> tuple[list[float], str]:
        """Float[K] in that order, and why."""
        letters = LETTERS[: len(order)]
        if not self._in_words:
            try:
                reply = await self._reply(asked, order, as_json=False)
                by_letter = letter_probabilities(reply, letters)
            except Fault as fault:
                may_use_words = fault.kind in (FaultKind.ANSWERED, FaultKind.NOT_TAKEN)
                if self._verdict == "logprobs" or not may_use_words:
                    raise
            else:
                said = ", ".join(f"{answer} {value:.2f}" for answer, value in zip(order, by_letter, strict=True))
                return by_letter, said
        reply = await self._reply(asked, order, as_json=True)
        return stated_probabilities(reply, letters)

    async def _reply(self, asked: Asked, order: Sequence[str], *, as_json: bool) -> Reply:
        while True:
            request = self._request(asked, order, as_json=as_json)
            guessed = self._guessed_tokens(asked)
            known = frozenset(self._not_taken)
            try:
                reply = await self._calls.complete(request, guessed, asked.deadline, asked.tally)
            except Fault as fault:
                if fault.parameter not in OPTIONAL or fault.parameter in known:
                    raise
                self._not_taken.add(fault.parameter)
                continue
            if not as_json and reply.first_logprobs is None:
                # It would not give them for the next question either.
                self._in_words = self._verdict == "auto"
                raise Fault(FaultKind.NOT_TAKEN, "the server gives no log-probabilities")
            return reply

    def _request(self, asked: Asked, order: Sequence[str], *, as_json: bool) -> dict[str, Any]:
        request: dict[str, Any] = {
            "messages": self._prompt.messages(asked.ask, asked.urls, order, as_json=as_json),
            "temperature": 0.0,
            "seed": 0,
            "max_tokens": REASON_TOKENS if as_json else VERDICT_TOKENS,
        }
        if as_json:
            request["response_format"] = self._prompt.reply_format()
        else:
            request |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        for name in self._not_taken & request.keys():
            value = request.pop(name)
            if name in OTHER_NAMES:
                request[OTHER_NAMES[name]] = value
        return request

    def _guessed_tokens(self, asked: Asked) -> int:
        pixels = asked.max_pixels * len(asked.urls)
        characters = len(self._prompt.system) + len(self._prompt.question) + len(asked.ask)
        return pixels // PIXELS_PER_TOKEN + characters // CHARACTERS_PER_TOKEN


Order = tuple[list[float], str]


async def _both(one: Coroutine[Any, Any, Order], other: Coroutine[Any, Any, Order]) -> tuple[Order, Order]:
    """Both results; where one fails the other is not waited for."""
    tasks = [asyncio.create_task(one), asyncio.create_task(other)]
    try:
        first, second = await asyncio.gather(*tasks)
        return first, second
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
