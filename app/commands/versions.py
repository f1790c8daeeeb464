"""Dataset versions: `nightshift data ...`."""

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from app.commands import opened
from app.terminal import Answer, Terminal
from core import services
from core.services.exporting import ExportReport
from core.services.versions import Difference, VersionFacts, VersionSummary

__all__ = ["card", "diff", "export", "listed", "show"]

SHOWN = 20
MB = 1_000_000


def listed(home: Path | None, environment: str) -> Answer:
    """Every version, newest first."""
    found = services.versions(opened(home, environment), environment)
    return Answer({"versions": [each.model_dump(mode="json") for each in found]}, partial(_show_versions, found))


def show(home: Path | None, environment: str, version: str) -> Answer:
    """One version. Raises NightshiftError where it is not there."""
    found = services.version_facts(opened(home, environment), environment, version)
    return Answer(found.model_dump(mode="json"), partial(_show_version, found))


def diff(home: Path | None, environment: str, one: str, other: str) -> Answer:
    """From one version to another. Raises NightshiftError where either is not there."""
    found = services.compare_versions(opened(home, environment), environment, one, other)
    return Answer(found.model_dump(mode="json"), partial(_show_difference, found))


def card(home: Path | None, environment: str, version: str) -> Answer:
    """A version in words. Raises NightshiftError where it is not there."""
    ws = opened(home, environment)
    record = services.find_version(ws, environment, version)
    text = services.version_card(ws, record)
    _, _, body = text.removeprefix("---").partition("---")
    return Answer({"version": record.id, "card": text}, lambda console: console.print(Markdown(body)))


def export(terminal: Terminal, home: Path | None, environment: str, version: str, format: str, out: Path) -> Answer:
    """Writes a folder. Raises NightshiftError for one that is there, and for a picture that cannot be read."""
    ws = opened(home, environment)
    with terminal.progress("writing examples") as progress:
        report = services.export_version(ws, environment, version, format, out, progress=progress)
    return Answer(report.model_dump(mode="json"), partial(_show_export, report))


def _show_versions(found: list[VersionSummary], console: Console) -> None:
    if not found:
        console.print("There is no version yet: a night makes one.")
        return
    table = Table("version", "made", "train", "golden", "entered", "left", "relabelled", "nights", box=None)
    for each in found:
        counts = [str(each.counts.get(role, 0)) for role in ("train", "golden")]
        changed = [str(each.entered), str(each.left), str(each.relabelled)]
        table.add_row(each.id[:12], f"{each.at:%Y-%m-%d %H:%M}", *counts, *changed, str(len(each.nights)))
    console.print(table)


def _show_version(found: VersionFacts, console: Console) -> None:
    console.print(f"Version {found.id}, made {found.at:%Y-%m-%d %H:%M} UTC")
    for title, counted in (("split", found.counts), ("answer", found.answers), ("kind of work", found.domains)):
        console.print(f"{title}: " + ", ".join(f"{name or '(none)'} {count}" for name, count in counted.items()))
    console.print(f"since the one before: {found.entered} entered, {found.left} left, {found.relabelled} relabelled")
    if found.gone:
        console.print(f"lost, with nothing that says why: {found.gone}")
    if found.erased:
        console.print(f"erased since: {found.erased} labels; tombstones stand for them")
    verdict = {True: "yes, with the same id", False: "NO: the words of its time give another id", None: "no night did"}
    console.print(f"made again from the words of its time: {verdict[found.remade]}")


def _show_difference(found: Difference, console: Console) -> None:
    for what, examples in found.model_dump().items():
        shown = ", ".join(example[:12] for example in examples[:SHOWN])
        more = f" and {len(examples) - SHOWN} more" if len(examples) > SHOWN else ""
        console.print(f"{what}: {len(examples)}" + (f" ({shown}{more})" if examples else ""))


def _show_export(report: ExportReport, console: Console) -> None:
    console.print(
        f"{report.examples} examples with {report.pictures} pictures of version {report.version[:12]} are in "
        f"{report.folder} ({report.format}, {report.bytes / MB:.1f} MB)."
    )
