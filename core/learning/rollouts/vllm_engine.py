"""vLLM in processes below this one: begun with what it needs on either kind of machine, and ended for certain."""

import contextlib
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch

if TYPE_CHECKING:
    from vllm import LLM

__all__ = ["start_vllm", "stop_vllm", "vllm_is_installed"]

LEAVE_S = 30.0
"""How long the processes of vLLM may take to leave."""


def vllm_is_installed() -> bool:
    return find_spec("vllm") is not None


def start_vllm(model: Path, dtype: torch.dtype, *, on_cpu: bool, **options: Any) -> "LLM":
    """vLLM with the model in this folder, on as many threads as this process has; to be ended by `stop_vllm`."""
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", "nobind")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    os.environ["OMP_NUM_THREADS"] = str(torch.get_num_threads())
    from vllm import LLM

    return LLM(model=str(model), dtype=str(dtype).removeprefix("torch."), enforce_eager=on_cpu, **options)


def stop_vllm(engine: "LLM") -> None:
    """Ends its processes, and waits until they are gone."""
    processes = _processes_of_vllm()
    engine.llm_engine.engine_core.shutdown()
    # It kills what does not leave by itself, and does not wait until that is gone.
    _, staying = psutil.wait_procs(processes, timeout=LEAVE_S)
    for process in staying:
        process.kill()
    psutil.wait_procs(staying)


def _processes_of_vllm() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name().startswith("VLLM"):
                found.append(process)
    return found
