"""The models and the installation: `models history`, `models rollback`, `models merge`, `doctor`."""

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app.commands import ENVIRONMENT
from app.terminal import Answer
from core import services
from core.schema import Promotion
from core.services import Finding, Workspace

__all__ = ["doctor", "history", "merge", "rollback"]


def history(home: Path | None) -> Answer:
    """Every change of champion, newest first."""
    changes = services.history(Workspace.open(home), ENVIRONMENT)
    data = {"history": [change.model_dump(mode="json") for change in changes]}
    return Answer(data, partial(_show_history, changes))


def rollback(home: Path | None, *, to: str | None, reason: str) -> Answer:
    """Goes back to the champion before. Raises NightshiftError where there is none."""
    change = services.rollback(Workspace.open(home), ENVIRONMENT, reason=reason, to=to)
    said = f"{change.release[:12]} is champion again; {(change.previous or '')[:12]} was."
    return Answer(change.model_dump(mode="json"), lambda console: console.print(said))


def merge(home: Path | None, out: Path, release: str) -> Answer:
    """Writes a complete model. Raises NightshiftError for a release without adapter and a folder in use."""
    merged = services.merge(Workspace.open(home), ENVIRONMENT, out, release=release)
    said = f"{merged[:12]} is a complete model in {out}."
    return Answer({"release": merged, "directory": str(out.resolve())}, lambda console: console.print(said))


def doctor(home: Path | None) -> Answer:
    """Everything that was looked at; the command succeeds only where nothing is wrong."""
    findings = services.doctor(home)
    well = all(finding.ok for finding in findings)
    data = {"ok": well, "findings": [finding.model_dump(mode="json") for finding in findings]}
    return Answer(data, partial(_show_findings, findings), ok=well)


def _show_history(changes: list[Promotion], console: Console) -> None:
    table = Table("when", "what", "release", "before", "why", "by")
    for change in changes:
        before = (change.previous or "")[:12]
        when = change.at.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(when, change.action, change.release[:12], before, change.reason, change.by)
    console.print(table)


def _show_findings(findings: list[Finding], console: Console) -> None:
    for finding in findings:
        console.print(f"{'ok   ' if finding.ok else 'WRONG'}  {finding.name}: {finding.what}", markup=False)
        if not finding.ok and finding.do:
            console.print(f"       do: {finding.do}", markup=False)
