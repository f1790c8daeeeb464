"""The console and the API as `nightshift up` runs them: `python -m app.attended HOME HOST PORT`.

Beside serving, it watches for enough new corrections to start a night, and moves trials on.
"""

import sys
from pathlib import Path

from app.logs import begin_logging
from app.server import serve
from app.trials import Trials
from core.schema import NightshiftError
from core.services import Workspace
from flows.threshold import Threshold

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Serves until it is told to stop."""
    home, host, port = Path(arguments[0]), arguments[1], int(arguments[2])
    begin_logging()

    def watch(ws: Workspace) -> None:
        for environment in ws.environments:
            Threshold(ws, environment).start()
            Trials(ws, environment).start()

    try:
        serve(home, host, port, beside=watch)
    except NightshiftError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
