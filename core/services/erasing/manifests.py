"""Whether dataset versions still add up: each label they name is here, or its tombstone is."""

from core.schema import Correction, DatasetVersion, Example, Tombstone, content_id
from core.services.night.ingest import contents_of
from core.services.workspace import Workspace

__all__ = ["erased_entries", "unexplained"]


def unexplained(ws: Workspace) -> tuple[int, int, list[str]]:
    """How many dataset versions there are, how many of their entries are erased, and entries that nothing explains."""
    versions = ws.store.find(DatasetVersion)
    words = {contents_of(word.example, word.answer) for word in ws.store.find(Correction)}
    examples = {example.id for example in ws.store.find(Example)}
    stones = {stone.content for stone in ws.store.find(Tombstone)}
    erased, left = 0, set()
    for version in versions:
        judged = version.judged
        for entry in {entry for entries in version.items.values() for entry in entries}:
            example, _, label = entry.partition("=")
            if example in examples and (not label or entry in words or entry in judged):
                continue
            if example in stones or content_id(entry) in stones:
                erased += 1
            else:
                left.add(entry)
    return len(versions), erased, sorted(left)


def erased_entries(ws: Workspace, version: DatasetVersion) -> set[str]:
    """Entries of a version whose example, or whose label, was erased and is not there again."""
    entries = {entry for entries in version.items.values() for entry in entries}
    hashes = {content_id(entry): entry for entry in entries}
    named = {entry.partition("=")[0] for entry in entries}
    stones = {stone.content for stone in ws.store.find(Tombstone, content={*hashes, *named})} if entries else set()
    about = {entry for entry in entries if content_id(entry) in stones or entry.partition("=")[0] in stones}
    words = {contents_of(w.example, w.answer) for w in ws.store.find(Correction, example=named)} if about else set()
    return about - words
