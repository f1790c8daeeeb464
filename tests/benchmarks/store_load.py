"""How long a write takes while four processes write and one reads, on both engines.

    python -m tests.benchmarks.store_load

One JSON object. Each writer appends one correction a transaction, as fast as it can. The lake's Postgres is started
for this and waits for the disk. Milliseconds; `alone` is one writer with nobody beside it.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from typing import Any

from core.schema import Correction, new_id
from core.store import open_store
from tests.lakes import new_lake, started_postgres

DEADLINE_S = 120.0
WARM_UP = 5


def word(example: str) -> Correction:
    return Correction(id=new_id(), environment="screen", example=example, answer="on_task")


def write(url: str, writer: int, number: int, gate: Any, took: Any) -> None:
    """Puts the milliseconds that each of `number` writes took into the queue `took`."""
    store = open_store(url, deadline_s=DEADLINE_S)
    for position in range(WARM_UP):
        store.add(word(f"warm-up {writer}-{position}"))
    gate.wait()
    times = []
    for position in range(number):
        began = time.perf_counter()
        store.add(word(f"{writer}-{position}"))
        times.append((time.perf_counter() - began) * 1000)
    took.put(times)


def read(url: str, gate: Any, stop: Any, took: Any) -> None:
    """The same for reads of the newest corrections, until `stop` is set."""
    store = open_store(url, deadline_s=DEADLINE_S)
    gate.wait()
    times = []
    while not stop.is_set():
        began = time.perf_counter()
        store.find(Correction, limit=20, newest_first=True)
        times.append((time.perf_counter() - began) * 1000)
    took.put(times)


def figures(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "n": len(ordered),
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(0.95 * (len(ordered) - 1))], 1),
        "max_ms": round(ordered[-1], 1),
    }


def load(url: str, writers: int, number: int, *, reader: bool) -> dict[str, Any]:
    """Figures of one run, and how many corrections are missing or doubled after it."""
    spawn = multiprocessing.get_context("spawn")
    gate, stop = spawn.Barrier(writers + reader), spawn.Event()
    took, read_took = spawn.Queue(), spawn.Queue()
    store = open_store(url)
    before = store.count(Correction)
    processes = [spawn.Process(target=write, args=(url, writer, number, gate, took)) for writer in range(writers)]
    watching = [spawn.Process(target=read, args=(url, gate, stop, read_took))] if reader else []
    for process in processes + watching:
        process.start()
    times = [ms for _ in processes for ms in took.get()]
    stop.set()
    reads = [ms for _ in watching for ms in read_took.get()]
    for process in processes + watching:
        process.join()
    ids = [record.id for record in store.find(Correction)]
    wanted = before + writers * (number + WARM_UP)
    wrong = {"lost": wanted - len(set(ids)), "doubled": len(ids) - len(set(ids))}
    return {"write": figures(times), **({"read": figures(reads)} if reads else {}), **wrong}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--writes", type=int, default=200, help="of each writer")
    wanted = parser.parse_args()
    result: dict[str, Any] = {"writers": wanted.writers, "writes": wanted.writes, "cores": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder, started_postgres(durable=True) as server:
        urls = {"duckdb": f"duckdb:///{folder}/store.duckdb", "ducklake": new_lake(server, f"{folder}/data")}
        for engine, url in urls.items():
            result[engine] = {
                "load_average": round(os.getloadavg()[0], 1),
                "alone": load(url, 1, wanted.writes, reader=False),
                "together": load(url, wanted.writers, wanted.writes, reader=True),
            }
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
