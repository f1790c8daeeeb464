"""`nightshift bench`: one function a benchmark."""

from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from app.options import SCREEN
from app.terminal import Answer, Terminal
from core.services import Workspace
from core.settings import load_settings

__all__ = ["classify", "gate", "gpu", "grpo", "ingest", "judge", "reading", "replay", "serve", "variance"]


WITHOUT_VLLM = "vLLM is not installed, so it is not measured; `make vllm` installs it beside the rest"


def classify(terminal: Terminal, home: Path | None) -> Answer:
    """Our verdicts beside `generate` and vLLM, all on as many threads as a training of this home gets."""
    torch.set_num_threads(load_settings(home).learning.threads)
    from core.services.bench.classify import bench_classify

    with terminal.progress("rounds of verdicts, in turns") as progress:
        found = bench_classify(progress=progress)
    return Answer(found, partial(_show_classify, found))


def gate(terminal: Terminal, nights: int) -> Answer:
    """The shipped gate over simulated nights."""
    from core.services.bench.gate import bench_gate

    with terminal.progress("homes and nights") as progress:
        found = bench_gate(nights=nights, progress=progress)
    return Answer(found, partial(_show_gate, found))


def gpu(terminal: Terminal, model: str) -> Answer:
    """Verdicts and a training step on the GPU of this machine."""
    from core.learning.on_gpu import bench_gpu

    with terminal.progress("rounds of verdicts and steps") as progress:
        found = bench_gpu(model, progress=progress)
    return Answer(found, partial(_show_gpu, found))


def grpo(terminal: Terminal, home: Path | None) -> Answer:
    """Our trainer beside stock TRL, both on as many threads as a training of this home gets."""
    from core.services.bench.grpo import bench_grpo  # imports TRL

    torch.set_num_threads(load_settings(home).learning.threads)
    with terminal.progress("training steps, in turns") as progress:
        found = bench_grpo(progress=progress)
    return Answer(found, partial(_show_grpo, found))


def ingest(terminal: Terminal, corrections: int, predictions: int) -> Answer:
    """A night's ingest over a large store, while feedback is posted."""
    from core.services.bench.ingest import bench_ingest

    with terminal.progress("kinds of records made up") as progress:
        found = bench_ingest(corrections, predictions, progress=progress)
    return Answer(found, partial(_show_ingest, found))


def replay(terminal: Terminal, rows: int) -> Answer:
    """Priorities and draws over many corrections, beside the same in pandas."""
    from core.services.bench.replay import bench_replay

    with terminal.progress("turns of both") as progress:
        found = bench_replay(rows, progress=progress)
    return Answer(found, partial(_show_replay, found))


def judge(terminal: Terminal) -> Answer:
    """Judgments by a server that answers after 200 ms."""
    from core.services.bench.judging import bench_judge

    with terminal.progress("judgments") as progress:
        found = bench_judge(progress=progress)
    return Answer(found, partial(_show_judge, found))


def reading(terminal: Terminal, home: Path | None, dataset: Path, screens: int, frames: Path | None) -> Answer:
    """Reading beside RapidOCR as it comes, and reading again what changed."""
    from core.services.bench.reading import bench_reading

    with terminal.progress("reading screens") as progress:
        ws = Workspace.open(home)
        found = bench_reading(ws, SCREEN, dataset, screens, frames=frames, progress=progress)
    return Answer(found, partial(_show_reading, found))


def serve(terminal: Terminal, dataset: Path | None) -> Answer:
    """A server in a process of its own, under load and while champions replace each other."""
    from app.load.bench import bench_serve

    with terminal.progress("measurements") as progress:
        found = bench_serve(dataset, progress=progress)
    return Answer(found, partial(_show_serve, found))


def variance(terminal: Terminal, home: Path | None, seed: int) -> Answer:
    """The noise of a step's gradient with sampled and with exact groups."""
    from core.services.bench.variance import bench_variance

    with terminal.progress("students") as progress:
        found = bench_variance(Workspace.open(home), SCREEN, seed=seed, progress=progress)
    return Answer(found, partial(_show_variance, found))


def _show_classify(found: dict[str, Any], console: Console) -> None:
    for name, took in found.items():
        vllm = "" if took["vllm_ms"] is None else f", vLLM {took['vllm_ms']:.1f} ms"
        console.print(
            f"{name.removeprefix('batch_')} at once: {took['ours_ms']:.1f} ms, generate {took['generate_ms']:.1f} ms"
            f"{vllm}; {took['ratio']:.2f} times as fast as generate"
        )
    if any(took["vllm_ms"] is None for took in found.values()):
        console.print(WITHOUT_VLLM)


def _show_gate(found: dict[str, Any], console: Console) -> None:
    *cells, drift = found["cells"]
    for cell in cells:
        console.print(
            f"{cell['cell']}: promoted at once {cell['at_once']:.1%}, within five nights {cell['within_five']:.1%}, "
            f"{cell['a_night']:.2%} of {cell['nights']} nights"
        )
    console.print(
        f"over {drift['nights']} nights accuracy rose by {100 * drift['mean']:.1f} points on average, by "
        f"{100 * drift['lowest']:+.1f} at least, in {drift['homes']} homes"
    )


