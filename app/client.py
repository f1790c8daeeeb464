"""A client of the HTTP API, for programs that send screens: `Nightshift`, and `AsyncNightshift` with the same methods.

What can be sent again is sent again: when the server is busy and when it cannot be reached. A word of feedback carries
a key, so that it is stored once however often it is sent.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self, TypeAlias, TypeVar

import httpx
from pydantic import BaseModel

from app.client_calls import Call, Calls, Patience, Problem
from app.wire import BatchItem, ExplanationAnswer, FeedbackAnswer, PredictionAnswer, ScreenWord

__all__ = ["AsyncNightshift", "Nightshift", "Picture", "Problem"]

Picture: TypeAlias = bytes | Path
"A PNG, JPEG or WebP file, or where it is."
Answer = TypeVar("Answer", bound=BaseModel)
URL = "http://127.0.0.1:7860"
TIMEOUT_S = 90.0
ATTEMPTS = 6


class Nightshift:
    """One environment of the server at `url`. Every method raises `Problem` for what the server refuses.

    A call is sent at most `attempts` times and takes at most `timeout_s` each; `headers` go with every call.
    """

    def __init__(
        self,
        url: str = URL,
        *,
        environment: str = "screen",
        timeout_s: float = TIMEOUT_S,
        attempts: int = ATTEMPTS,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._calls, self._attempts = Calls(environment), attempts
        self._http = httpx.Client(base_url=url, timeout=timeout_s, headers=headers)

    def classify(
        self, picture: Picture, work: str, *, session: str | None = None, deadline_ms: int | None = None
    ) -> PredictionAnswer:
        """A verdict on one picture; `Problem` 504 where it takes longer than the deadline."""
        return self._send(self._calls.classifying(_bytes(picture), work, session, deadline_ms))

    def classify_many(
        self, pictures: Sequence[Picture], work: str | Sequence[str], *, session: str | None = None
    ) -> list[BatchItem]:
        """A verdict on each of up to 16 pictures, or why there is none; one work for all of them, or one for each."""
        return self._send(self._calls.classifying_many([_bytes(each) for each in pictures], work, session)).answers

    def correct(
        self, prediction_id: str, label: str, *, reason: str | None = None, key: str | None = None
    ) -> FeedbackAnswer:
        """Says what is right. With a `key` of your own it is one word whichever process says it again."""
        return self._send(self._calls.correcting(prediction_id, label, reason, key))

    def undo(self, prediction_id: str, *, key: str | None = None) -> FeedbackAnswer:
        """Takes back the last word on a prediction's screen and work."""
        return self._send(self._calls.undoing(prediction_id, key))

    def correct_screen(
        self, picture: Picture, work: str, label: str, *, reason: str | None = None, key: str | None = None
    ) -> ScreenWord:
        """Says what is right for a screen that need not have been classified."""
        return self._send(self._calls.correcting_screen(_bytes(picture), work, label, reason, key))

    def prediction(self, prediction_id: str) -> PredictionAnswer:
        """A stored prediction."""
        return self._send(self._calls.looking_up(prediction_id))

    def explanation(self, prediction_id: str) -> ExplanationAnswer:
        """Why it says what it says."""
        return self._send(self._calls.explaining(prediction_id))

    def predictions(
        self, *, session: str | None = None, release: str | None = None, from_person: bool | None = None
    ) -> Iterator[PredictionAnswer]:
        """Stored predictions, the newest first, fetched page by page."""
        before: int | None = None
        while True:
            page = self._send(self._calls.paging(session, release, from_person, before))
            yield from page.predictions
            before = page.before
            if before is None:
                return

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _send(self, call: Call[Answer]) -> Answer:
        patience = Patience(self._attempts)
        while True:
            outcome: httpx.Response | httpx.TransportError
            try:
                outcome = self._http.request(call.method, call.path, **call.options)
            except httpx.TransportError as error:
                outcome = error
            pause_s = patience.pause_s(outcome)
            if pause_s is None:
                return _read(call, outcome)
            time.sleep(pause_s)


class AsyncNightshift:
    """The same for programs that wait for many things at once."""

    def __init__(
        self,
        url: str = URL,
        *,
        environment: str = "screen",
        timeout_s: float = TIMEOUT_S,
        attempts: int = ATTEMPTS,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._calls, self._attempts = Calls(environment), attempts
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_s, headers=headers)

    async def classify(
        self, picture: Picture, work: str, *, session: str | None = None, deadline_ms: int | None = None
    ) -> PredictionAnswer:
        """A verdict on one picture; `Problem` 504 where it takes longer than the deadline."""
        return await self._send(self._calls.classifying(_bytes(picture), work, session, deadline_ms))

    async def classify_many(
        self, pictures: Sequence[Picture], work: str | Sequence[str], *, session: str | None = None
    ) -> list[BatchItem]:
        """A verdict on each of up to 16 pictures, or why there is none; one work for all of them, or one for each."""
        call = self._calls.classifying_many([_bytes(each) for each in pictures], work, session)
        return (await self._send(call)).answers

    async def correct(
        self, prediction_id: str, label: str, *, reason: str | None = None, key: str | None = None
    ) -> FeedbackAnswer:
        """Says what is right. With a `key` of your own it is one word whichever process says it again."""
        return await self._send(self._calls.correcting(prediction_id, label, reason, key))

    async def undo(self, prediction_id: str, *, key: str | None = None) -> FeedbackAnswer:
        """Takes back the last word on a prediction's screen and work."""
        return await self._send(self._calls.undoing(prediction_id, key))

    async def correct_screen(
        self, picture: Picture, work: str, label: str, *, reason: str | None = None, key: str | None = None
    ) -> ScreenWord:
        """Says what is right for a screen that need not have been classified."""
        return await self._send(self._calls.correcting_screen(_bytes(picture), work, label, reason, key))

    async def prediction(self, prediction_id: str) -> PredictionAnswer:
        """A stored prediction."""
        return await self._send(self._calls.looking_up(prediction_id))

    async def explanation(self, prediction_id: str) -> ExplanationAnswer:
        """Why it says what it says."""
        return await self._send(self._calls.explaining(prediction_id))

    async def predictions(
        self, *, session: str | None = None, release: str | None = None, from_person: bool | None = None
    ) -> AsyncIterator[PredictionAnswer]:
        """Stored predictions, the newest first, fetched page by page."""
        before: int | None = None
        while True:
            page = await self._send(self._calls.paging(session, release, from_person, before))
            for prediction in page.predictions:
                yield prediction
            before = page.before
            if before is None:
                return

    async def aclose(self) -> None:
        """Ends the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def _send(self, call: Call[Answer]) -> Answer:
        patience = Patience(self._attempts)
        while True:
            outcome: httpx.Response | httpx.TransportError
            try:
                outcome = await self._http.request(call.method, call.path, **call.options)
            except httpx.TransportError as error:
                outcome = error
            pause_s = patience.pause_s(outcome)
            if pause_s is None:
                return _read(call, outcome)
            await asyncio.sleep(pause_s)


def _bytes(picture: Picture) -> bytes:
    return picture.read_bytes() if isinstance(picture, Path) else picture


def _read(call: Call[Answer], outcome: httpx.Response | httpx.TransportError) -> Answer:
    if isinstance(outcome, httpx.TransportError):
        raise Problem(None, f"the server cannot be reached: {outcome}") from outcome
    return call.read(outcome)
