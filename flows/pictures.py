"""Pictures of variants, made and read by several processes of Prefect's task runner."""

import math
import os
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ProcessPoolTaskRunner
from pydantic import TypeAdapter

if TYPE_CHECKING:
    from core.services import Workspace
    from core.services.night.pictures import Candidate, Piece

__all__ = ["in_processes"]

WORTH_S = 12.0
"Stated seconds of work below which other processes would take longer to start than they save."
BATCH_S = 4.0
"Of one task: tasks are for coarse work, and whoever stops a night waits for those that are begun."
WATCH_S = 0.5
ONCE: dict[str, Any] = {"retries": 0, "cache_policy": NO_CACHE, "persist_result": False}


def in_processes(ws: "Workspace", environment: str, pieces: "Sequence[Piece]") -> "Iterator[list[Candidate]]":
    """Meets `core.services.night.Spread`: in `variants.processes` processes, where there is enough to do.

    What comes of it does not depend on how many there are. A process ends with the one that started it.
    """
    from core.services.night.pictures import Candidate, Piece, in_this_process

    costs = {kind.name: kind.cost_s for kind in ws.environment(environment).variant_kinds}
    costs_s = [sum(costs[name] for name in piece.kinds) for piece in pieces]
    processes = ws.settings.variants.processes
    if processes == 1 or sum(costs_s) < WORTH_S:
        yield from in_this_process(ws, environment, pieces)
        return
    settings = ws.settings.model_dump_json()
    told, answered = TypeAdapter(list[Piece]), TypeAdapter(list[Candidate])
    with ProcessPoolTaskRunner(max_workers=processes) as runner:
        futures = [
            runner.submit(
                make_batch,
                {
                    "settings": settings,
                    "environment": environment,
                    "pieces": told.dump_json(list(batch)).decode(),
                    "starter": os.getpid(),
                },
            )
            for batch in _batches(pieces, costs_s)
        ]
        for future in futures:
            yield answered.validate_json(future.result())


@task(**ONCE)
def make_batch(settings: str, environment: str, pieces: str, starter: int) -> str:
    """In a process of the pool: `core.services.night.pictures.make_pictures_apart`."""
    from core.services.night.pictures import make_pictures_apart

    _end_with(starter)
    return make_pictures_apart(settings, environment, pieces)


def _batches(pieces: "Sequence[Piece]", costs_s: Sequence[float]) -> "Iterator[Sequence[Piece]]":
    each = max(1, math.floor(BATCH_S / max(costs_s)))
    for start in range(0, len(pieces), each):
        yield pieces[start : start + each]


_watched: set[int] = set()


def _end_with(starter: int) -> None:
    """A process of a pool whose owner was killed waits for work for ever; this one ends itself."""
    if starter in _watched:
        return
    _watched.add(starter)
    threading.Thread(target=_watch, args=(starter,), name="watch of the starter", daemon=True).start()


def _watch(starter: int) -> None:
    while os.getppid() == starter:
        time.sleep(WATCH_S)
    os._exit(1)
