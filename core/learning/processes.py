"""Which of several processes this one is, where `accelerate launch` or torchrun shares one training among them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["is_main_process", "is_sharded", "process_count", "process_number", "together"]


def process_count() -> int:
    """How many processes train together; 1 where nobody said otherwise."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def process_number() -> int:
    """Which of them this one is, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_main_process() -> bool:
    """Whether this is the one that writes."""
    return process_number() == 0


def is_sharded() -> bool:
    """Whether FSDP or DeepSpeed splits weights or optimiser, so that no process has all of them while training."""
    return any(os.environ.get(f"ACCELERATE_USE_{engine}", "").lower() == "true" for engine in ("FSDP", "DEEPSPEED"))


@contextmanager
def together() -> Iterator[None]:
    """Joins the other processes, each with its own device, and leaves with them; alone it does nothing.

    An open process group can abort a process at exit, and one that leaves early stops the others.
    """
    if process_count() == 1:
        yield
        return
    from accelerate import PartialState

    state = PartialState(cpu=os.environ.get("ACCELERATE_USE_CPU", "false").lower() == "true")
    yield
    state.wait_for_everyone()
    state.destroy_process_group()
