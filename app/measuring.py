"""Groups of commands that measure: `nightshift bench`, `nightshift judge`, `nightshift verify`."""

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from app.options import Dataset, Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["bench", "judge", "verify"]

bench = typer.Typer(
    help="How fast, beside what everyone would use; and how often the gate is wrong.", no_args_is_help=True
)
judge = typer.Typer(help="How far a judge can be trusted.", no_args_is_help=True)
verify = typer.Typer(help="What rules see on a screen, without any model of work.", no_args_is_help=True)


@judge.command("eval")
def judge_eval(
    dataset: Dataset,
    judge: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="`reading`, `openai`, `azure` or `huggingface`; else the setting `judge`."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure how far a judge agrees with the labels of a folder; its judgments are kept and not paid for twice."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.judging import evaluate

        return evaluate(terminal, home, dataset, judge)

    run(command, home=home, as_json=as_json)


@bench.command("judge")
def bench_judge(home: Home = None, as_json: Json = False) -> None:
    """Time judgments by a local server that answers after 200 ms, with 1, 8 and 32 calls at a time."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import judge

        return judge(terminal)

    run(command, home=home, as_json=as_json)


@bench.command("reading")
def bench_reading(
    dataset: Dataset,
    screens: Annotated[int, typer.Option(min=1, help="Screens that are read, spread over the folder.")] = 40,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Read screens in full, with RapidOCR as it comes, and again after small changes."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import reading

        return reading(terminal, home, dataset, screens)

    run(command, home=home, as_json=as_json)


@bench.command("classify")
def bench_classify(home: Home = None, as_json: Json = False) -> None:
    """Time verdicts of ours, of `generate` and of vLLM, in turns, with the same tiny vision-language model."""

    # Waiting threads leave the cores to whose turn it is.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import classify

        return classify(terminal, home)

    run(command, home=home, as_json=as_json)


@bench.command("gate")
def bench_gate(
    nights: Annotated[int, typer.Option(min=1, help="Simulated homes a cell; each lives up to five nights.")] = 2000,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Simulate nights for the shipped gate: how often it promotes what is worse or no better, and misses what is."""

    # Many small sums: more than one thread only costs.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import gate

        return gate(terminal, nights)

    run(command, home=home, as_json=as_json)


@bench.command()
def gpu(
    model: Annotated[str, typer.Option(help="`3b`, on a GPU; or `tiny`, which only shows that it runs.")] = "3b",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Time verdicts and a training step of a Qwen2.5-VL-3B with random weights on a GPU."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import gpu

        return gpu(terminal, model)

    run(command, home=home, as_json=as_json)


@bench.command()
def grpo(home: Home = None, as_json: Json = False) -> None:
    """Time a training step of ours and of stock TRL, in turns, on the same tiny vision-language model."""

    # As in a training process; torch reads it when it is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import grpo

        return grpo(terminal, home)

    run(command, home=home, as_json=as_json)


@verify.command()
def screen(
    image: Annotated[Path, typer.Argument(help="A PNG, JPEG or WebP file.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what the rules see on a screen: its window title and its elements."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.verifying import screen

        return screen(home, image)

    run(command, home=home, as_json=as_json)


@verify.command()
def titles(
    dataset: Annotated[
        Path, typer.Option("--dataset", metavar="DIR", help="images/ and a manifest.csv with file and window_title.")
    ],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure how well window titles are found, on a folder where a person read them."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.verifying import titles

        return titles(terminal, home, dataset)

    run(command, home=home, as_json=as_json)
