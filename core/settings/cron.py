"""When something comes round: a cron line that everybody who reads it understands alike."""

from datetime import UTC, datetime
from typing import Annotated

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator

__all__ = ["CronLine", "cron_line"]

FIELDS = 5


def cron_line(line: str) -> str:
    """The line. Raises ValueError for one that is none, or has another number of fields than five.

    Of six, one reader takes the first for seconds and another the last.
    """
    if len(line.split()) == FIELDS:
        try:
            CronSim(line, datetime.now(UTC))
        except CronSimError:
            pass
        else:
            return line
    raise ValueError(f"{line!r} is no cron line: write minute hour day month weekday, as 0 2 * * *")


CronLine = Annotated[str, AfterValidator(cron_line)]
