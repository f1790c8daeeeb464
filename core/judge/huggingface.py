"""Hugging Face Inference Providers: the router chooses who serves the model."""

import dataclasses
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import httpx2
from huggingface_hub import AsyncInferenceClient, set_async_client_factory
from huggingface_hub.errors import HfHubHTTPError

from core.judge.backend import LARGEST_ANSWER, Backend, key_from
from core.judge.faults import Fault, FaultKind, fault_of_status
from core.schema import NightshiftError
from core.settings import JudgingSettings

__all__ = ["HuggingFace"]

KEY = "HF_TOKEN"
MODEL = "Qwen/Qwen2.5-VL-72B-Instruct"


class HuggingFace(Backend):
    """`judging.model` on the router; `name:provider` fixes who serves it."""

    name = "huggingface"
    address = "router"

    def __init__(self, settings: JudgingSettings) -> None:
        """Raises NightshiftError without a token."""
        variable = settings.key_env or KEY
        token = key_from(variable)
        if token is None or not token.startswith("hf_"):
            raise NightshiftError(f'judge "huggingface" needs a token (hf_...) in the variable {variable}')
        self.model = settings.model or MODEL
        self._token = token

    async def complete(self, request: dict[str, Any]) -> object:
        try:
            answer = await self._client.chat_completion(model=self.model, **request)
        except HfHubHTTPError as error:
            response = error.response
            body = _text(response).replace(self._token, "***")
            raise fault_of_status(response.status_code, response.headers, body) from error
        return dataclasses.asdict(answer)

    async def __aenter__(self) -> Self:
        # The library's own client reads an answer of any length, follows redirects, and refuses to work where the
        # command line has told it to look for no models.
        set_async_client_factory(_client)
        self._client = AsyncInferenceClient(provider="auto", token=self._token)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()


def _client() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        transport=_Bounded(), headers={"Accept-Encoding": "identity"}, timeout=None, follow_redirects=False
    )


class _Bounded(httpx2.AsyncHTTPTransport):
    """Hands out at most LARGEST_ANSWER bytes of an answer."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        if isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _BoundedStream(response.stream)
        return response


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for chunk in self._stream:
            length += len(chunk)
            if length > LARGEST_ANSWER:
                raise Fault(FaultKind.FAILING, f"the answer is longer than {LARGEST_ANSWER} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _text(response: httpx2.Response) -> str:
    try:
        return response.text
    except httpx2.ResponseNotRead:
        return ""
