"""What the commands of `nightshift` do. Each returns an `Answer`; none prints."""

from pathlib import Path

from core.services import Workspace

__all__ = ["opened"]


def opened(home: Path | None, environment: str) -> Workspace:
    """The installation at `home`, for a command about `environment`.

    Raises NightshiftError for one that there is not, or that is not served there.
    """
    ws = Workspace.open(home)
    ws.served(environment)
    return ws
