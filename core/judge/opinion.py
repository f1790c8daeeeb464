"""What a model thinks of one question, asked in both orders of the answers.

Where the server gives log-probabilities the verdict is one token and its probability is read off; else the model
writes a reason, a verdict and a confidence.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.judge.faults import Fault, FaultKind
from core.judge.prompt import LETTERS, JudgePrompt
from core.judge.reply import Reply, letter_probabilities, stated_probabilities
from core.judge.sending import Asked, Sender

__all__ = ["Asked", "Opinion", "Opinions"]

TOP_LOGPROBS = 20
VERDICT_TOKENS = 4
"A blank or two may come before the letter."
REASON_TOKENS = 400
Verdict = Literal["auto", "logprobs", "json"]


@dataclass(frozen=True)
class Opinion:
    """Scores of the answers; of a closed set the mean of both orders."""

    scores: dict[str, float]
    position_bias: float | None
    """Mean probability of the answer that stood first, less that of a blind guess; 0 where places do not matter, None
    of free answers, which are asked in one order."""
    reason: str


class Opinions:
    """Asks one model, and remembers whether its server gives log-probabilities."""

    def __init__(self, sender: Sender, prompt: JudgePrompt, verdict: Verdict) -> None:
        self._sender, self._prompt, self._verdict = sender, prompt, verdict
        self._in_words = verdict == "json"

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
        characters = len(self._prompt.system) + len(self._prompt.question) + len(asked.ask)
        reply = await self._sender.send(self._request(asked, order, as_json=as_json), asked, characters)
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
            return {**request, "response_format": self._prompt.reply_format()}
        return {**request, "logprobs": True, "top_logprobs": TOP_LOGPROBS}


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
