"""A night's first stage over a store that has grown large, while people go on giving feedback.

The store is made up, past the services, of records that are what the services write. The night runs in a process of its
own, so that its memory is its own; feedback is posted by another. What holds the file is timed around every block that
has it open, which is at least what the longest statement takes.
"""

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from core.schema import ChosenBy, Correction, Example, Media, Prediction, Record
from core.services.feedback import correct
from core.services.importing import Progress
from core.services.night.ingest import ingest
from core.services.night.record import begin, lease_name
from core.services.workspace import Workspace
from core.settings import load_settings
from core.store import Store, open_store
from core.store.duckdb_file import DuckDBFile
from core.store.engine import Connection
from core.store.tables import payload_of

__all__ = ["bench_ingest"]

ENVIRONMENT = "screen"
VERDICTS_AN_EXAMPLE = 4
SHARE_TWICE = 0.02
"Of the corrections, those on an example that somebody else corrected."
EVERY_S = 0.05
"Between two words that are posted."
SPAWN = multiprocessing.get_context("spawn")


class WatchedFile(DuckDBFile):
    """Notes for how long each block holds the file."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.held_s: list[float] = []

    @contextmanager
    def session(self, *, write: bool, until: float) -> Iterator[Connection]:
        began = time.perf_counter()
        try:
            with super().session(write=write, until=until) as connection:
                began = time.perf_counter()
                yield connection
        finally:
            self.held_s.append(time.perf_counter() - began)


def bench_ingest(
    corrections: int = 100_000, predictions: int = 1_000_000, *, progress: Progress = lambda *_: None
) -> dict[str, Any]:
    """Seconds, memory and the longest hold of a night's ingest, and how long feedback waited meanwhile."""
    with TemporaryDirectory(prefix="nightshift-ingest-") as folder:
        home = Path(folder)
        began = time.perf_counter()
        _fill(_workspace(home).store, corrections, predictions, progress)
        built_s = time.perf_counter() - began
        night, posts, stop = SPAWN.Queue(), SPAWN.Queue(), SPAWN.Event()
        ready = SPAWN.Barrier(2)
        people = SPAWN.Process(target=_post, args=(home, predictions, ready, stop, posts))
        machine = SPAWN.Process(target=_ingest, args=(home, ready, night))
        for process in (people, machine):
            process.start()
        try:
            found = night.get(timeout=600)
        finally:
            stop.set()
        waited_ms = posts.get(timeout=120)
        for process in (people, machine):
            process.join()
    return {
        "corrections": corrections,
        "predictions": predictions,
        "built_s": round(built_s, 1),
        **found,
        "feedback": {
            "n": len(waited_ms),
            "p50_ms": round(float(np.percentile(waited_ms, 50)), 1),
            "p99_ms": round(float(np.percentile(waited_ms, 99)), 1),
            "max_ms": round(max(waited_ms), 1),
        },
    }


def _workspace(home: Path) -> Workspace:
    settings = load_settings(home)
    return Workspace(settings, open_store(settings.store_url))


def _ingest(home: Path, ready: Any, found: Any) -> None:
    """The night's process."""
    ws = _workspace(home)
    engine = WatchedFile(home / "nightshift.duckdb")
    ws.store = Store(replace(ws.store.database, engine=engine))
    ready.wait()
    began = time.perf_counter()
    run = begin(ws, ENVIRONMENT, seed=0)
    with ws.store.lease(lease_name(ENVIRONMENT), "bench", 600) as lease:
        done = ingest(ws, run, lease)
    seconds = time.perf_counter() - began
    told = {name: done.result[name] for name in ("train", "golden", "disputed")}
    found.put(
        {
            "ingest_s": round(seconds, 2),
            "rss_mb": _most_memory_mb(),
            "longest_hold_s": round(max(engine.held_s), 3),
            **told,
        }
    )


def _post(home: Path, predictions: int, ready: Any, stop: Any, took: Any) -> None:
    """People's process: one word after the other, each acknowledged before the next."""
    ws = _workspace(home)
    pick = random.Random(0)
    waited_ms: list[float] = []
    ready.wait()
    while not stop.is_set() or not waited_ms:
        id = _id("prediction", pick.randrange(1, predictions + 1))
        began = time.perf_counter()
        correct(ws, id, "on_task", reviewer="while the night ran")
        waited_ms.append((time.perf_counter() - began) * 1000)
        time.sleep(EVERY_S)
    took.put(waited_ms)


