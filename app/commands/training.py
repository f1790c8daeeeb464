"""Trainings that somebody asks for: `train`."""

from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from app.commands import opened
from app.terminal import Answer, Terminal
from core import services
from core.schema import NightshiftError
from core.services.bootstrap import train_on_bootstrapped
from core.services.training import METHODS
from flows.vigil import only_night

__all__ = ["train"]


def train(
    terminal: Terminal,
    home: Path | None,
    environment: str,
    method: str,
    dataset: Path | None,
    *,
    bootstrapped: str | None,
    release: str,
    steps: int | None,
    learning_rate: float | None,
    seed: int,
) -> Answer:
    """Trains on a labelled folder or, without one, a bootstrapped version.

    Raises NightshiftError while a night runs, and where the training fails.
    """
    chosen = next((each for each in METHODS if each == method), None)
    if chosen is None:
        raise NightshiftError(f"there is no method {method!r}; there are: {', '.join(METHODS)}")
    ws = opened(home, environment)
    lease_s = ws.settings.night.lease_s
    with (
        only_night(ws.store, f"night/{environment}", lease_s, tell=terminal.tell) as lease,
        terminal.progress("taking pictures in, then training") as progress,
    ):
        asked: dict[str, Any] = {"release": release, "steps": steps, "learning_rate": learning_rate, "seed": seed}
        if dataset is not None:
            done = services.train_on_folder(ws, environment, chosen, dataset, lease, **asked, progress=progress)
        else:
            version = str(bootstrapped)
            done = train_on_bootstrapped(ws, environment, chosen, version, lease, **asked, progress=progress)
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
