"""`nightshift models`: every release, what a person decides about one, and the way to a hub and back."""

import os
from pathlib import Path
from typing import Annotated, Optional

import typer

from app.options import SCREEN, Environment, Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["models"]

models = typer.Typer(help="Every release: who serves, who did, what to do about one.", no_args_is_help=True)

Release = Annotated[str, typer.Argument(help="`champion`, `challenger`, or a release's id or how it begins.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; kept in the history.")]


@models.command("list")
def list_(environment: Environment = SCREEN, home: Home = None, as_json: Json = False) -> None:
    """Every release, newest first, with how it stands."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import listed

        return listed(home, environment)

    run(command, home=home, as_json=as_json)


@models.command()
def show(
    release: Release = "champion", environment: Environment = SCREEN, home: Home = None, as_json: Json = False
) -> None:
    """All that is known of one release: where it comes from, its gates, and what was done with it."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import show

        return show(home, environment, release)

    run(command, home=home, as_json=as_json)


@models.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="`champion`, `challenger`, or a release's id.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The release that A is compared with.")],
    dataset: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="A labelled folder, beside the golden examples of this home."),
    ] = None,
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Ask two releases the same labelled examples, and print every example whose verdict changed."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.models import compare

        return compare(terminal, home, environment, a, b, dataset)

    run(command, home=home, as_json=as_json)


@models.command()
def promote(
    release: Release, reason: Reason, environment: Environment = SCREEN, home: Home = None, as_json: Json = False
) -> None:
    """Make a release champion by hand; nothing is done where the champion changes meanwhile."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import promote

        return promote(home, environment, release, reason)

    run(command, home=home, as_json=as_json)


@models.command()
def reject(
    release: Release, reason: Reason, environment: Environment = SCREEN, home: Home = None, as_json: Json = False
) -> None:
    """Say no to a challenger: no night and no trial makes it champion."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import reject

        return reject(home, environment, release, reason)

    run(command, home=home, as_json=as_json)


@models.command()
def approve(reason: Reason, environment: Environment = SCREEN, home: Home = None, as_json: Json = False) -> None:
    """Say yes to the challenger that waits for approval; `reject` says no, and so does the deadline."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.rollout import approve

        return approve(home, environment, reason)

    run(command, home=home, as_json=as_json)


@models.command()
def rollout(environment: Environment = SCREEN, home: Home = None, as_json: Json = False) -> None:
    """How far the newest challenger is on its way: shadow, approval, canary, with figures."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.rollout import shown

        return shown(home, environment)

    run(command, home=home, as_json=as_json)


@models.command()
def quarantine(
    release: Release, reason: Reason, environment: Environment = SCREEN, home: Home = None, as_json: Json = False
) -> None:
    """Bar a release for good; where it serves, the champion before it serves again at once."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import quarantine

        return quarantine(home, environment, release, reason)

    run(command, home=home, as_json=as_json)


@models.command()
def rollback(
    to: Annotated[Optional[str], typer.Option(metavar="RELEASE", help="Else the one before.")] = None,  # noqa: UP045
    reason: Reason = "",
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make the champion before this one, or any earlier one, champion again."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import rollback

        return rollback(home, environment, to=to, reason=reason)

    run(command, home=home, as_json=as_json)


@models.command()
def verify(
    names: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Argument(metavar="[RELEASE]...", help="Else every release."),
    ] = None,
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Compare every file with its hash, load each release, and look for numbers that are not finite."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.models import verify

        return verify(terminal, home, environment, names or [])

    run(command, home=home, as_json=as_json)


@models.command()
def gc(
    really: Annotated[bool, typer.Option("--yes", help="Remove them; without it, only say which.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Remove weights that nothing needs any more: never a champion's, nor what a night or a trial is at work on."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import gc

        return gc(home, really=really)

    run(command, home=home, as_json=as_json)


@models.command()
def push(
    release: Release = "champion", environment: Environment = SCREEN, home: Home = None, as_json: Json = False
) -> None:
    """Take a release to the Hub: to a branch, looked at as downloaded; the champion becomes `main` and gets a tag."""
    _go_online()

    def command(terminal: Terminal) -> Answer:
        from app.commands.hub import push

        return push(terminal, home, environment, release)

    run(command, home=home, as_json=as_json)


@models.command()
def pull(
    tag: Annotated[str, typer.Option(metavar="REVISION", help="A tag, a branch or a commit.")] = "main",
    promote: Annotated[bool, typer.Option("--promote", help="Make it champion here.")] = False,
    reason: Reason = "",
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Fetch a release from the Hub, verified by its hash and loaded; nothing here changes unless all of it is right."""
    _go_online()

    def command(terminal: Terminal) -> Answer:
        from app.commands.hub import pull

        return pull(terminal, home, environment, tag, promote=promote, reason=reason)

    run(command, home=home, as_json=as_json)


def _go_online() -> None:
    """These two commands alone speak to the Hub; its client reads this when it is imported."""
    os.environ["HF_HUB_OFFLINE"] = "0"


@models.command()
def history(environment: Environment = SCREEN, home: Home = None, as_json: Json = False) -> None:
    """Every change of champion, newest first, with its reason."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import history

        return history(home, environment)

    run(command, home=home, as_json=as_json)


@models.command()
def merge(
    out: Annotated[Path, typer.Option(metavar="DIR", help="An empty or a new folder.")],
    release: Annotated[str, typer.Option(help="`champion`, or a release's id or how it begins.")] = "champion",
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Write a release as one complete model, without adapter, for other programs."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.models import merge

        return merge(home, environment, out, release)

    run(command, home=home, as_json=as_json)
