"""The group of commands about variants: `nightshift variants`."""

from typing import Annotated, Optional

import typer

from app.options import Dataset, Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["variants"]

variants = typer.Typer(help="What a night makes of corrections besides the corrections.", no_args_is_help=True)


@variants.callback()
def _group() -> None:
    """A group of one command would be that command."""


@variants.command("ablate")
def variants_ablate(
    dataset: Dataset,
    splits: Annotated[int, typer.Option(min=1, help="Times the applications are split into halves.")] = 5,
    kinds: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="A,B,...", help="Kinds to leave out, one at a time; else each that is on."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Train with and without each kind, measure on applications that were not learnt from, and name those that harm."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.varying import ablate

        return ablate(terminal, home, dataset, splits=splits, kinds=kinds, seed=seed)

    run(command, home=home, as_json=as_json)
