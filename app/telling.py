"""`nightshift notices`: what other programs are told of."""

from typing import Annotated, Optional

import typer

from app.options import Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["notices"]

notices = typer.Typer(help="What other programs are told of, and whether they heard it.", no_args_is_help=True)


@notices.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, help="Newest notices to show.")] = 20,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show the newest notices, and where each stands with the addresses that want it."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.notices import newest

        return newest(home, limit)

    run(command, home=home, as_json=as_json)


@notices.command()
def deliver(home: Home = None, as_json: Json = False) -> None:
    """Post what is due now; while Nightshift is up, it does so by itself."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.notices import deliver

        return deliver(home)

    run(command, home=home, as_json=as_json)


@notices.command()
def replay(
    notice: Annotated[str, typer.Argument(help="A notice's id, or how it begins.")],
    webhook: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="Only to this address; else to all that want it."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Tell a notice again, whether or not it arrived."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.notices import replay

        return replay(home, notice, webhook)

    run(command, home=home, as_json=as_json)
