"""`nightshift watch`: the screen of this machine, looked at while somebody works."""

from typing import Annotated, Optional

import typer

from app.options import Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["watch"]


def watch(
    work: Annotated[str, typer.Option(metavar="TEXT", help="The work that the screen is held against.")],
    every: Annotated[float, typer.Option(min=0.2, metavar="SECONDS", help="How often it is looked at.")] = 5.0,
    monitor: Annotated[int, typer.Option(min=0, help="Which monitor; 0 is all of them.")] = 1,
    url: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="A server that answers; without it nothing leaves this machine."),
    ] = None,
    token_env: Annotated[
        str, typer.Option(metavar="NAME", help="Environment variable that holds the server's token.")
    ] = "NIGHTSHIFT_TOKEN",
    screens: Annotated[Optional[int], typer.Option(min=1, help="Stop after so many looks.")] = None,  # noqa: UP045
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Classify this machine's screen every few seconds; c corrects the last verdict, u takes that back, q ends it."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.watch import Asked, watch

        return watch(terminal, home, Asked(work, every, monitor, url, token_env, screens))

    run(command, home=home, as_json=as_json)
