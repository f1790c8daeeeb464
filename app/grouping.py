"""Commands about groups of photos: `nightshift group`."""

from pathlib import Path
from typing import Annotated, Optional

import typer

from app.options import Home, Json, NewFolder
from app.terminal import Answer, Terminal, run

__all__ = ["group"]

group = typer.Typer(help="Group quality control: photos of a cabinet, passed or failed together.", no_args_is_help=True)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of photos.")]
Mission = Annotated[str, typer.Option(metavar="NAME", help="What is inspected, `air_baffle` for example.")]
Release = Annotated[str, typer.Option(help="`champion`, or a release's id or how it begins.")]


@group.command("inspect")
def inspect(
    directory: Folder, mission: Mission, release: Release = "champion", home: Home = None, as_json: Json = False
) -> None:
    """Take the photos of one group in, and give a verdict with its reason."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.groups import inspect

        return inspect(home, directory, mission, release)

    run(command, home=home, as_json=as_json)


@group.command("day")
def day(
    directory: Folder,
    mission: Mission,
    release: Release = "champion",
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="FILE", help="Keep the lines of photos here, as JSONL; a killed run goes on from it."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Inspect every group of a day's folder: a folder each, or photos whose names say their group."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.groups import day

        return day(terminal, home, directory, mission, release, out)

    run(command, home=home, as_json=as_json)


@group.command("inbox")
def inbox(home: Home = None, as_json: Json = False) -> None:
    """Inspect what is new in the folder that `group_qc.inbox` names, as a night does before it learns."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.groups import inbox

        return inbox(terminal, home)

    run(command, home=home, as_json=as_json)


@group.command("watch")
def watch(
    days: Annotated[float, typer.Option(min=0.01, help="What counts as lately.")] = 7.0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say how often groups pass, whether that drifts, and how often audits found a pass to be false."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.groups import watch

        return watch(home, days)

    run(command, home=home, as_json=as_json)


@group.command("import")
def import_labelled(directory: Folder, home: Home = None, as_json: Json = False) -> None:
    """Take in labelled groups: a folder of photos each, and groups.csv (group, mission, verdict, reason)."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.groups import GROUP_QC
        from app.commands.importing import import_folder

        return import_folder(terminal, home, GROUP_QC, directory)

    run(command, home=home, as_json=as_json)


@group.command("draw")
def draw(
    out: NewFolder,
    count: Annotated[int, typer.Option(min=1, help="Groups.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="The same seed draws the same groups.")] = 0,
    mission: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(metavar="NAME", help="What is inspected; may be given again. Else all that are shipped."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Draw labelled groups of photos, half of them with a planted fault, in the form that `group import` takes."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.groups import draw

        return draw(terminal, out, count=count, seed=seed, missions=mission or ())

    run(command, home=home, as_json=as_json)