def _show_gpu(found: dict[str, Any], console: Console) -> None:
    verdict = found["classify"]
    console.print(f"{found['model']} on {found['device']}")
    console.print(
        f"a verdict at {verdict['side']} x {verdict['side']}: {verdict['p50_ms']} ms, p95 {verdict['p95_ms']} ms"
    )
    for size, rate in found["screens_per_s"].items():
        console.print(f"{size} at once: {rate} screens a second")
    for kind, what in (("train", "answers"), ("free_text", "texts")):
        step = found[kind]
        console.print(f"a step of {step['prompts']} prompts x {step['group_size']} {what}: {_step(step)}")
        console.print(f"the same by TRL: {_step(step['trl']) if step['trl'] else 'not measured, it is not installed'}")


def _step(step: dict[str, Any]) -> str:
    memory = "" if step["peak_gib"] is None else f", {step['peak_gib']} GiB of its memory at most"
    return f"{step['step_s']} s, {step['samples_per_s']} samples a second{memory}"


def _show_grpo(found: dict[str, Any], console: Console) -> None:
    console.print(f"{found['ours_s']:.3f} s a step, TRL {found['trl_s']:.3f} s, 8 prompts and 5 answers")
    for size, speedup in found["by_group_size"].items():
        console.print(f"{size} answers a group: {speedup:.1f} times faster")
    console.print(
        f"on the same completions the loss differs by {found['loss_rel_diff']:.1e}, "
        f"gradients by {found['grad_rel_diff']:.1e}"
    )


def _show_ingest(found: dict[str, Any], console: Console) -> None:
    posted = found["feedback"]
    console.print(
        f"{found['corrections']:,} corrections, {found['predictions']:,} predictions: ingest took "
        f"{found['ingest_s']:.1f} s and {found['rss_mb']:,} MB, and held the file for {found['longest_hold_s']:.2f} s "
        "at most"
    )
    console.print(
        f"{posted['n']} words posted meanwhile: acknowledged after {posted['p50_ms']:.0f} ms, p99 "
        f"{posted['p99_ms']:.0f} ms"
    )


def _show_replay(found: dict[str, Any], console: Console) -> None:
    console.print(
        f"{found['rows']:,} corrections: 512 drawn in {found['sample_ms']:.2f} ms, priorities made anew in "
        f"{found['refresh_s']:.2f} s, in pandas {found['pandas_s']:.2f} s ({found['ratio']:.1f} times as long)"
    )


def _show_judge(found: dict[str, Any], console: Console) -> None:
    for concurrency, of_it in found["by_concurrency"].items():
        console.print(
            f"{concurrency} calls at a time: {of_it['per_s']:.1f} judgments a second of at most "
            f"{of_it['ideal_per_s']:.1f}, efficiency {of_it['efficiency']:.2f}"
        )
    console.print(f"the same again: {found['second_pass_calls']} calls")


def _show_reading(found: dict[str, Any], console: Console) -> None:
    console.print(f"{found['n']} screens: {found['full']['p50_ms']} ms each, read {found['ratio']} times as fast")
    console.print(f"title, elements and signals of a screen that is read: {found['verifier']['p50_ms']} ms more")
    for kind, again in (("drawn", found["incremental"]), ("recorded", found["recorded"])):
        if again["n"]:
            console.print(
                f"{again['n']} {kind} changes: {again['p50_ms']} ms each; "
                f"{again['verdicts_equal']:.1%} of the verdicts and {again['lines_equal']:.1%} of the lines equal"
            )


def _show_serve(found: dict[str, Any], console: Console) -> None:
    for clients, kinds in found["by_clients"].items():
        for kind, of_it in kinds.items():
            console.print(
                f"{clients} clients, {kind} screens: {of_it['rps']} a second, {of_it['p50_ms']} ms, "
                f"p95 {of_it['p95_ms']} ms, p99 {of_it['p99_ms']} ms, {of_it['errors']} errors"
            )
    console.print(
        f"with a batch of 1: {found['unbatched_rps_32']} a second; batching is {found['ratio']} times as fast"
    )
    swaps = found["swaps"]
    console.print(f"{swaps['n']} swaps under load: {swaps['failed']} answers failed, {swaps['mixed']} mixed")


def _show_variance(found: dict[str, Any], console: Console) -> None:
    for student, noise in found["students"].items():
        console.print(f"{student}: exact groups, cosine with the expected gradient {noise['exact']['cosine']:.3f}")
        for size, sampled in noise["sampled"].items():
            console.print(
                f"{student}: {size} answers sampled, cosine {sampled['cosine']:.3f}, "
                f"variance {sampled['trace_ratio']:.2f} times that of exact groups"
            )
