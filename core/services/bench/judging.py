"""How many judgments a second a server brings that answers after 200 ms, beside what so many calls at a time allow.

Everything that a night does is timed: pictures are encoded, questions sent over HTTP to a process of its
own, judgments written to a store. A judgment takes two calls, one for each order of the answers. Each level of
concurrency judges its own examples, drawn screens with many descriptions each; then all of them are judged again,
which the store answers.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from core.environments.screen.prompt import JUDGE_PROMPT
from core.judge import remote_judge
from core.schema import Example
from core.services.bench import slow_server
from core.services.bench.screens import DrawnScreens
from core.services.importing import Progress
from core.services.judging import judge_examples
from core.settings import JudgingSettings
from core.store import open_store

__all__ = ["bench_judge"]

CONCURRENCIES = (1, 8, 32)
ROUNDS = {1: 20, 8: 24, 32: 24}
"""How many times as many judgments as calls at a time."""
CALLS_A_JUDGMENT = 2
SIDE = 896


def bench_judge(*, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Judgments a second, ideally and measured, with 1, 8 and 32 calls at a time; and calls of a second pass."""
    screens = DrawnScreens(SIDE)
    examples_by_concurrency = {
        concurrency: _examples(screens, concurrency, ROUNDS[concurrency] * concurrency) for concurrency in CONCURRENCIES
    }
    with TemporaryDirectory() as directory, _server() as url:
        store = open_store(f"duckdb:///{Path(directory) / 'bench.duckdb'}")
        found = {}
        # The first call of a process loads the HTTP client.
        judge_examples(
            store, remote_judge("openai", JUDGE_PROMPT, _settings(url, 1)), _examples(screens, 0, 1), screens
        )
        for done, (concurrency, examples) in enumerate(examples_by_concurrency.items(), start=1):
            teacher = remote_judge("openai", JUDGE_PROMPT, _settings(url, concurrency))
            started = time.perf_counter()
            judge_examples(store, teacher, examples, screens)
            per_s = len(examples) / (time.perf_counter() - started)
            progress(done, len(CONCURRENCIES))
            ideal_per_s = concurrency / (CALLS_A_JUDGMENT * slow_server.ANSWERS_AFTER_S)
            found[str(concurrency)] = {
                "per_s": round(per_s, 2),
                "ideal_per_s": ideal_per_s,
                "efficiency": round(per_s / ideal_per_s, 3),
            }
        first_pass_calls = _calls(url)
        for concurrency, examples in examples_by_concurrency.items():
            judge_examples(store, remote_judge("openai", JUDGE_PROMPT, _settings(url, concurrency)), examples, screens)
        return {"by_concurrency": found, "second_pass_calls": _calls(url) - first_pass_calls}


def _examples(screens: DrawnScreens, concurrency: int, number: int) -> list[Example]:
    drawn = [item.example for item in screens.items]
    return [
        Example.make("screen", of.media, f"{of.ask} ({concurrency}, {place})", answers=of.answers)
        for place, of in ((place, drawn[place % len(drawn)]) for place in range(number))
    ]


def _settings(url: str, concurrency: int) -> JudgingSettings:
    return JudgingSettings(base_url=f"{url}/v1", model="slow", concurrency=concurrency)


def _calls(url: str) -> int:
    return int(httpx.get(url).json()["calls"])


@contextmanager
def _server() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, str(Path(slow_server.__file__))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
