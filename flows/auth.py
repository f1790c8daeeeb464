"""What a home's Prefect server asks for: it runs what its API is told, so only this account may tell it anything."""

import os
import secrets
from pathlib import Path

__all__ = ["AUTH", "AUTH_FILE", "auth_of", "keep_auth", "new_auth"]

AUTH = "PREFECT_API_AUTH_STRING"
"The environment variable from which Prefect's own programs send it."

AUTH_FILE = Path("run") / "prefect.auth"
"In the home, for as long as Nightshift is up from it."


def new_auth() -> str:
    """A name and a secret, as basic authentication has them; each server that is started gets one of its own."""
    return f"nightshift:{secrets.token_urlsafe(24)}"


def keep_auth(home: Path, auth: str) -> None:
    """Writes it where whoever finds the server finds it, for this account alone."""
    file = home / AUTH_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    # A file that is there keeps its mode, and whoever has it open reads on.
    file.unlink(missing_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(auth)


def auth_of(home: Path) -> str | None:
    """What the server that is up from this home asks for; None where none says so."""
    try:
        return (home / AUTH_FILE).read_text()
    except FileNotFoundError:
        return None
