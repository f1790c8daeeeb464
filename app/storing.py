"""`nightshift store`, `nightshift backup`, `nightshift restore`: an installation as a whole."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from app.options import Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["backup", "restore", "store"]

store = typer.Typer(help="What holds the records: copy it, put it in order.", no_args_is_help=True)


@store.command()
def copy(
    source: Annotated[str, typer.Option("--from", metavar="URL", help="The store that is copied.")],
    target: Annotated[str, typer.Option("--to", metavar="URL", help="Where there is no store yet.")],
    to_home: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="Copy pictures and models too, to where this home keeps them."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Copy every record to another store, on the same engine or the other, and compare both by their manifests."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.storing import copy

        return copy(terminal, home, source, target, to_home)

    run(command, home=home, as_json=as_json)


@store.command()
def tend(home: Home = None, as_json: Json = False) -> None:
    """Put in order what many small writes left behind; each night ends with it."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.storing import tend

        return tend(home)

    run(command, home=home, as_json=as_json)


def backup(
    target: Annotated[Path, typer.Argument(metavar="DEST", help="A folder that is not there yet.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Copy the whole installation into a folder, while it is used."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.storing import backup

        return backup(terminal, home, target)

    run(command, home=home, as_json=as_json)


def restore(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A folder that `nightshift backup` made.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make an installation out of a backup, where there is none: all of it or nothing."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.storing import restore

        return restore(terminal, home, source)

    run(command, home=home, as_json=as_json)
