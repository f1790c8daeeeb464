"""What a verdict costs: one prefill of ours, `generate` of transformers, and vLLM, with the same tiny student.

A request runs from the bytes of a PNG to the verdict on every side: decoding, prompt, processor, model. The three
take turns with the same requests, each of which is sent once: pictures and prompts that vLLM has seen cost it
nothing, and nobody asks about the same screen twice. (What all prompts begin with it may keep, as it does in
service.) Screens have the size that the tiny model sees. One with random weights seldom says its end token early,
so `generate` mostly takes all its tokens here.
"""

import contextlib
import io
import itertools
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.environments.screen.prompt import PROMPT
from core.policy.vlm.policy import VlmPolicy
from core.policy.vlm.tiny import SIDE, tiny_vlm
from core.services.bench.screens import DrawnScreens
from core.services.bench.verdicts import Generated, Ours, Request, Side, served, vllm_is_installed
from core.services.importing import Progress
from core.settings import VlmSettings

__all__ = ["bench_classify"]

ROUNDS = {1: 40, 32: 9}
"Batch size to rounds in which every side takes its turn; one more, before them, is not timed."


def bench_classify(*, progress: Progress = lambda *_: None) -> dict[str, Any]:
    """Median milliseconds of a batch (at `batch_32`, of all 32 requests) on each side, by batch size.

    `ratio` is how many times as long `generate` takes as ours; `vllm_ms` is None where vLLM is not installed.
    """
    total, done = sum(rounds + 1 for rounds in ROUNDS.values()), itertools.count(1)
    found = {}
    with _sides() as sides:
        requests = _requests()
        for size, rounds in ROUNDS.items():
            took_ms: dict[str, list[float]] = {name: [] for name in sides}
            for _ in range(rounds + 1):
                batch = list(itertools.islice(requests, size))
                for name, side in sides.items():
                    started = time.perf_counter()
                    side.verdicts(batch)
                    took_ms[name].append((time.perf_counter() - started) * 1000)
                progress(next(done), total)
            found[f"batch_{size}"] = _figures({name: statistics.median(each[1:]) for name, each in took_ms.items()})
    return found


@contextlib.contextmanager
def _sides() -> Iterator[dict[str, Side]]:
    with TemporaryDirectory() as directory, contextlib.ExitStack() as engines:
        tiny, merged = Path(directory) / "tiny", Path(directory) / "merged"
        policy = VlmPolicy.create(PROMPT, VlmSettings(model=str(tiny_vlm("qwen2_5_vl", tiny))))
        policy.merge(merged)
        policy.freeze()
        sides: dict[str, Side] = {"ours": Ours(policy), "generate": Generated(policy, merged)}
        if vllm_is_installed():
            sides["vllm"] = engines.enter_context(served(policy, merged))
        yield sides


def _requests() -> Iterator[Request]:
    """Drawn screens and what was asked about them, over and over, no two pictures the same."""
    screens = DrawnScreens(SIDE)
    for number, item in enumerate(itertools.cycle(screens.items)):
        image = screens.image(item.example.media[0]).copy()
        row, column = divmod(number, image.width)
        image.putpixel((column, row), (255, 0, 255))
        file = io.BytesIO()
        image.save(file, "PNG")
        yield Request(file.getvalue(), item.example.ask)


def _figures(median_ms: dict[str, float]) -> dict[str, float | None]:
    vllm_ms = median_ms.get("vllm")
    return {
        "ours_ms": round(median_ms["ours"], 2),
        "generate_ms": round(median_ms["generate"], 2),
        "vllm_ms": None if vllm_ms is None else round(vllm_ms, 2),
        "ratio": round(median_ms["generate"] / median_ms["ours"], 3),
    }
