"""A labelled folder of groups becomes inspected groups with people's verdicts."""

from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from core.environments.group_qc.environment import GroupQcEnvironment
from core.environments.group_qc.grouping import Photos, one_group
from core.schema import CANNOT_TELL, ChosenBy, NightshiftError
from core.services.feedback import correct, standing_word
from core.services.folders import rows_of_table
from core.services.groups.inspecting import Inspected, Inspector, inspect_groups, mission_of
from core.services.importing import Progress, Rejected
from core.services.workspace import Workspace

__all__ = ["GroupRow", "GroupsReport", "import_groups", "labelled_groups"]

COLUMNS = ("group", "mission", "verdict")


class GroupRow(NamedTuple):
    """One line of `groups.csv`: a group with its photos, its mission, and what a person said of it."""

    photos: Photos
    mission: str
    verdict: str
    reason: str | None


class GroupsReport(BaseModel):
    """What an import did."""

    groups: int = 0
    photos: int = 0
    rejected: list[Rejected] = []


def labelled_groups(ws: Workspace, directory: Path) -> tuple[list[GroupRow], list[Rejected]]:
    """The groups of a folder with `groups.csv` (group, mission, verdict, reason), and what is wrong with the others.

    Raises NightshiftError for a folder without that file or its columns.
    """
    if not (directory / "groups.csv").is_file():
        raise NightshiftError(
            f"{directory} has no groups.csv ({', '.join(COLUMNS)}); beside it stands a folder of photos for each group"
        )
    good: list[GroupRow] = []
    bad: list[Rejected] = []
    for row in rows_of_table(directory / "groups.csv", COLUMNS):
        try:
            good.append(_row(ws, directory, row))
        except NightshiftError as error:
            bad.append(Rejected(file=row["group"], reason=str(error)))
    names = [row.photos.name for row in good]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise NightshiftError(f"{directory / 'groups.csv'} has group {twice!r} twice")
    return good, bad


def _row(ws: Workspace, directory: Path, row: dict[str, str]) -> GroupRow:
    folder = directory / row["group"]
    if folder.resolve().parent != directory.resolve():
        raise NightshiftError(f"group {row['group']!r} points outside the folder")
    verdict = ws.environment(GroupQcEnvironment.name).parse_answer(row["verdict"])
    return GroupRow(one_group(folder), mission_of(ws, row["mission"]).name, verdict, row.get("reason") or None)


def import_groups(
    ws: Workspace, inspector: Inspector, directory: Path, *, progress: Progress = lambda *_: None
) -> GroupsReport:
    """Inspects every labelled group and stores its verdict as a person's, chosen by import. Twice changes nothing."""
    rows, bad = labelled_groups(ws, directory)
    report = GroupsReport(rejected=bad)
    for done, (row, found) in enumerate(inspected_rows(inspector, rows), start=1):
        progress(done, len(rows))
        if found.prediction is None:
            report.rejected.append(Rejected(file=row.photos.name, reason=str(found.error)))
            continue
        report.groups += 1
        report.photos += len(found.media)
        word = standing_word(ws, found.prediction.example)
        # A person who corrected it since knows better than the folder.
        if word is None or (word.chosen_by is ChosenBy.IMPORT and word.answer != row.verdict):
            correct(
                ws,
                found.prediction.id,
                row.verdict,
                reason=row.reason,
                reviewer="import",
                chosen_by=ChosenBy.IMPORT,
            )
    return report


def inspected_rows(inspector: Inspector, rows: list[GroupRow]) -> list[tuple[GroupRow, Inspected]]:
    """Each row with what came of its group, mission by mission."""
    found: dict[str, Inspected] = {}
    for mission in dict.fromkeys(row.mission for row in rows if row.verdict != CANNOT_TELL):
        of_it = [row.photos for row in rows if row.mission == mission]
        found |= {each.group: each for each in inspect_groups(inspector, of_it, mission_of(inspector.ws, mission))}
    return [(row, found[row.photos.name]) for row in rows if row.photos.name in found]
