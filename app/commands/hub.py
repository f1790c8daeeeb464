"""`nightshift models push` and `pull`: the way of a release to the Hub and back."""

from pathlib import Path

from app.commands import opened
from app.terminal import Answer, Terminal
from core import services

__all__ = ["pull", "push"]


def push(terminal: Terminal, home: Path | None, environment: str, release: str) -> Answer:
    """Takes a release to the Hub. Raises HubError where that fails, with `main` there as it was."""
    done = services.push(
        opened(home, environment), environment, release, tell=lambda line: terminal.error.print(line, markup=False)
    )
    where = f"{done['release'][:12]} is on {done['repo']} at {done['candidate'][:12]}"
    said = f"main is {done['commit'][:12]}, tag {done['tag']}" if done["promoted"] else "it is not champion here"
    told = f"{where}, {done['examples']} answers compared; {said}."
    return Answer(done, lambda console: console.print(told, markup=False))


def pull(
    terminal: Terminal, home: Path | None, environment: str, revision: str, *, promote: bool, reason: str
) -> Answer:
    """Fetches a release. Raises HubError where it cannot be had, and NightshiftError where it is not what it says."""
    terminal.error.print(f"fetching {revision}", markup=False)
    done = services.pull(opened(home, environment), environment, revision, promote=promote, reason=reason)
    serves = done["champion"] == done["release"]
    said = "is champion here" if serves else "is here; `nightshift models promote` makes it champion"
    return Answer(done, lambda console: console.print(f"{done['release'][:12]} {said}.", markup=False))
