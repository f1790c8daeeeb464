"""`nightshift forget` and `nightshift retention`: what goes, on request and by its age."""

from datetime import datetime
from typing import Annotated, Optional

import typer

from app.options import Home, Json
from app.terminal import Answer, Terminal, run

__all__ = ["forget", "retention"]

retention = typer.Typer(no_args_is_help=True, help="What goes by its age.")


@retention.callback()
def _retention() -> None:
    """What goes by its age."""


def forget(
    screen: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="ID", help="A screen: the id of its picture, or of an example or a prediction of it."),
    ] = None,
    session: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="All screens of a session."),
    ] = None,
    reviewer: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="NAME", help="A person's words and name; the screens stay."),
    ] = None,
    before: Annotated[
        Optional[datetime],  # noqa: UP045
        typer.Option(metavar="DATE", help="All screens that came before and were not sent again since; local time."),
    ] = None,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept.")] = "on request",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Erase it; without this nothing goes.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Erase a screen, a session, a person's words or what is old, with all that was made of it; for good."""
    if sum(each is not None for each in (screen, session, reviewer, before)) != 1:
        raise typer.BadParameter("give exactly one of --screen, --session, --reviewer and --before")
    if dry_run and yes:
        raise typer.BadParameter("give either --dry-run or --yes")

    def command(terminal: Terminal) -> Answer:
        from app.commands.erasing import forget as erase
        from core.services import Wanted

        asked = Wanted(
            screen=screen,
            session=session,
            reviewer=reviewer,
            before=before.astimezone() if before is not None else None,
            reason=reason,
        )
        return erase(terminal, home, asked, really=yes)

    run(command, home=home, as_json=as_json)


@retention.command("run")
def retention_run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what is due.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Erase now what each night erases: screens nobody gave feedback on, once they are old."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.erasing import retain

        return retain(terminal, home, dry_run=dry_run)

    run(command, home=home, as_json=as_json)
