"""Pictures of variants by several processes of Prefect's task runner."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil
import pytest
from forked import Forked

from core.schema import Example, Media
from core.services import Workspace
from core.services.night.pictures import Candidate, Piece, in_this_process
from flows import pictures
from flows.server import prefect_server

KINDS = ("reframed", "overlaid")


def pieces_of(ws: Workspace, count: int) -> list[Piece]:
    examples = {each.media[0]: each for each in ws.store.find(Example)}
    chosen = list(examples.values())[:count]
    media = ws.store.get_many(Media, [each.media[0] for each in chosen])
    return [
        Piece(parent=each, answer="on_task", picture=picture, kinds=KINDS)
        for each, picture in zip(chosen, media, strict=True)
    ]


def timeless(made: Iterable[Candidate]) -> list[dict[str, Any]]:
    """All that is said of variants but when each row was written."""
    at = {"at": True}
    return [each.model_dump(exclude={"example": at, "picture": at}) for each in made]


@pytest.mark.soak
def test_several_processes_make_what_one_makes_and_in_the_same_order(
    home_of: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "WORTH_S", 0.0)
    monkeypatch.setattr(pictures, "BATCH_S", 0.1)
    alone, together = (Workspace.open(home_of(name)) for name in ("alone", "together"))
    one = [each for page in in_this_process(alone, "screen", pieces_of(alone, 3)) for each in page]

    with prefect_server(together.home):
        pages = list(pictures.in_processes(together, "screen", pieces_of(together, 3)))

    assert len(pages) == 3 and timeless(each for page in pages for each in page) == timeless(one)
    assert [each.how for each in one] == [*KINDS] * 3
    made = [each.picture for each in one if each.picture is not None]
    assert len(made) == 6
    assert [together.blobs.get(each.blob) for each in made] == [alone.blobs.get(each.blob) for each in made]


def test_what_is_little_is_not_worth_other_processes(home_of: Callable[[str], Path]) -> None:
    ws = Workspace.open(home_of("little"))
    pages = list(pictures.in_processes(ws, "screen", pieces_of(ws, 1)))
    assert [len(page) for page in pages] == [2], "and no Prefect server was asked"


def dies_at_work(home: str) -> None:
    """Begins, says which processes work for it, and is killed."""
    pictures.WORTH_S = pictures.BATCH_S = 0.0
    ws = Workspace.open(Path(home))
    with prefect_server(ws.home):
        pages = pictures.in_processes(ws, "screen", pieces_of(ws, 6))
        next(iter(pages))  # `pages` is kept: a generator that nobody holds ends, and its processes with it
        workers = [each.pid for each in psutil.Process().children() if "spawn_main" in " ".join(each.cmdline())]
        sys.stdout.write(json.dumps(workers))
        sys.stdout.flush()
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.soak
def test_processes_end_with_a_night_that_is_killed(home_of: Callable[[str], Path], tmp_path: Path) -> None:
    ended = Forked(tmp_path, dies_at_work, str(home_of("killed"))).wait()
    workers = json.loads(ended.out)
    assert ended.status == -signal.SIGKILL and workers
    deadline = time.monotonic() + 30
    while any(psutil.pid_exists(pid) for pid in workers):
        assert time.monotonic() < deadline, f"{workers} outlive the night"
        time.sleep(0.2)
