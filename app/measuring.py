"""Groups of commands that measure: `nightshift bench`, `nightshift judge`, `nightshift verify`."""

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from app.options import SCREEN, Dataset, Environment, Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["bench", "judge", "verify"]

bench = typer.Typer(
    help="How fast, beside what everyone would use; and how often the gate is wrong.", no_args_is_help=True
)
judge = typer.Typer(help="How far a judge can be trusted.", no_args_is_help=True)
verify = typer.Typer(help="What rules see on a screen, without any model of work.", no_args_is_help=True)

JUDGES = "`reading`, `openai`, `azure`, `huggingface`, `transformers`, `vllm`, or several, set off by commas: a panel"


@judge.command("eval")
def judge_eval(
    dataset: Dataset,
    judge: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help=f"{JUDGES}; else the setting `judge`."),
    ] = None,
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure how far a judge agrees with the labels of a folder; its judgments are kept and not paid for twice."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.judging import evaluate

        return evaluate(terminal, home, environment, dataset, judge)

    run(command, home=home, as_json=as_json)


@judge.command("audit")
def judge_audit(
    judge: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help=f"{JUDGES}; else the setting `judge`."),
    ] = None,
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Hold a judge against the feedback of this home that it was not tuned on; what is found is kept."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.judging import audit

        return audit(terminal, home, environment, judge)

    run(command, home=home, as_json=as_json)


@judge.command("simulate")
def judge_simulate(
    seeds: Annotated[int, typer.Option(min=1, help="Times everything is drawn anew.")] = 3,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FOLDER", help="Write the figures and a chart here."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Let nights learn from judges that are wrong 0 to 40% of the time, with and without earned weights."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.judging import simulate

        return simulate(terminal, home, seeds, out)

    run(command, home=home, as_json=as_json)


@bench.command("judge")
def bench_judge(home: Home = None, as_json: Json = False) -> None:
    """Time judgments by a local server that answers after 200 ms, with 1, 8 and 32 calls at a time."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import judge

        return judge(terminal)

    run(command, home=home, as_json=as_json)


@bench.command("groups")
def bench_groups(
    seed: Annotated[int, typer.Option(min=0)] = 0,
    keep: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="A new folder for both stages; `simulate --taught DIR` goes on with them."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Teach both stages of group quality control to tiny models on drawn groups, and measure them on unseen ones."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.groups import bench

        return bench(terminal, seed, keep)

    run(command, home=home, as_json=as_json)


@bench.command("hostile")
def bench_hostile(
    dataset: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--dataset", metavar="DIR", help="Real screens beside the drawn ones: images/, tasks.csv."),
    ] = None,
    release: Annotated[str, typer.Option(help="`champion`, or a release's id or how it begins.")] = "champion",
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write orders, fake system messages, rubrics and verdicts on screens, and count whose verdicts follow them."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.hostile import hostile

        return hostile(terminal, home, dataset, release)

    run(command, home=home, as_json=as_json)


@bench.command("reading")
def bench_reading(
    dataset: Dataset,
    screens: Annotated[int, typer.Option(min=1, help="Screens that are read, spread over the folder.")] = 40,
    frames: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="Recordings: folders of PNGs, each a screen from moment to moment."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Read screens in full, with RapidOCR as it comes, and again after small changes."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import reading

        return reading(terminal, home, dataset, screens, frames)

    run(command, home=home, as_json=as_json)


@bench.command("variants")
def bench_variants(
    screens: Annotated[int, typer.Option(min=1, help="Drawn screens that are varied.")] = 26,
    processes: Annotated[int, typer.Option(min=1, help="Processes that make and read pictures side by side.")] = 2,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Time making variants of drawn screens, and reading those again that have other pixels."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.varying import bench

        return bench(terminal, home, screens, processes)

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
    nights: Annotated[int, typer.Option(min=1, help="Simulated nights a cell, at least.")] = 2000,
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


@bench.command("replay")
def bench_replay(
    rows: Annotated[int, typer.Option(min=1_000, max=10_000_000, help="Corrections that are made up.")] = 1_000_000,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Draw from a million corrections, and make their priorities anew, beside the same in pandas."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import replay

        return replay(terminal, rows)

    run(command, home=home, as_json=as_json)


@bench.command("ingest")
def bench_ingest(
    corrections: Annotated[int, typer.Option(min=100, help="Corrections in the store.")] = 100_000,
    predictions: Annotated[int, typer.Option(min=100, help="Predictions in the store.")] = 1_000_000,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Time a night's ingest over a store that has grown large, while people post feedback; in a throw-away home."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import ingest

        return ingest(terminal, corrections, predictions)

    run(command, home=home, as_json=as_json)


@bench.command()
def serve(
    dataset: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--dataset", metavar="DIR", help="A labelled folder: images/, tasks.csv; else screens are drawn."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Load a server with 1, 8 and 32 clients, beside one that answers singly, and swap champions under load."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import serve

        return serve(terminal, dataset)

    run(command, home=home, as_json=as_json)


@bench.command()
def variance(
    seed: Annotated[int, typer.Option(min=0, help="Of the batches and answers that are drawn.")] = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure the noise of a step's gradient where groups are sampled, beside exact groups on the same items."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.bench import variance

        return variance(terminal, home, seed)

    run(command, home=home, as_json=as_json)


@verify.command()
def screen(
    image: Annotated[Path, typer.Argument(help="A PNG, JPEG or WebP file.")],
    work: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="TEXT", help="Say of each element what the champion makes of it for this work."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what the rules see on a screen: its window title and its elements."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.verifying import screen

        return screen(home, image, work)

    run(command, home=home, as_json=as_json)


@verify.command()
def session(
    name: Annotated[Optional[str], typer.Argument(help="A session; else all of them are listed.")] = None,  # noqa: UP045
    home: Home = None,
    as_json: Json = False,
) -> None:
    """List sessions, or the verdicts of one, and which of them flip for a single screen."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.verifying import session

        return session(home, name)

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


@verify.command()
def drawn(
    dataset: Annotated[Path, typer.Option("--dataset", metavar="DIR", help="A folder that `nightshift draw` made.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure how much of what is true of drawn screens is found: titles, windows, elements, lines of text."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.verifying import drawn

        return drawn(terminal, home, dataset)

    run(command, home=home, as_json=as_json)
