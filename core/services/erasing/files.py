"""What lies in files: pictures, readings, and what nights put aside."""

import json
import shutil
from collections.abc import Collection
from contextlib import suppress

from core.disk import whole_lines
from core.learning.steps import STEPS_FILE
from core.media import BlobDamaged
from core.schema import Media, NightshiftError, Run
from core.services.night.record import BOOTSTRAP
from core.services.night.report import draw_pages
from core.services.workspace import Workspace

__all__ = ["clear_runs", "remove_pictures", "scrub_bootstraps"]

PAGES = ("report.html", "report.md")
TRAINING = "training"
CARD = "card.html"


def remove_pictures(ws: Workspace, media: Collection[str], blobs: Collection[str]) -> dict[str, int]:
    """Removes pictures, unless they were taken in again, and everything that was read off them; how many files went.

    Raises NightshiftError where a file cannot be removed.
    """
    here = {each.id for each in ws.store.find(Media, id=set(media))} if media else set()
    gone = set(media) - here
    ws.library.forget(gone)
    removed = sum(_remove_blob(ws, key) for key in blobs)
    try:
        derived = sum(cache.forget(id) for cache in ws.caches for id in gone)
        for cache in ws.caches:
            cache.sweep()
    except OSError as error:
        raise NightshiftError(f"cannot remove a reading in {ws.settings.cache_dir}: {error.strerror}") from error
    return {"blobs": removed, "cache_files": derived}


def clear_runs(ws: Workspace, runs: Collection[str]) -> None:
    """Removes what these nights put aside, features and items and texts of what goes, and draws their pages anew.

    Nothing of it is asked for again: a night that is not over has been given up. The figures of its steps stay.
    """
    for run in ws.store.find(Run, id=set(runs)) if runs else ():
        if run.trigger == BOOTSTRAP:
            continue
        directory = ws.run_dir(run.id)
        for path in directory.iterdir() if directory.is_dir() else ():
            if path.name in PAGES:
                continue
            if path.name == TRAINING and path.is_dir():
                for inner in path.iterdir():
                    if inner.name != STEPS_FILE:
                        shutil.rmtree(inner) if inner.is_dir() else inner.unlink(missing_ok=True)
            else:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if (directory / PAGES[0]).exists():
            try:
                draw_pages(ws, run)
            except (NightshiftError, KeyError, ValueError):
                # Of an older version, or without what it was drawn from: no page is better than one that tells.
                for page in PAGES:
                    (directory / page).unlink(missing_ok=True)


def scrub_bootstraps(ws: Workspace, gone: Collection[str]) -> None:
    """Takes these pictures and examples out of what bootstraps wrote down; a page that may show one of them goes.

    A line stays where it was, empty, so that a bootstrap that is not over knows how much of its source it has seen.
    """
    wanted = set(gone)
    for run in ws.store.find(Run):
        directory = ws.run_dir(run.id)
        for ledger in directory.glob("*.jsonl") if run.trigger == BOOTSTRAP else ():
            entries = list(whole_lines(ledger))
            kept = [{} if wanted & {str(value) for value in entry.values()} else entry for entry in entries]
            if kept != entries:
                aside = ledger.with_suffix(".partial")
                aside.write_text("".join(f"{json.dumps(entry)}\n" for entry in kept))
                aside.replace(ledger)
                (directory / CARD).unlink(missing_ok=True)


def _remove_blob(ws: Workspace, key: str) -> int:
    """Removes a picture that no record needs. One that is taken in again just now finds it gone, or gets it back."""
    if ws.store.find(Media, blob=key, limit=1):
        return 0
    data = None
    with suppress(NightshiftError, BlobDamaged):
        data = ws.blobs.get(key)
    there = ws.blobs.exists(key)
    ws.blobs.delete(key)
    if data is not None and ws.store.find(Media, blob=key, limit=1):
        ws.blobs.put(key, data)
        return 0
    return int(there)
