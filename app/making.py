"""Commands that make data where there is none: `nightshift draw`, `nightshift bootstrap`."""

import os
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from app.options import Home, Json, NewFolder
from app.terminal import Answer, Terminal, run

__all__ = ["bootstrap", "draw"]

HUB = "hub:"


def draw(
    out: NewFolder,
    count: Annotated[int, typer.Option(min=1, help="Screens.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same screens.")] = 0,
    kind: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="`desktop`, `web` or `phone`; may be given again. Else all of them."),
    ] = None,
    language: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="`en`, `de`, `fr`, `es`, or one of your own; may be given again. Else all of them."),
    ] = None,
    templates: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="Applications of your own beside ours: apps/*.toml, layouts/*.html."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Draw realistic, labelled screens in Chromium, with their titles, windows, elements and lines of text."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.drawing import draw

        return draw(
            terminal, out, count=count, seed=seed, kinds=kind or (), languages=language or (), templates=templates
        )

    run(command, home=home, as_json=as_json)


def bootstrap(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder of images or of .tar shards; `store`: screens nobody labelled; hub:OWNER/NAME[#PATTERN]."
        ),
    ],
    examples: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=2, help="Examples to train on; else bootstrap.examples."),
    ] = None,
    validation: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=0, help="Examples set aside; else bootstrap.validation."),
    ] = None,
    captioner: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="MODEL", help="BLIP or BLIP-2, a folder or hub name; else bootstrap.captioner."),
    ] = None,
    domains: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Domains of work of your own; else bootstrap.domains."),
    ] = None,
    train: Annotated[bool, typer.Option("--train/--no-train", help="Train on it, by sft and then grpo.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a first training set of pictures that nobody labelled: captions, works, a judge's labels; resumable."""
    if source.startswith(HUB):
        # The one command that may fetch, and only where a repository is named.
        os.environ["HF_HUB_OFFLINE"] = "0"
    wanted: dict[str, Any] = {"examples": examples, "validation": validation, "captioner": captioner}
    if domains is not None:
        wanted["domains"] = str(domains.expanduser().resolve())

    def command(terminal: Terminal) -> Answer:
        from app.commands.bootstrapping import bootstrap

        told = {name: value for name, value in wanted.items() if value is not None}
        return bootstrap(terminal, home, source, told, train=train, seed=seed)

    run(command, home=home, as_json=as_json)
