"""`nightshift disputes`: where people's words contradict each other, and the word that settles it."""

from typing import Annotated, Optional

import typer

from app.options import SCREEN, Environment, Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["disputes"]

disputes = typer.Typer(help="Where people's words contradict each other.", no_args_is_help=True)


@disputes.command("list")
def list_(environment: Environment = SCREEN, home: Home = None, as_json: Json = False) -> None:
    """Every example whose label is kept out of training, because people or near-duplicates contradict it."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.disputes import listed

        return listed(home, environment)

    run(command, home=home, as_json=as_json)


@disputes.command()
def settle(
    example: Annotated[str, typer.Argument(help="As `disputes list` names it.")],
    label: Annotated[
        str, typer.Option(metavar="LABEL", help="The right answer, for a screen on_task or off_task; or cannot_tell.")
    ],
    reason: Annotated[Optional[str], typer.Option(metavar="TEXT", help="Why.")] = None,  # noqa: UP045
    reviewer: Annotated[Optional[str], typer.Option(metavar="NAME", help="Whose word it is.")] = None,  # noqa: UP045
    environment: Environment = SCREEN,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Say what is right about an example in dispute; its label is trained on from the next night on."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.disputes import settle

        return settle(home, environment, example, label, reason, reviewer)

    run(command, home=home, as_json=as_json)
