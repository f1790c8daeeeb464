"""Which of several processes this one is, where `accelerate launch` or torchrun shares one training among them."""

import os

__all__ = ["is_main_process", "process_count"]


def process_count() -> int:
    """How many processes train together; 1 where nobody said otherwise."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main_process() -> bool:
    """Whether this is the one that writes."""
    return int(os.environ.get("RANK", "0")) == 0
