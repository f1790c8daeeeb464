"""A vision-language model within this process, by vLLM: what waits is answered together."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import psutil
import torch

from core.judge.backend import Backend
from core.judge.faults import Fault, FaultKind, shortened
from core.judge.local import completion, model_folder
from core.schema import NightshiftError
from core.settings import JudgingSettings

if TYPE_CHECKING:
    from vllm import LLM, RequestOutput, SamplingParams

__all__ = ["VllmEngine", "running_engine"]

LEAVE_S = 30.0
"How long the processes of vLLM may take to leave."
MOST_PICTURES = 16
"Of one question."
AS_FITS = -1

WATCH = """
import os, signal, sys
sys.stdin.read()  # until whoever started this is gone
for pid in sys.argv[1:]:
    try:
        os.kill(int(pid), signal.SIGKILL)
    except ProcessLookupError:
        pass
"""

Waiting = tuple[dict[str, Any], "Future[object]"]


class VllmEngine(Backend):
    """The model in `judging.model`. The engine runs while questions are asked, and leaves its memory to others then."""

    name = "vllm"

    def __init__(self, settings: JudgingSettings) -> None:
        """Raises NightshiftError without vLLM or a model, and for a model that is not on this machine."""
        if find_spec("vllm") is None:
            raise NightshiftError('judge "vllm" needs vLLM, which is not installed; run `make vllm`')
        self._folder, content = model_folder(self.name, settings)
        self._settings = settings
        self.model = settings.model.rstrip("/").rsplit("/", 1)[-1]
        self.address = f"{content}/{settings.dtype}"

    async def complete(self, request: dict[str, Any]) -> object:
        answer: Future[object] = Future()
        self._waiting.put((request, answer))
        return await asyncio.wrap_future(answer)

    async def __aenter__(self) -> Self:
        self._waiting: SimpleQueue[Waiting | None] = SimpleQueue()
        self._ready: Future[None] = Future()
        self._thread = Thread(target=self._serve, name="judge", daemon=True)
        self._thread.start()
        # Starting takes longer than an answer may.
        await asyncio.wrap_future(self._ready)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        """Answers what waits, until nothing more will come."""
        try:
            with running_engine(self._folder, self._settings.dtype) as engine:
                self._ready.set_result(None)
                while (waiting := self._all_waiting()) is not None:
                    _answer(engine, waiting)
        except Exception as error:
            # Whatever its libraries raise as the engine starts or falls over: it answers nothing more.
            fault = Fault(FaultKind.LOCKED_OUT, f"vLLM does not run: {type(error).__name__}: {shortened(str(error))}")
            if not self._ready.done():
                self._ready.set_result(None)
            while (waiting := self._all_waiting()) is not None:
                for _, answer in waiting:
                    answer.set_exception(fault)

    def _all_waiting(self) -> list[Waiting] | None:
        """What waits by now, at least one; None after the last."""
        found = [self._waiting.get()]
        with contextlib.suppress(Empty):
            while found[-1] is not None:
                found.append(self._waiting.get_nowait())
        if found[-1] is None:
            self._waiting.put(None)
        # Whoever gave up waiting is not asked for.
        wanted = [each for each in found if each is not None and each[1].set_running_or_notify_cancel()]
        return wanted if found != [None] else None


@contextlib.contextmanager
def running_engine(
    folder: Path, dtype: str, length: int = AS_FITS, pictures: int = MOST_PICTURES, **options: Any
) -> "Iterator[LLM]":
    """vLLM with the model in `folder`, on as many threads as this process has; its processes end with the block.

    A prompt and its answer have at most `length` tokens, or as many as fit into memory. `options` are vLLM's own.
    """
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ["OMP_NUM_THREADS"] = str(torch.get_num_threads())
    from vllm import LLM

    engine = LLM(
        model=str(folder),
        dtype=dtype,
        enforce_eager=not torch.cuda.is_available(),
        max_model_len=length,
        limit_mm_per_prompt={"image": pictures},
        **options,
    )
    processes = _processes_of_vllm()
    watcher = _end_with_us(processes)
    try:
        yield engine
    finally:
        watcher.kill()
        watcher.wait()
        engine.llm_engine.engine_core.shutdown()
        # It kills what does not leave by itself, and does not wait until that is gone.
        _, staying = psutil.wait_procs(processes, timeout=LEAVE_S)
        for process in staying:
            process.kill()
        psutil.wait_procs(staying)


def _end_with_us(processes: list[psutil.Process]) -> "subprocess.Popen[bytes]":
    """Watches from a process of its own: killed, we could not take the engine's processes along, and they would keep
    an accelerator's memory for ever."""
    command = [sys.executable, "-c", WATCH, *(str(process.pid) for process in processes)]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def _processes_of_vllm() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name().startswith("VLLM"):
                found.append(process)
    return found


def _answer(engine: "LLM", waiting: list[Waiting]) -> None:
    if not waiting:
        return
    try:
        outputs = _asked(engine, [request for request, _ in waiting])
    except ValueError as error:
        # One that the engine does not take; the others are asked without it.
        if len(waiting) == 1:
            waiting[0][1].set_exception(Fault(FaultKind.NOT_TAKEN, f"vLLM does not take it: {shortened(str(error))}"))
            return
        for each in waiting:
            _answer(engine, [each])
        return
    for (_, answer), output in zip(waiting, outputs, strict=True):
        answer.set_result(_completion(output))


def _asked(engine: "LLM", requests: list[dict[str, Any]]) -> "list[RequestOutput]":
    return engine.chat(
        [request["messages"] for request in requests],
        [_sampling(request) for request in requests],
        use_tqdm=False,
    )


def _sampling(request: dict[str, Any]) -> "SamplingParams":
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    schema = request.get("response_format", {}).get("json_schema", {}).get("schema")
    return SamplingParams(
        temperature=request["temperature"],
        seed=request["seed"],
        max_tokens=request["max_tokens"],
        logprobs=request.get("top_logprobs"),
        structured_outputs=StructuredOutputsParams(json=schema) if schema is not None else None,
    )


def _completion(output: "RequestOutput") -> dict[str, Any]:
    (said,) = output.outputs
    first = None
    if said.logprobs:
        tokens = sorted(said.logprobs[0].values(), key=lambda each: -each.logprob)
        first = [(token.decoded_token or "", token.logprob) for token in tokens]
    usage = len(output.prompt_token_ids or ()), len(said.token_ids)
    return completion(said.text, said.finish_reason or "stop", usage, first)
