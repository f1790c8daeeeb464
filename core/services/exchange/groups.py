"""A folder of photos for each group, and `groups.csv`: what `import` and `evaluate` take of groups.

What people make by hand names group, mission and verdict, and stage A looks at the photos. What is written here also
has the dossier that the word was said about, and is read as it stands.
"""

import csv
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from core.environments.group_qc.dossier import Dossier
from core.environments.group_qc.grouping import one_group
from core.media import read_file
from core.schema import NightshiftError
from core.services.exchange.base import Incoming, IncomingPicture, Outgoing, Rows
from core.services.folders import rows_of_table
from core.settings import MediaSettings

__all__ = ["GroupsFolder", "told_place"]

TABLE = "groups.csv"
NEEDED = ("group", "mission", "verdict", "dossier")
MORE = ("cluster", "split", "example", "reviewer", "chosen_by", "labelled_at")


class GroupsFolder:
    """`GROUP/1.png`..., and `groups.csv` with a line for each group."""

    name = "folder"

    def write(self, folder: Path, rows: Rows, tell: Callable[[int], None]) -> None:
        with (folder / TABLE).open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow([*NEEDED, "reason", *MORE])
            for done, (row, pictures) in enumerate(rows, start=1):
                group = _folder_of(row)
                (folder / group).mkdir()
                for number, picture in enumerate(pictures, start=1):
                    suffix = PurePosixPath(picture.name).suffix
                    (folder / group / f"{number}{suffix}").write_bytes(picture.read())
                more = (getattr(row, column) for column in MORE)
                table.writerow([group, Dossier.parse(row.ask).mission, row.label, row.ask, row.reason, *more])
                tell(done)

    def recognises(self, path: Path) -> bool:
        if not (path / TABLE).is_file():
            return False
        with (path / TABLE).open(encoding="utf-8", errors="replace") as file:
            return "dossier" in file.readline()

    def read(self, path: Path) -> Iterator[Incoming]:
        for row in rows_of_table(path / TABLE, NEEDED):
            group, reason, cluster = row["group"], row.get("reason") or None, row.get("cluster", "")
            yield Incoming(group, _photos(path, group), row["dossier"], row["verdict"], reason, cluster)


def told_place(row: Incoming) -> str | None:
    """Site and date of a group, where the row says these; they and not looks keep a cabinet on one side of a split."""
    return row.cluster if "/" in row.cluster else None


def _folder_of(row: Outgoing) -> str:
    """Site and date in front, where they are known: they are read off a group's name."""
    place = re.sub(r"[^\w.-]+", "_", row.cluster) + "_" if "/" in row.cluster else ""
    return f"{place}{row.example[:16]}"


def _photos(directory: Path, group: str) -> tuple[IncomingPicture, ...]:
    """Those of a group; one that cannot be read in place of all, where the folder is none of a group."""
    folder = directory / group
    try:
        if folder.resolve().parent != directory.resolve():
            raise NightshiftError(f"group {group!r} points outside the folder")
        files = one_group(folder).files
    except NightshiftError as error:
        return (IncomingPicture(group, partial(_refused, error)),)
    return tuple(IncomingPicture(f"{group}/{file.name}", partial(read_file, file)) for file in files)


def _refused(error: NightshiftError, _: MediaSettings) -> bytes:
    raise error
