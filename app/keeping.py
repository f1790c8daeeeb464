"""`nightshift data`: what nights learnt from, version by version, and the way to other programs."""

from pathlib import Path
from typing import Annotated

import typer

from app.options import SCREEN, Environment, Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["data"]

data = typer.Typer(help="What nights learnt from, version by version.", no_args_is_help=True)

Version = Annotated[str, typer.Argument(help="`latest`, or a version's id or how it begins.")]
FORMATS = "`folder` (CSV and pictures), `parquet` (for `datasets`), `webdataset` or `label-studio`."


@data.command("versions")
def versions_(environment: Environment = SCREEN, home: Home = None, as_json: Json = False) -> None:
    """Every version, newest first, and how many examples entered and left since the one before."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.versions import listed

        return listed(home, environment)

    run(command, home=home, as_json=as_json)


@data.command()
def show(
    version: Version = "latest", environment: Environment = SCREEN, home: Home = None, as_json: Json = False
) -> None:
    """One version in full; it is made again from the words of its time, and must have the same id."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.versions import show

        return show(home, environment, version)

    run(command, home=home, as_json=as_json)


@data.command()
def diff(
    one: Annotated[str, typer.Argument(help="The earlier version.")],
    other: Annotated[str, typer.Argument(help="The later one.")] = "latest",
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """What entered, left, changed its answer or its part from one version to another."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.versions import diff

        return diff(home, environment, one, other)

    run(command, home=home, as_json=as_json)


@data.command()
def card(
    version: Version = "latest", environment: Environment = SCREEN, home: Home = None, as_json: Json = False
) -> None:
    """A version in words, as Markdown: what it holds, and what to mind."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.versions import card

        return card(home, environment, version)

    run(command, home=home, as_json=as_json)


@data.command()
def export(
    out: Annotated[Path, typer.Option(metavar="DIR", help="A folder that is not there yet.")],
    version: Annotated[
        str, typer.Argument(help="`now`: the words as they stand; `latest`, or a version's id or how it begins.")
    ] = "now",
    format: Annotated[str, typer.Option(help=FORMATS)] = "parquet",
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write a version with its pictures, a card and a manifest of hashes; `nightshift import` reads each format."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.versions import export

        return export(terminal, home, environment, version, format, out)

    run(command, home=home, as_json=as_json)
