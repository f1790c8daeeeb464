"""`nightshift bootstrap`: the flow, with how far it is."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.commands.nights import without_prefect_logs
from app.terminal import Answer, Terminal
from core.schema import NightshiftError
from core.services import Workspace
from core.services.bootstrap import bootstrap_progress, named_source

__all__ = ["bootstrap"]

LOOK_S = 0.5


def bootstrap(
    terminal: Terminal, home: Path | None, source: str, told: Mapping[str, Any], *, train: bool, seed: int
) -> Answer:
    """Runs the flow. Raises NightshiftError where it cannot start or fails; asking again goes on from there."""
    ws = Workspace.open(home)
    without_prefect_logs()
    from flows.server import prefect_server

    where = source if ":" in source or source == "store" else str(Path(source).expanduser().resolve())
    named_source(ws, where)
    with prefect_server(ws.home), _watched(ws, terminal):
        from flows.bootstrap import bootstrap as flow

        made: dict[str, Any] = flow(source=where, wanted=dict(told), training=train, seed=seed, home=str(ws.home))
    return Answer(made, partial(_show, made))


@contextlib.contextmanager
def _watched(ws: Workspace, terminal: Terminal) -> Iterator[None]:
    """Shows each stage with the time left, as the bootstrap records how far it is."""
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(ws, terminal, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(ws: Workspace, terminal: Terminal, over: threading.Event) -> None:
    stage = ""
    with contextlib.ExitStack() as shown:
        progress = shown.enter_context(terminal.progress("bootstrap"))
        while not over.wait(LOOK_S):
            with contextlib.suppress(NightshiftError):
                at = bootstrap_progress(ws)
                if at is None:
                    continue
                if at[0] != stage:
                    stage = at[0]
                    shown.close()
                    progress = shown.enter_context(terminal.progress(f"bootstrap: {stage}"))
                progress(at[1], at[2])


def _show(made: dict[str, Any], console: Console) -> None:
    console.print(
        f"{made['train']} examples to train on and {made['validation']} set aside, of {made['pictures']} pictures; "
        f"version {made['dataset_version'][:12]}"
    )
    if made["short"]:
        console.print(f"{made['short']} fewer than were asked for: give more pictures")
    agreement = "-" if made["agreement"] is None else f"{made['agreement']:.1%}"
    console.print(f"the judge {made['judge']} agrees with what was meant on {agreement} of {made['judged']} questions")
    table = Table("domain", "examples")
    for name, of in made["domains"].items():
        table.add_row(name.replace("_", " "), str(of))
    console.print(table)
    console.print(f"The data card: {made['card']}", markup=False)
    if "grpo" not in made:
        command = f"nightshift train --bootstrapped {made['dataset_version'][:12]} --method sft"
        console.print(f"Train on it: {command}", markup=False)
    else:
        console.print(f"challenger {made['grpo']['challenger'][:12]}; it is not promoted")
