"""A vision-language model within this process, by transformers: no server, and nothing leaves the machine."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor

from core.judge.backend import Backend
from core.judge.faults import Fault, FaultKind, shortened
from core.judge.local import completion, model_folder, opened_messages
from core.policy.vlm.foundation import load_model, load_processor
from core.policy.vlm.opening import LOOK_BACKWARD
from core.policy.vlm.packing import parts_of, prompt_positions
from core.schema import NightshiftError
from core.settings import JudgingSettings

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import Cache

__all__ = ["TransformersModel"]

TOP = 20
OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")


class TransformersModel(Backend):
    """The model in `judging.model`, loaded for as long as questions are asked, on a thread of its own.

    A call that outlasts its time is given up there; what the thread is at cannot be interrupted, and the next call
    waits for it within its own time.
    """

    name = "transformers"
    at_once = 1

    def __init__(self, settings: JudgingSettings) -> None:
        """Raises NightshiftError without a model, and for one that is not on this machine. Loads nothing."""
        self._folder, content = model_folder(self.name, settings)
        self._settings = settings
        self.model = settings.model.rstrip("/").rsplit("/", 1)[-1]
        self.address = f"{content}/{settings.dtype}"
        self._loaded: _Loaded | None = None
        self._why_not = ""

    async def complete(self, request: dict[str, Any]) -> object:
        loaded, given_up = self._loaded, threading.Event()
        if loaded is None:
            raise Fault(FaultKind.LOCKED_OUT, self._why_not)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, loaded.answer, request, given_up)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
                raise
            raise Fault(
                FaultKind.STOPPED,
                f"out of memory: lower judging.max_pixels ({self._settings.max_pixels}), or set judging.dtype to "
                "bfloat16",
            ) from error
        finally:
            given_up.set()

    async def __aenter__(self) -> Self:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="judge")
        try:
            self._loaded = await asyncio.get_running_loop().run_in_executor(
                self._thread, _Loaded, self._folder, self._settings
            )
        except (NightshiftError, torch.OutOfMemoryError, MemoryError) as error:
            self._why_not = f"the judge's model cannot be loaded: {shortened(str(error))}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loaded = None
        self._thread.shutdown(wait=False, cancel_futures=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


class _Loaded:
    """Model and processor, and what the last pictures left in the model's cache."""

    def __init__(self, folder: "Path", settings: JudgingSettings) -> None:
        self._model, self._processor = load_model(folder, settings.dtype), load_processor(folder)
        self._tokenizer = self._processor.tokenizer
        self._control_tokens = tuple(str(token) for token in self._tokenizer.added_tokens_decoder.values())
        self._backbone, self._head = parts_of(self._model)
        self._shares = self._model.config.model_type in LOOK_BACKWARD
        self._seen: tuple[object, Cache] | None = None

    @torch.inference_mode()
    def answer(self, request: dict[str, Any], given_up: threading.Event) -> dict[str, Any]:
        """A chat completion: the likeliest first tokens, or where none are asked for a text."""
        messages, pictures = opened_messages(request, self._control_tokens)
        text = self._processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        inputs = self._processor(text=[text], images=pictures or None, return_tensors="pt", truncation=False)
        inputs = {name: value.to(self._model.device) for name, value in inputs.items()}
        length = inputs["input_ids"].shape[1]
        if not request.get("logprobs"):
            return self._written(inputs, length, request["max_tokens"], given_up)
        pictured = [
            part["image_url"]["url"]
            for message in request["messages"]
            if not isinstance(message["content"], str)
            for part in message["content"]
            if part["type"] == "image_url"
        ]
        logits_V = self._last_logits(inputs, tuple(pictured)) if self._shares else self._all_at_once(inputs)
        best = torch.log_softmax(logits_V.float(), dim=-1).topk(TOP)
        first = [
            (self._tokenizer.decode([token]), logprob)
            for token, logprob in zip(best.indices.tolist(), best.values.tolist(), strict=True)
        ]
        return completion(first[0][0], "length", (length, 1), first)

    def _last_logits(self, inputs: dict[str, Tensor], pictures: tuple[str, ...]) -> Tensor:
        """Float[V] behind the prompt, whose part up to the last picture goes through the model once for all questions
        about the same pictures: both orders of the answers, and other descriptions.

        Always in these two steps, so that a question's answer has the same bits whether or not the first was there.
        """
        ids_1S, real_1S = inputs["input_ids"], inputs["attention_mask"].bool()
        positions = prompt_positions(inputs, real_1S, self._backbone)
        of_pictures = (ids_1S[0] == self._model.config.image_token_id).nonzero()
        P = int(of_pictures[-1]) + 1 if len(of_pictures) else 0
        cache = self._up_to_pictures(inputs, positions, P, (pictures, tuple(ids_1S[0, :P].tolist()))) if P else None
        hidden_1RD = self._backbone(
            input_ids=ids_1S[:, P:],
            attention_mask=inputs["attention_mask"],
            position_ids=positions[..., P:],
            past_key_values=cache,
            use_cache=cache is not None,
        ).last_hidden_state
        logits_V: Tensor = self._head(hidden_1RD[0, -1])
        return logits_V

    def _up_to_pictures(self, inputs: dict[str, Tensor], positions: Tensor, P: int, key: object) -> "Cache":
        if self._seen is None or self._seen[0] != key:
            self._seen = None
            kept = {name: value for name, value in inputs.items() if name != "mm_token_type_ids"}
            kept |= {name: inputs[name][:, :P] for name in ("input_ids", "attention_mask")}
            self._seen = key, self._backbone(**kept, position_ids=positions[..., :P], use_cache=True).past_key_values
        return deepcopy(self._seen[1])

    def _all_at_once(self, inputs: dict[str, Tensor]) -> Tensor:
        logits_V: Tensor = self._model(**inputs, logits_to_keep=1).logits[0, -1]
        return logits_V

    def _written(self, inputs: dict[str, Tensor], length: int, most: int, given_up: threading.Event) -> dict[str, Any]:
        def stop(ids: Tensor, scores: Tensor, **_: Any) -> Tensor:  # noqa: ARG001
            return torch.full((len(ids),), given_up.is_set(), dtype=torch.bool, device=ids.device)

        tokens = self._model.generate(**inputs, max_new_tokens=most, do_sample=False, stopping_criteria=[stop])
        said = tokens[0, length:]
        text = self._tokenizer.decode(said, skip_special_tokens=True)
        return completion(text, "length" if len(said) >= most else "stop", (length, len(said)))
