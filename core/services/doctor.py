"""What is wrong with an installation, and what to do about it."""

import shutil
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from core.reading import text_encoder
from core.schema import JudgeAudit, Media, NightshiftError
from core.services.classify import load_policy
from core.services.erasing import open_erasures, unexplained
from core.services.judging import teacher_of
from core.services.retention import pictures_due
from core.services.workspace import Workspace
from core.settings import load_settings
from core.store import open_store

__all__ = ["Finding", "doctor"]

LOW_DISK_BYTES = 2 * 1024**3
BLOB_SAMPLE = 50


class Finding(BaseModel):
    """One thing that was looked at."""

    name: str
    ok: bool
    what: str
    do: str = ""
    "What to do where it is not ok."


def doctor(home: Path | None = None) -> list[Finding]:
    """Looks at everything, never raises, changes nothing in an installation that exists."""
    findings: list[Finding] = []
    try:
        settings = load_settings(home)
    except NightshiftError as error:
        return [Finding(name="settings", ok=False, what=str(error), do="mend nightshift.toml in the home directory")]
    findings.append(Finding(name="settings", ok=True, what=f"home {settings.home}, profile {settings.profile}"))
    if not settings.home.exists():
        return [*findings, Finding(name="home", ok=False, what="not made yet", do="run `nightshift up`")]
    findings.append(_disk(settings.home))
    try:
        store = open_store(settings.store_url)
        ws = Workspace(settings, store)
    except NightshiftError as error:
        what = "restore a backup, or install the version that wrote it"
        return [*findings, Finding(name="store", ok=False, what=str(error), do=what)]
    findings.append(_found("store", "mend or restore it from a backup", lambda: _store(ws)))
    findings.append(_found("pictures", "restore the blobs folder from a backup", lambda: _pictures(ws)))
    do = "ask for the same again, or run `nightshift retention run`: both go on with it"
    findings.append(_found("erasure", do, lambda: _erasure(ws)))
    findings.append(_found("privacy", "remove them, and the predictions that quote them stay", lambda: _privacy(ws)))
    findings.append(_found("reading", "install again with `make up`", _reading))
    for name in ws.environments:
        do = f"run `nightshift models rollback --environment {name}`, or restore the registry folder from a backup"
        findings.append(_found(f"champion of {name}", do, lambda name=name: _champion(ws, name)))  # type: ignore[misc]
        do = "mend the setting or the key that it names; nights leave everything unjudged until then"
        findings.append(_found(f"judge of {name}", do, lambda name=name: _judge(ws, name)))  # type: ignore[misc]
    return findings


def _found(name: str, do: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name=name, ok=True, what=look())
    except (NightshiftError, OSError, ImportError) as error:
        return Finding(name=name, ok=False, what=str(error), do=do)


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(home).free
    ok = free >= LOW_DISK_BYTES
    return Finding(
        name="disk", ok=ok, what=f"{free / 1024**3:.1f} GiB free", do="" if ok else "make room: 2 GiB are wanted"
    )


def _store(ws: Workspace) -> str:
    problems = ws.store.check()
    if problems:
        raise NightshiftError("; ".join(problems[:3]))
    rows = ws.store.tables()
    return f"{rows.get('prediction', 0)} predictions, {rows.get('correction', 0)} corrections"


def _pictures(ws: Workspace) -> str:
    newest = ws.store.find(Media, limit=BLOB_SAMPLE, newest_first=True)
    for media in newest:
        ws.blobs.get(media.blob)
    return f"the newest {len(newest)} are there and undamaged"


def _erasure(ws: Workspace) -> str:
    """Raises NightshiftError where an erasure was interrupted, or a dataset version does not add up."""
    waiting = len(open_erasures(ws))
    if waiting:
        raise NightshiftError(f"{waiting} erasures were begun and not ended")
    versions, erased, left = unexplained(ws)
    if left:
        raise NightshiftError(f"dataset versions name {len(left)} labels that are neither here nor erased")
    due, days = len(pictures_due(ws)), ws.settings.retention.without_feedback_days
    kept = f"{due} screens without feedback for {days:g} days go with the next night" if days else "retention is off"
    return f"{versions} dataset versions add up, {erased} of their labels are erased; {kept}"


def _privacy(ws: Workspace) -> str:
    """Raises NightshiftError where whole readings are left from before only titles and UI text were kept."""
    if ws.settings.reading.privacy == "full":
        return "screens are read in full"
    left = len(list(ws.settings.cache_dir.glob("??/*")))
    if left:
        raise NightshiftError(f"{ws.settings.cache_dir} holds {left} files from when screens were read in full")
    return "of a screen, the title and the text of the user interface are kept"


def _reading() -> str:
    return f"text encoder with {text_encoder().dim} dimensions"


def _champion(ws: Workspace, name: str) -> str:
    champion = ws.registry.named(name, "champion")
    for stage in champion.checkpoints:
        load_policy(ws, champion, stage)
    return f"release {champion.id[:12]} loads and its hash matches"


def _judge(ws: Workspace, name: str) -> str:
    teacher = teacher_of(ws, name)
    audits = ws.store.find(JudgeAudit, environment=name, judge=teacher.name, limit=1, newest_first=True)
    if not audits:
        return f"{ws.settings.judge} can be asked; it was not audited yet (`nightshift judge audit`)"
    last = audits[0]
    return (
        f"{ws.settings.judge} can be asked; kappa {last.overall.kappa} on {last.overall.scored} examples on "
        f"{last.at:%Y-%m-%d}, it has earned {last.share:.0%} of its weight"
    )
