"""The releases of an installation: `nightshift models ...`, and `doctor`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.commands import opened
from app.commands.groups import pairs_of
from app.terminal import Answer, Terminal
from core import services
from core.schema import Promotion
from core.services import Finding, Workspace

__all__ = [
    "compare",
    "doctor",
    "gc",
    "history",
    "listed",
    "merge",
    "promote",
    "quarantine",
    "reject",
    "rollback",
    "show",
    "verify",
]

MB = 1_000_000


def listed(home: Path | None, environment: str) -> Answer:
    """Every release, newest first."""
    found = services.releases(opened(home, environment), environment)
    return Answer({"releases": found}, partial(_show_releases, found))


def show(home: Path | None, environment: str, release: str) -> Answer:
    """All that is known of one release. Raises NightshiftError for one that is not there."""
    found = services.release_facts(opened(home, environment), environment, release)
    return Answer(found, partial(_show_release, found))


def compare(terminal: Terminal, home: Path | None, environment: str, a: str, b: str, dataset: Path | None) -> Answer:
    """Two releases on the same labelled examples. Raises NightshiftError where there are none."""
    with terminal.progress("comparing") as progress:
        found = services.compare_releases(
            opened(home, environment),
            environment,
            a,
            b,
            dataset=dataset,
            pairs_of=pairs_of(environment),
            progress=progress,
        )
    return Answer(found, partial(_show_comparison, found))


def promote(home: Path | None, environment: str, release: str, reason: str) -> Answer:
    """Makes a release champion by hand. Raises NightshiftError where it may not or cannot serve."""
    return _changed(services.promote_release(opened(home, environment), environment, release, reason=reason))


def reject(home: Path | None, environment: str, release: str, reason: str) -> Answer:
    """Says no to a challenger. Raises NightshiftError for the champion."""
    mark = services.reject_release(opened(home, environment), environment, release, reason=reason)
    return Answer(mark.model_dump(mode="json"), lambda console: console.print(f"{mark.release[:12]} is rejected."))


def quarantine(home: Path | None, environment: str, release: str, reason: str) -> Answer:
    """Bars a release for good. Raises NightshiftError for a champion with none to go back to."""
    ws = opened(home, environment)
    mark = services.quarantine_release(ws, environment, release, reason=reason)
    champion = ws.store.champion(environment)
    said = f"{mark.release[:12]} is quarantined and never serves again; {(champion or 'none')[:12]} is champion."
    return Answer({**mark.model_dump(mode="json"), "champion": champion}, lambda console: console.print(said))


def rollback(home: Path | None, environment: str, *, to: str | None, reason: str) -> Answer:
    """Goes back to the champion before. Raises NightshiftError where there is none."""
    return _changed(services.rollback(opened(home, environment), environment, reason=reason, to=to))


def _changed(change: Promotion) -> Answer:
    again = " again" if change.action == "rollback" else ""
    said = f"{change.release[:12]} is champion{again}; {(change.previous or 'none')[:12]} was."
    return Answer(change.model_dump(mode="json"), lambda console: console.print(said))


def verify(terminal: Terminal, home: Path | None, environment: str, names: Sequence[str]) -> Answer:
    """Hashes, loads and looks for numbers that are not finite; the command fails where a release is damaged."""
    with terminal.progress("verifying") as progress:
        found = services.verify_releases(opened(home, environment), environment, names, progress)
    return Answer(found, partial(_show_verified, found), ok=found["ok"])


def gc(home: Path | None, *, really: bool) -> Answer:
    """What keeps each folder of weights, and which ones nothing keeps."""
    found = services.collect_garbage(Workspace.open(home), really=really)
    garbage = [folder for folder in found if not folder.kept_for]
    data = {
        "removed": really,
        "bytes": sum(folder.size_bytes for folder in garbage),
        "garbage": [folder.id for folder in garbage],
        "kept": [{"checkpoint": folder.id, "why": folder.kept_for} for folder in found if folder.kept_for],
    }
    return Answer(data, partial(_show_garbage, data))


def history(home: Path | None, environment: str) -> Answer:
    """Every change of champion, newest first."""
    changes = services.history(opened(home, environment), environment)
    data = {"history": [change.model_dump(mode="json") for change in changes]}
    return Answer(data, partial(_show_history, changes))


def merge(home: Path | None, environment: str, out: Path, release: str) -> Answer:
    """Writes a complete model. Raises NightshiftError for a release without adapter and a folder in use."""
    merged = services.merge(opened(home, environment), environment, out, release=release)
    said = f"{merged[:12]} is a complete model in {out}."
    return Answer({"release": merged, "directory": str(out.resolve())}, lambda console: console.print(said))


def doctor(home: Path | None) -> Answer:
    """Everything that was looked at; the command succeeds only where nothing is wrong."""
    findings = services.doctor(home)
    well = all(finding.ok for finding in findings)
    data = {"ok": well, "findings": [finding.model_dump(mode="json") for finding in findings]}
    return Answer(data, partial(_show_findings, findings), ok=well)


def _show_releases(found: Sequence[dict[str, Any]], console: Console) -> None:
    table = Table("when", "release", "stands as", "policy", "MB", "decided")
    for each in found:
        size = "-" if each["size_bytes"] is None else f"{each['size_bytes'] / MB:.1f}"
        made = each["at"][:16].replace("T", " ")
        table.add_row(made, each["release"][:12], each["state"], each["policy"], size, Text(each["reason"] or ""))
    console.print(table)


def _show_release(found: dict[str, Any], console: Console) -> None:
    console.print(f"[bold]{found['release']}[/bold]: {found['state']}, {found['policy']}, since {found['at'][:16]}")
    if found["trained_by"]:
        console.print(f"trained by night {found['trained_by']['id']} on dataset version {found['dataset_version']}")
    console.print(f"lineage: {' <- '.join(each[:12] for each in found['lineage'])}")
    for decision in found["decisions"]:
        console.print(f"{decision['outcome']}: {decision['reason']}", markup=False)
        table = Table("gate", "value", "bound", "passed", "note")
        for gate in decision["gates"]:
            passed = {True: "yes", False: "NO", None: "-"}[gate["passed"]]
            figures = ["-" if gate[each] is None else f"{gate[each]:.4g}" for each in ("value", "bound")]
            table.add_row(gate["name"], *figures, passed, Text(gate["note"]))
        console.print(table)
    for change in found["changes"]:
        console.print(f"{change['at'][:16]} {change['action']} by {change['by']}: {change['reason']}", markup=False)
    for mark in found["marks"]:
        console.print(f"{mark['at'][:16]} {mark['mark']} by {mark['by']}: {mark['reason']}", markup=False)
    for step in found["hub"]:
        said = f"{step['at'][:16]} {step['step']} {step['repo']}@{(step['commit'] or '')[:12]} {step['reason']}"
        console.print(said, markup=False)


def _show_comparison(found: dict[str, Any], console: Console) -> None:
    low, high = found["difference"]["ci95"] or (None, None)
    interval = "" if low is None else f" (95%: {low:+.1%} to {high:+.1%})"
    console.print(
        f"of {found['n']} examples, {found['golden']} of them golden: A {found['a']['right']} right, "
        f"B {found['b']['right']} right, {found['difference']['accuracy']:+.1%}{interval} for B"
    )
    console.print(
        f"{len(found['changed'])} verdicts changed: {found['fixed']} fixed by B, {found['broken']} broken by B"
    )
    if not found["changed"]:
        return
    table = Table("", "shown", "asked", "right", "A", "B")
    for each in found["changed"]:
        said = [f"{each[of]['answer']} {each[of]['probability']:.0%}" for of in ("a", "b")]
        table.add_row(each["change"], Text(each["shown"]), Text(each["ask"]), each["expected"], *said)
    console.print(table)


def _show_verified(found: dict[str, Any], console: Console) -> None:
    for each in found["releases"]:
        problem = f": {each['problem']}" if each["problem"] else ""
        console.print(f"{each['release'][:12]} {each['state']}{problem}", markup=False)


def _show_garbage(data: dict[str, Any], console: Console) -> None:
    for kept in data["kept"]:
        console.print(f"{kept['checkpoint'][:12]} stays: {kept['why']}", markup=False)
    for id in data["garbage"]:
        console.print(f"{id[:12]} {'is removed' if data['removed'] else 'would go'}", markup=False)
    told = "freed" if data["removed"] else "to free; `nightshift models gc --yes` removes them"
    console.print(f"{len(data['garbage'])} folders, {data['bytes'] / MB:.1f} MB {told}", markup=False)


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