def _most_memory_mb() -> int:
    """The most that this process has had in memory; what its parent had is not counted."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024)
    return 0


def _id(kind: str, number: int) -> str:
    """What the made-up records of a kind are called; the same in SQL."""
    return f"{kind}{number:0{32 - len(kind)}}"


def _sql_id(kind: str, number: str) -> str:
    return f"'{kind}' || lpad(({number})::VARCHAR, {32 - len(kind)}, '0')"


def _fill(store: Store, corrections: int, predictions: int, progress: Progress) -> None:
    examples = max(corrections, predictions // VERDICTS_AN_EXAMPLE)
    about = f"(i - 1) % {examples} + 1"
    # A few corrections are of an example that has one; whoever gives those is somebody else.
    once = round(corrections * (1 - SHARE_TWICE))
    corrected = f"CASE WHEN i <= {once} THEN i ELSE i - {once} END"
    answer = "CASE WHEN i % 3 = 0 THEN 'off_task' ELSE 'on_task' END"
    reviewer = f"'reviewer ' || (CASE WHEN i <= {once} THEN i % 7 ELSE 7 END)"
    cluster = f"({_sql_id('media', 'i - i % 5 + 1')})"
    media = Media(id="@id", blob="@id", width=1280, height=800, phash="0" * 16)
    example = Example(
        id="@id", environment=ENVIRONMENT, media=("@media",), ask="@ask", answers=("on_task", "off_task"), cluster="@of"
    )
    verdict = Prediction(
        id="@id", environment=ENVIRONMENT, example="@example", answer="on_task", probability=0.75, confidence=0.75,
        answer_logprobs=(-0.29, -1.39), release="release", latency_ms=12.0,
    )  # fmt: skip
    word = Correction(
        id="@id", environment=ENVIRONMENT, example="@example", prediction="@prediction", answer="@answer",
        reviewer="@reviewer", chosen_by=ChosenBy.REVIEW_QUEUE,
    )  # fmt: skip
    of_here = {"environment": f"'{ENVIRONMENT}'"}
    parts: list[tuple[Record, int, dict[str, str], dict[str, str]]] = [
        (media, examples, {}, {"form": "'image'", "blob": "id", "phash": f"'{'0' * 16}'"}),
        (
            example,
            examples,
            {"@media": _sql_id("media", "i"), "@of": cluster, "@ask": "'Write report ' || i"},
            {**of_here, "cluster": cluster},
        ),
        (
            verdict,
            predictions,
            {"@example": _sql_id("example", about)},
            {**of_here, "example": _sql_id("example", about), "release": "'release'",
             "from_person": "false"},
        ),
        (
            word,
            corrections,
            {"@example": _sql_id("example", corrected), "@prediction": _sql_id("prediction", corrected),
             "@answer": answer, "@reviewer": reviewer},
            {**of_here, "example": _sql_id("example", corrected),
             "prediction": _sql_id("prediction", corrected), "reviewer": reviewer, "chosen_by": "'review_queue'"},
        ),
    ]  # fmt: skip
    for done, (like, number, replaced, columns) in enumerate(parts):
        progress(done, len(parts))
        store.database.write(partial(_execute, statement=_insert(like, number, replaced, columns)))
    progress(len(parts), len(parts))


def _execute(connection: Connection, statement: str) -> None:
    connection.execute(statement)


def _insert(like: Record, number: int, replaced: dict[str, str], columns: dict[str, str]) -> str:
    """`number` records like this one, numbered by `i`; `replaced` says what stands for marks in their JSON."""
    payload = "'" + payload_of(like).replace("'", "''") + "'"
    for mark, value in {"@id": "id", **replaced}.items():
        payload = f"replace({payload}, '{mark}', {value})"
    names = "".join(f', "{name}"' for name in columns)
    values = "".join(f", {value}" for value in columns.values())
    return (
        f'INSERT INTO {like.kind}_event (seq, id, "at", payload{names}) '
        f"SELECT i, id, now(), {payload}{values} "
        f"FROM (SELECT i, {_sql_id(like.kind, 'i')} AS id FROM range(1, {number + 1}) AS numbers(i))"
    )
