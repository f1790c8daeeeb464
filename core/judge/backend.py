"""The contract of a backend: one chat completion, sent and answered. Each kind of server is one small file."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import httpx
from pydantic_core import to_json

from core.judge.faults import Fault, FaultKind, fault_of_status
from core.schema import NightshiftError

__all__ = ["LARGEST_ANSWER", "Backend", "HttpBackend", "key_from"]

LARGEST_ANSWER = 1 << 20
"Bytes of an answer beyond which nothing more of it is read."


class Backend(ABC):
    """A server with a model behind it. Opened in the event loop that it is used in."""

    name: str
    model: str
    address: str
    "Where it is; part of the cache key, and free of secrets."
    at_once: int | None = None
    "Calls that it works on at a time, where no more of them in flight would be of use."

    @abstractmethod
    async def complete(self, request: dict[str, Any]) -> object:
        """Sends a chat completion (messages and parameters as OpenAI names them) and returns the decoded answer.

        Raises Fault where there is none; any other exception counts as a failure of the server.
        """

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class HttpBackend(Backend):
    """One that takes a POST of JSON at `url` with `headers`; at most LARGEST_ANSWER bytes of its answer are read."""

    url: str
    headers: dict[str, str]
    "With the key; never in a message of ours."

    async def complete(self, request: dict[str, Any]) -> object:
        content = to_json({"model": self.model, **request})  # pictures are long, and this is quicker than json
        async with self._connection() as client, client.stream("POST", self.url, content=content) as response:
            answer = bytearray()
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > LARGEST_ANSWER:
                    raise Fault(FaultKind.FAILING, f"the answer is longer than {LARGEST_ANSWER} bytes")
            headers = response.headers
        text = answer.decode(errors="replace")
        if not response.is_success:
            raise fault_of_status(response.status_code, headers, self._without_key(text))
        try:
            payload: object = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Fault(FaultKind.FAILING, f"the answer is no JSON: {self._without_key(text)[:80]!r}") from error
        return payload

    async def __aenter__(self) -> Self:
        self._idle: list[httpx.AsyncClient] = []
        self._opened: list[httpx.AsyncClient] = []
        self._tls = httpx.create_ssl_context()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._opened:
            await client.aclose()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client for one call at a time: a pool of the library looks over all its connections for each call, which
        with 32 of them takes longer than all else."""
        client = self._idle.pop() if self._idle else self._new_client()
        try:
            yield client
        finally:
            self._idle.append(client)

    def _new_client(self) -> httpx.AsyncClient:
        # Calls are bounded and timed by whoever makes them; redirects would carry the key elsewhere.
        client = httpx.AsyncClient(
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity", **self.headers},
            timeout=None,
            verify=self._tls,
            follow_redirects=False,
        )
        self._opened.append(client)
        return client

    def _without_key(self, text: str) -> str:
        for value in self.headers.values():
            text = text.replace(value.removeprefix("Bearer "), "***")
        return text


def key_from(variable: str) -> str | None:
    """The key that an environment variable holds, or None. Raises NightshiftError for one that no header can carry."""
    key = os.environ.get(variable, "").strip() if variable else ""
    if not key.isascii() or not key.isprintable():
        raise NightshiftError(f"the environment variable {variable} holds characters that no key has")
    return key or None
