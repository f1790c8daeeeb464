"""What `forget` and `retention run` do and show."""

from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from app.terminal import Answer, Terminal
from core import services
from core.services import Wanted, Workspace

__all__ = ["forget", "retain"]

SHOWN = 10


def forget(terminal: Terminal, home: Path | None, asked: Wanted, *, really: bool) -> Answer:
    """Erases, or says what would go; the command fails where something of it is found afterwards.

    Raises NightshiftError, having changed nothing, while a night runs and for a screen that never was here.
    """
    with terminal.progress("erasing") as progress:
        found = services.forget(Workspace.open(home), asked, dry_run=not really, told=progress)
    return _answer(found)


def retain(terminal: Terminal, home: Path | None, *, dry_run: bool) -> Answer:
    """Erases what is due, or counts it. Raises NightshiftError, having changed nothing, while a night runs."""
    with terminal.progress("erasing") as progress:
        found = services.retain(Workspace.open(home), dry_run=dry_run, told=progress)
    return _answer(found)


def _answer(found: dict[str, Any]) -> Answer:
    return Answer(found, partial(_show, found), ok=found.get("proof", {}).get("ok", True))


def _show(found: dict[str, Any], console: Console) -> None:
    def say(line: str) -> None:
        console.print(line, markup=False)

    if "due" in found:
        days = found["without_feedback_days"]
        say(f"{found['due']} screens are due" + (f" after {days:g} days without feedback." if days else ": it is off."))
    counted = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in found["erased"].items())
    if found["dry_run"]:
        if counted:
            say(f"would go: {counted}")
        if "due" not in found:
            say("Nothing was erased; --yes erases it.")
    else:
        say(f"erased: {counted}" if counted else "There was nothing to erase.")
    trained = found.get("trained_on_it", [])
    for each in trained[:SHOWN]:
        what = "the champion" if each["champion"] else ", ".join(release[:12] for release in each["releases"]) or "none"
        how = "was trained on it" if each["directly"] else "goes back to one that was"
        say(f"  checkpoint {each['checkpoint'][:12]} ({what}) {how}")
    if len(trained) > SHOWN:
        say(f"  and {len(trained) - SHOWN} more (all of them with --json)")
    if trained:
        say("Weights cannot be erased in part: quarantine a release, and train again, where they must go too.")
    if found.get("resumed"):
        say(f"{found['resumed']} erasures that had been interrupted were finished.")
    if proof := found.get("proof"):
        _show_proof(proof, say)


def _show_proof(proof: dict[str, Any], say: Any) -> None:
    if proof["ok"]:
        say(
            f"Looked for {proof['sought']} ids in {proof['records']} records, the blobs, the caches and "
            f"{proof['files']} files: none is there, and {proof['dataset_versions']} dataset versions add up."
        )
        return
    say("NOT ALL OF IT IS GONE:")
    for line in proof["found"]:
        say(f"  {line}")
