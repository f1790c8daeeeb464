"""Completions by a vLLM server: one that others started, on this machine or another, which loads the adapter by path.

The server runs vLLM's own OpenAI-compatible API with `VLLM_ALLOW_RUNTIME_LORA_UPDATING=True` and `--enable-lora`. It
and the training must see one folder by the same path; adapters are handed over there.
"""

import base64
import contextlib
import io
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import httpx
from PIL import Image

from core.learning.rollouts.adapters import write_adapter
from core.learning.rollouts.base import Asked, RolloutEngine, Sampled, completions_of
from core.learning.rollouts.vllm_in_process import BANNED, checked
from core.policy import Completions, Library, Policy, Sampling
from core.policy.vlm.policy import VlmPolicy
from core.schema import NightshiftError, new_id
from core.settings import LearningSettings

__all__ = ["VllmServer"]

AT_ONCE = 64
"""Groups in flight at a time; the server puts them together as it sees fit."""


class VllmServer(RolloutEngine):
    """A server that answers at `learning.rollout_url`; made by `reach`."""

    name = "vllm_server"

    def __init__(self, client: httpx.Client, adapters: Path, policy: VlmPolicy, library: Library | None) -> None:
        self._client, self._policy, self._library = client, policy, library
        # Others draw from this server too, and may have the same weights: what one of them unloads is its own.
        self._own = new_id()
        self._adapters, self._lora = adapters / f"nightshift-{self._own}", ""
        self._calls = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="rollouts")

    @classmethod
    def reach(cls, policy: VlmPolicy, settings: LearningSettings, library: Library | None) -> Self:
        """Raises NightshiftError where nobody answers, or the base model is not among what is served."""
        key = os.environ.get(settings.rollout_key_env, "") if settings.rollout_key_env else ""
        client = httpx.Client(
            base_url=settings.rollout_url.rstrip("/"),
            timeout=settings.rollout_timeout_s,
            limits=httpx.Limits(max_connections=AT_ONCE),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            trust_env=False,
        )
        served = [model["id"] for model in _json(client, "GET", "/models")["data"] if model.get("parent") is None]
        if settings.rollout_model and settings.rollout_model not in served:
            raise NightshiftError(
                f"learning.rollout_model {settings.rollout_model!r} is not served at {settings.rollout_url}; "
                f"there are: {', '.join(served)}"
            )
        shared = Path(settings.rollout_adapters or tempfile.gettempdir()).expanduser().resolve()
        return cls(client, shared, policy, library)

    def refresh(self, policy: Policy) -> None:
        assert isinstance(policy, VlmPolicy)
        self._policy = policy
        folder = write_adapter(policy, self._adapters)
        if folder.name == self._lora:
            return
        loaded = {model["id"] for model in _json(self._client, "GET", "/models")["data"]}
        if self._served(folder.name) not in loaded:
            told = {"lora_name": self._served(folder.name), "lora_path": str(folder)}
            _request(self._client, "POST", "/load_lora_adapter", told)
        before, self._lora = self._lora, folder.name
        self._forget(before)

    def _served(self, name: str) -> str:
        """What an adapter of this engine is called on the server."""
        return f"{name}-{self._own}"

    def _forget(self, name: str) -> None:
        if name:
            _request(self._client, "POST", "/unload_lora_adapter", {"lora_name": self._served(name)})
            shutil.rmtree(self._adapters / name, ignore_errors=True)

    def draw(self, asked: Sequence[Asked], samples: int, sampling: Sampling, seed: int) -> Completions:
        told = {
            "model": self._served(self._lora),
            "n": samples,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_completion_tokens": sampling.max_new_tokens,
            "logprobs": True,
            "top_logprobs": 0,
            "logit_bias": dict.fromkeys(map(str, self._policy.never_sampled), BANNED),
            "stop_token_ids": [self._policy.end_token],
            "ignore_eos": True,
            "return_token_ids": True,
            "skip_special_tokens": False,
            # What the server's model brings along for others would fill up what is not said.
            "top_k": 0,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
        }
        if sampling.form is not None:
            told["structured_outputs"] = {"regex": sampling.form.pattern}
        calls = [
            {**told, "seed": (seed + row) % 2**63, "messages": self._messages(each)} for row, each in enumerate(asked)
        ]
        return completions_of(list(self._calls.map(self._group, asked, calls)), self._policy.model.device)

    def _group(self, asked: Asked, told: dict[str, Any]) -> list[Sampled]:
        answer = _json(self._client, "POST", "/chat/completions", told)
        try:
            sampled = [
                (choice["token_ids"], [token["logprob"] for token in choice["logprobs"]["content"]])
                for choice in sorted(answer["choices"], key=lambda choice: choice["index"])
            ]
            prompt = answer["prompt_token_ids"]
        except (KeyError, TypeError) as error:
            raise NightshiftError(
                f"the rollout server's answer lacks {error}; learning.rollout_url must be vLLM's own server"
            ) from error
        return checked(self._policy, asked, prompt, sampled)

    def _messages(self, asked: Asked) -> list[dict[str, Any]]:
        example = asked.example
        pictures = iter(self._policy.pictures(example, self._library))
        messages = self._policy.messages(example.ask, pictures=len(example.media))
        for message in messages:
            message["content"] = [
                _image_part(next(pictures)) if part["type"] == "image" else part for part in message["content"]
            ]
        return messages

    def close(self) -> None:
        with contextlib.suppress(NightshiftError):  # a server that is gone holds no adapter
            self._forget(self._lora)
        self._calls.shutdown()
        self._client.close()
        shutil.rmtree(self._adapters, ignore_errors=True)


def _image_part(picture: Image.Image) -> dict[str, Any]:
    file = io.BytesIO()
    picture.save(file, "PNG")
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


def _json(client: httpx.Client, method: str, path: str, told: dict[str, Any] | None = None) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = _request(client, method, path, told).json()
    except ValueError as error:
        raise NightshiftError(f"the rollout server's answer to {path} is not JSON; is it vLLM's?") from error
    return answer


def _request(client: httpx.Client, method: str, path: str, told: dict[str, Any] | None = None) -> httpx.Response:
    """Raises NightshiftError where nobody answers in time, or the answer is no."""
    where = f"{client.base_url}".rstrip("/") + path
    try:
        response = client.request(method, path, json=told)
    except httpx.HTTPError as error:
        what = str(error) or type(error).__name__
        raise NightshiftError(f"the rollout server does not answer at {where}: {what}") from error
    if response.status_code == httpx.codes.NOT_FOUND and path.endswith("_lora_adapter"):
        raise NightshiftError(
            f"the rollout server has no {where}; start vLLM with --enable-lora and "
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"
        )
    if response.is_error:
        raise NightshiftError(f"the rollout server answered {response.status_code} at {where}: {response.text[:300]}")
    return response
