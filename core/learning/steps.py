"""The figures of each optimiser step, written while training so that a console can follow.

One JSON object a line: `challenger` (`full`, or `fold-0`, ...), `step` from 1, the parts of the loss by name,
`reward/<name>` for each part of the reward, `learning_rate`, `grad_norm` before clipping, `prompt_tokens` of the batch
where a prompt has tokens, and `seconds` since that challenger's training began. A step before which
something entered or left (`core.learning.rounds`) has `words_entered` and `words_left`. A figure that is not a number
is null.
"""

import json
import math
from pathlib import Path
from typing import Any

__all__ = ["STEPS_FILE", "partial_directory", "read_steps", "without_nan"]

STEPS_FILE = "steps.jsonl"


def partial_directory(out: Path) -> Path:
    """Where a training writes until it is complete; then it is renamed to `out`."""
    return out.with_name(f"{out.name}.partial")


def read_steps(out: Path) -> list[dict[str, Any]]:
    """The steps so far of the training that is writing `out`, else of the one that wrote it.

    A line that is still being written is left out.
    """
    for directory in (partial_directory(out), out):
        try:
            text = (directory / STEPS_FILE).read_text()
        except FileNotFoundError:
            continue
        complete, _, _ = text.rpartition("\n")
        return [json.loads(line) for line in complete.splitlines()]
    return []


def without_nan(figures: dict[str, float]) -> dict[str, float | None]:
    """The same figures with null where there is no number: JSON has none."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}
