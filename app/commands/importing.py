"""People's words that come in with a folder: `import`."""

from functools import partial
from pathlib import Path

from rich.console import Console

from app.commands import groups, opened
from app.terminal import Answer, Terminal
from core import services
from core.services import ImportReport
from core.services.exchange import found_format

__all__ = ["import_folder"]

SHOWN = 10


def import_folder(terminal: Terminal, home: Path | None, environment: str, directory: Path) -> Answer:
    """Takes a folder in. Raises NightshiftError for one that has nothing to take."""
    if environment == groups.GROUP_QC and found_format(environment, directory) is None:
        return groups.import_labelled(terminal, home, directory)
    ws = opened(home, environment)
    with terminal.progress("reading screens") as progress:
        report = services.import_folder(ws, environment, directory, progress=progress)
    return Answer(report.model_dump(mode="json"), partial(_show_import, report))


def _show_import(report: ImportReport, console: Console) -> None:
    console.print(
        f"{report.screens} new pictures, {report.examples} new labelled examples, {report.duplicates} known already."
    )
    for left_out in report.rejected[:SHOWN]:
        console.print(f"  left out: {left_out.file}: {left_out.reason}", markup=False)
    if len(report.rejected) > SHOWN:
        console.print(f"  and {len(report.rejected) - SHOWN} more (all of them with --json)")
