"""`nightshift`: the command line.

Commands are declared here and live in `app/commands`, which is imported only when one runs: `--help` loads nothing.
"""

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from app.admitting import audit, tokens, users
from app.disputing import disputes
from app.erasing import forget, retention
from app.grouping import group
from app.keeping import data
from app.making import bootstrap, draw
from app.measuring import bench, judge, verify
from app.options import SCREEN, Dataset, Environment, Home, Json
from app.releasing import models
from app.storing import backup, restore, store
from app.telling import notices
from app.terminal import Answer, Terminal, run
from app.varying import variants
from app.watch import watch

__all__ = ["app", "main"]

app = typer.Typer(
    name="nightshift",
    help="Turns people's corrections of a classifier into a better, safely promoted model by the next morning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(models, name="models")
app.add_typer(data, name="data")
app.add_typer(bench, name="bench")
app.add_typer(disputes, name="disputes")
app.add_typer(judge, name="judge")
app.add_typer(verify, name="verify")
app.add_typer(group, name="group")
app.add_typer(notices, name="notices")
app.add_typer(users, name="users")
app.add_typer(tokens, name="tokens")
app.command()(audit)
app.command()(watch)
app.add_typer(retention, name="retention")
app.add_typer(store, name="store")
app.add_typer(variants, name="variants")
app.command()(backup)
app.command()(restore)
app.command()(draw)
app.command()(bootstrap)


@app.command()
def up(
    home: Home = None,
    as_json: Json = False,
    host: Annotated[Optional[str], typer.Option(help="Address of the console and the API.")] = None,  # noqa: UP045
    port: Annotated[Optional[int], typer.Option(help="Port of the console and the API.")] = None,  # noqa: UP045
    prefect_port: Annotated[Optional[int], typer.Option(help="Port of the Prefect server.")] = None,  # noqa: UP045
    samples: Annotated[
        Optional[bool],  # noqa: UP045
        typer.Option("--samples/--no-samples", help="Load drawn sample screens into an empty home."),
    ] = None,
) -> None:
    """Start the console, the API and the nightly flow; Ctrl-C stops all of it."""

    def command(terminal: Terminal) -> Answer | None:
        from app.up import Wanted
        from app.up import up as start

        return start(home, Wanted(host=host, port=port, prefect_port=prefect_port, samples=samples), terminal)

    run(command, home=home, as_json=as_json)


@app.command("import")
def import_(
    directory: Annotated[Path, typer.Argument(help="A labelled folder, an export of ours, or images alone.")],
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take in screens or groups; labels count as a person's feedback. Reads every format `data export` writes."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.importing import import_folder

        return import_folder(terminal, home, environment, directory)

    run(command, home=home, as_json=as_json)


@app.command()
def classify(
    image: Annotated[Path, typer.Argument(help="A PNG, JPEG or WebP file.")],
    work: Annotated[str, typer.Option(metavar="TEXT", help="The work the screen is held against.")],
    session: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="The sitting that the screen belongs to; kept with the picture."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say whether a screen is on task for the work described."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.data import classify_image

        return classify_image(home, image, work, session)

    run(command, home=home, as_json=as_json)


@app.command()
def correct(
    prediction_id: Annotated[str, typer.Argument(help="As `classify` gave it.")],
    label: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="LABEL", help="The right answer, for a screen on_task or off_task; or cannot_tell."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back the last word on this prediction.")] = False,
    reason: Annotated[Optional[str], typer.Option(metavar="TEXT", help="Why.")] = None,  # noqa: UP045
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Correct or confirm a prediction, or take the correction back."""
    if (label is None) != undo:
        raise typer.BadParameter("give either --label or --undo")
    if undo and reason is not None:
        raise typer.BadParameter("a --reason belongs to a --label")

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.data import correct_prediction

        return correct_prediction(home, prediction_id, label, reason)

    run(command, home=home, as_json=as_json)


@app.command()
def nightly(
    seed: Annotated[Optional[int], typer.Option(min=0, help="Else it follows from the date.")] = None,  # noqa: UP045
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Run a night now: learn from the corrections, and promote the challenger if it is provably better."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.nights import nightly

        return nightly(terminal, home, environment, seed)

    run(command, home=home, as_json=as_json)


@app.command()
def evaluate(
    dataset: Dataset,
    environment: Environment = SCREEN,
    release: Annotated[str, typer.Option(help="`champion`, or a release's id or how it begins.")] = "champion",
    policy: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="`prompt`: instead of a release, the baseline of a fixed prompt and no training."),
    ] = None,
    baseline: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="`prompt`: measure that baseline too, on the same pairs, and the difference from it."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Measure a release on a labelled folder; nothing is kept that training could see."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.measures import evaluate

        return evaluate(terminal, home, environment, dataset, release, policy, baseline)

    run(command, home=home, as_json=as_json)


@app.command()
def train(
    method: Annotated[str, typer.Option(help="`sft`: the likelihood of the labels; `grpo`: the loss of the nights.")],
    dataset: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--dataset", metavar="DIR", help="A labelled folder: images/, tasks.csv, manifest.csv."),
    ] = None,
    bootstrapped: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="VERSION", help="Or a version that `bootstrap` made: `latest`, an id, how one begins."),
    ] = None,
    environment: Environment = SCREEN,
    release: Annotated[str, typer.Option(help="Where to start: `champion`, or a release's id.")] = "champion",
    steps: Annotated[Optional[int], typer.Option(min=1, help="Else learning.steps.")] = None,  # noqa: UP045
    learning_rate: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(help="Else learning.learning_rate."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Train on a labelled folder or a bootstrapped set now; what comes out is a challenger and is not promoted."""
    if (dataset is None) == (bootstrapped is None):
        raise typer.BadParameter("give either --dataset or --bootstrapped")

    def command(terminal: Terminal) -> Answer:
        from app.commands.training import train

        return train(
            terminal,
            home,
            environment,
            method,
            dataset,
            bootstrapped=bootstrapped,
            release=release,
            steps=steps,
            learning_rate=learning_rate,
            seed=seed,
        )

    run(command, home=home, as_json=as_json)


@app.command()
def simulate(
    dataset: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--dataset", metavar="DIR", help="Labelled screens: images/, tasks.csv; groups are drawn."),
    ] = None,
    environment: Environment = SCREEN,
    corrections: Annotated[int, typer.Option(min=1, help="Pieces of feedback in all.")] = 50,
    nights: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Nights they are spread over; 2 for screens, and 1 is all for groups."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    relabel: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="CATEGORY=LABEL", help="Plants a rule of the customer's own; may be given again."),
    ] = None,
    taught: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="Groups: where `bench groups --keep` left both stages, taught alike."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Replay a labelled folder as an operator would, in a throw-away home, and measure what was learnt."""
    rules = dict(_rule(each) for each in relabel or ())

    def command(terminal: Terminal) -> Answer:
        from app.commands.measures import simulate

        return simulate(
            terminal,
            home,
            environment,
            dataset,
            corrections=corrections,
            nights=nights,
            seed=seed,
            relabel=rules,
            taught=taught,
        )

    run(command, home=home, as_json=as_json)


@app.command()
def ablate(
    dataset: Dataset,
    splits: Annotated[int, typer.Option(min=1, help="Times the applications are split into halves.")] = 5,
    arms: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="A,B,...", help="Arms to measure; else all of them."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FOLDER", help="Write the figures, a table and a drawing of confidences here."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Take one part of the learning out at a time, and measure on applications that were not learnt from."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.ablation import ablate

        return ablate(terminal, home, dataset, splits=splits, arms=arms, seed=seed, out=out)

    run(command, home=home, as_json=as_json)


@app.command()
def doctor(home: Home = None, as_json: Json = False) -> None:
    """Say what is wrong with this installation, and what to do."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import doctor

        return doctor(home)

    run(command, home=home, as_json=as_json)


app.command()(forget)


def main() -> None:
    """The console script."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    app()


QUIET = {
    "TQDM_DISABLE": "1",
    "DO_NOT_TRACK": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_OFFLINE": "1",
    # With Xet an upload is several commits, and a promotion has to be one.
    "HF_HUB_DISABLE_XET": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONWARNINGS": "ignore",
    # Processes are started by the names of our packages, which are names others use too.
    "PYTHONSAFEPATH": "1",
}
"""For libraries that draw bars, warn, or would call somebody, and read this when they are imported."""


def _rule(text: str) -> tuple[str, str]:
    category, separator, label = text.partition("=")
    if not (category and separator and label):
        raise typer.BadParameter(f"--relabel {text!r}: write CATEGORY=LABEL, for example video_streaming=on_task")
    return category, label


if __name__ == "__main__":
    main()
