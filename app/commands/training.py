"""Trainings that somebody asks for: `train`."""

from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from app.terminal import Answer, Terminal
from core import services
from core.schema import NightshiftError
from core.services import Workspace
from core.services.training import METHODS
from flows.vigil import only_night

__all__ = ["train"]


def train(
    terminal: Terminal,
    home: Path | None,
    method: str,
    environment: str,
    dataset: Path,
    *,
    release: str,
    steps: int | None,
    learning_rate: float | None,
    seed: int,
) -> Answer:
    """Trains on a labelled folder. Raises NightshiftError while a night runs, and where the training fails."""
    chosen = next((each for each in METHODS if each == method), None)
    if chosen is None:
        raise NightshiftError(f"there is no method {method!r}; there are: {', '.join(METHODS)}")
    ws = Workspace.open(home)
    ws.environment(environment)
    lease_s = ws.settings.night.lease_s
    with (
        only_night(ws.store, f"night/{environment}", lease_s, tell=terminal.tell) as lease,
        terminal.progress("taking pictures in, then training") as progress,
    ):
        done = services.train_on_folder(
            ws,
            environment,
            chosen,
            dataset,
            lease,
            release=release,
            steps=steps,
            learning_rate=learning_rate,
            seed=seed,
            progress=progress,
        )
    return Answer(done, partial(_show, done))


def _show(done: dict[str, Any], console: Console) -> None:
    before, after = done["start"].get("label_accuracy"), done["end"].get("label_accuracy")
    console.print(
        f"{done['steps']} steps on {done['items']} examples at {done['ms_per_step']:.0f} ms; "
        f"{done['golden_left_out']} golden examples were left out"
    )
    if before is not None and after is not None:
        console.print(f"right on what it was trained on: {before:.1%} before, {after:.1%} after")
    console.print(f"challenger {done['challenger'][:12]}; it is not promoted. Measure it on other screens:")
    console.print(f"nightshift evaluate --release {done['challenger'][:12]} --dataset DIR", markup=False)
