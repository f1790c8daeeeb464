"""`nightshift users`, `nightshift tokens`, `nightshift audit`: who may come in, and what everybody did."""

from typing import Annotated, Optional

import typer

from app.options import Home, Json
from app.terminal import Answer, Terminal, run
from core.schema import Role, Scope

__all__ = ["audit", "tokens", "users"]

users = typer.Typer(help="Who may sign in, and what they may do.", no_args_is_help=True)
tokens = typer.Typer(help="Tokens with which programs use the API.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the user.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@users.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What they may do; the first user must be admin.")],
    password_stdin: FromStdin = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Add a user. From the first one on, everybody has to sign in."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.admitting import add_user

        return add_user(terminal, home, name, role, from_stdin=password_stdin)

    run(command, home=home, as_json=as_json)


@users.command("list")
def list_users(home: Home = None, as_json: Json = False) -> None:
    """Show who there is, and where they are signed in."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.admitting import list_users

        return list_users(home)

    run(command, home=home, as_json=as_json)


@users.command()
def role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="What they may do from now on.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Change what somebody may do, from their next request on."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.admitting import set_role

        return set_role(home, name, role)

    run(command, home=home, as_json=as_json)


@users.command()
def password(name: Name, password_stdin: FromStdin = False, home: Home = None, as_json: Json = False) -> None:
    """Give somebody a new password; their browsers are signed out, and a lock of theirs is lifted."""

    def command(terminal: Terminal) -> Answer:
        from app.commands.admitting import set_password

        return set_password(terminal, home, name, from_stdin=password_stdin)

    run(command, home=home, as_json=as_json)


@users.command()
def disable(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Shut somebody out at once: browsers are signed out, tokens refused."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.admitting import disable

        return disable(home, name, undo=undo)

    run(command, home=home, as_json=as_json)


@users.command()
def remove(name: Name, home: Home = None, as_json: Json = False) -> None:
    """Shut somebody out for good. After the last user nobody has to sign in, and only this machine is served."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.admitting import remove

        return remove(home, name)

    run(command, home=home, as_json=as_json)


@tokens.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the token is called, to be told from others by.")],
    user: Annotated[str, typer.Option(metavar="NAME", help="Whose it is; it may do no more than they may.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may be used for; may be given again.")],
    days: Annotated[int, typer.Option(min=1, help="How long it lasts.")] = 90,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Make a token. Its secret is shown this once."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.admitting import create_token

        return create_token(home, user, name, scope, days)

    run(command, home=home, as_json=as_json)


@tokens.command("list")
def list_tokens(
    user: Annotated[Optional[str], typer.Option(metavar="NAME", help="Only those of one user.")] = None,  # noqa: UP045
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show the tokens that count, never their secrets."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.admitting import list_tokens

        return list_tokens(home, user)

    run(command, home=home, as_json=as_json)


@tokens.command()
def revoke(
    token: Annotated[str, typer.Argument(help="Its name, or how its id begins.")],
    home: Home = None,
    as_json: Json = False,
) -> None:
    """End a token at once."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.admitting import revoke_token

        return revoke_token(home, token)

    run(command, home=home, as_json=as_json)


def audit(
    limit: Annotated[int, typer.Option(min=1, help="Newest lines to show.")] = 50,
    who: Annotated[Optional[str], typer.Option(metavar="NAME", help="Only what one person did.")] = None,  # noqa: UP045
    action: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="ACTION", help="Only this action (`user.added`), or kind of action (`user`)."),
    ] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Show who did what, newest first."""

    def command(terminal: Terminal) -> Answer:  # noqa: ARG001
        from app.commands.admitting import audit

        return audit(home, limit, who, action)

    run(command, home=home, as_json=as_json)
