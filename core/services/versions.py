"""Dataset versions: what nights learnt from, what entered and left between them, and whether one can be made again."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, JsonValue

from core.schema import (
    Correction,
    DatasetVersion,
    Example,
    NightshiftError,
    Run,
    StageResult,
    Tombstone,
    content_id,
    new_id,
)
from core.services.erasing import erased_entries
from core.services.night.ingest import contents_of, snapshot
from core.services.night.refresh import LEFT
from core.services.workspace import Workspace

__all__ = [
    "Difference",
    "VersionFacts",
    "VersionSummary",
    "bootstrapped_version",
    "compare_versions",
    "find_version",
    "present_version",
    "version_facts",
    "versions",
]

INGESTED = "dataset_version"


class Difference(BaseModel):
    """What changed from one version to a later one, by example; each list is sorted."""

    entered: list[str]
    left: list[str]
    relabelled: list[str]
    "In both, with another answer."
    moved: list[str]
    "In both, from what is trained on to what is measured on or back."


class VersionSummary(BaseModel):
    """One version, and its difference from what nights learnt from before its last one; all of it, where none did."""

    id: str
    at: datetime
    "When it was last made: words may come and go, and leave what there was before."
    counts: dict[str, int]
    "Examples by role: `train`, `golden`."
    entered: int
    left: int
    relabelled: int
    nights: list[str]
    "Runs that learnt from it, oldest first."


class VersionFacts(VersionSummary):
    """All that is known of one version."""

    answers: dict[str, int]
    domains: dict[str, int]
    erased: int
    "Labels of it that were erased since; tombstones stand for them."
    gone: int
    "Examples of it that are not in the store, and that no tombstone stands for."
    remade: bool | None
    "Whether the words up to its night, and tombstones, give the same id today; None where no night made it."


def versions(ws: Workspace, environment: str) -> list[VersionSummary]:
    """Every version of an environment, the one made last first."""
    records = _records(ws, environment)
    made = _made(ws, environment, "ingest")
    before = _before(made)
    found = []
    for record in records.values():
        nights = [done for done in made if done.result[INGESTED] == record.id]
        found.append(_summary(record, records.get(before.get(record.id) or ""), nights))
    return sorted(found, key=lambda each: each.at, reverse=True)


def version_facts(ws: Workspace, environment: str, version: str) -> VersionFacts:
    """One version in full, made again from the words it was made of. Raises NightshiftError where it is not there."""
    record = find_version(ws, environment, version)
    (summary,) = [each for each in versions(ws, environment) if each.id == record.id]
    bound = ws.environment(environment)
    answer_of = record.labels
    examples = ws.store.find(Example, id=set(answer_of))
    erased = erased_entries(ws, record)
    here = {example.id for example in examples} | {entry.partition("=")[0] for entry in erased}
    return VersionFacts(
        **summary.model_dump(),
        answers=dict(sorted(Counter(answer for _, answer in answer_of.values()).items())),
        domains=dict(Counter(bound.domain(example) for example in examples).most_common()),
        erased=len(erased),
        gone=len(answer_of.keys() - here),
        remade=_is_remade(ws, record, summary.nights),
    )


def compare_versions(ws: Workspace, environment: str, one: str, other: str) -> Difference:
    """What changed from `one` to `other`. Raises NightshiftError where either is not there."""
    return _difference(find_version(ws, environment, one), find_version(ws, environment, other))


def find_version(ws: Workspace, environment: str, version: str) -> DatasetVersion:
    """The version called so: `latest`, that of the last night; an id, or how one begins.

    Raises NightshiftError for none and for several.
    """
    return _found(ws, environment, version, "ingest", "a night")


def bootstrapped_version(ws: Workspace, environment: str, version: str) -> DatasetVersion:
    """The same, with `latest` for that of the last bootstrap."""
    return _found(ws, environment, version, "select", "a bootstrap")


def _found(ws: Workspace, environment: str, version: str, stage: str, maker: str) -> DatasetVersion:
    records = _records(ws, environment)
    found = [record for id, record in records.items() if id.startswith(version)]
    if version == "latest":
        found = [records[str(done.result[INGESTED])] for done in _made(ws, environment, stage)[-1:]]
    if len(found) != 1:
        none_yet = not records or version == "latest"
        known = f"there is none yet: {maker} makes one" if none_yet else f"there are {len(records)}"
        what = "several versions begin" if found else "no version begins"
        raise NightshiftError(f"{what} with {version!r}; {known}")
    return found[0]


def present_version(ws: Workspace, environment: str) -> DatasetVersion:
    """What a night that began now would learn from; nothing is stored. Raises NightshiftError where that is nothing."""
    config: dict[str, JsonValue] = {"upto_seq": ws.store.head(environment), "after_seq": 0, "replay": {}}
    now = snapshot(ws, Run(id=new_id(), environment=environment, seed=0, config=config))
    if not now.labels:
        raise NightshiftError(f"nobody has labelled anything in {environment} yet")
    return now.version


def _records(ws: Workspace, environment: str) -> dict[str, DatasetVersion]:
    """Whole versions by id; what entered and left while a night trained is a part of none before the next."""
    found = ws.store.find(DatasetVersion, environment=environment)
    return {record.id: record for record in found if LEFT not in record.items}


def _made(ws: Workspace, environment: str, stage: str) -> list[StageResult]:
    """What nights (`ingest`) or bootstraps (`select`) made versions with, oldest first.

    A version is stored once, however often it is made; which one is the latest only these say.
    """
    runs = ws.store.find(Run, environment=environment)
    # A training on a folder has an `ingest` too, that follows from no words.
    ids = [run.id for run in runs if stage != "ingest" or "upto_seq" in run.config]
    return ws.store.find(StageResult, run=ids, stage=stage) if ids else []


def _before(made: Sequence[StageResult]) -> dict[str, str | None]:
    """For each version the one that nights learnt from before; a night after which nothing changed is passed over."""
    before: dict[str, str | None] = {}
    last = None
    for id in (str(done.result[INGESTED]) for done in made):
        if id != last:
            before[id] = last
        last = id
    return before


def _summary(record: DatasetVersion, before: DatasetVersion | None, nights: Sequence[StageResult]) -> VersionSummary:
    changed = _difference(before, record)
    return VersionSummary(
        id=record.id,
        at=nights[-1].at if nights else record.at,
        counts={role: len(items) for role, items in record.items.items()},
        entered=len(changed.entered),
        left=len(changed.left),
        relabelled=len(changed.relabelled),
        nights=[done.run for done in nights],
    )


def _difference(one: DatasetVersion | None, other: DatasetVersion) -> Difference:
    before, after = one.labels if one else {}, other.labels
    both = before.keys() & after.keys()
    return Difference(
        entered=sorted(after.keys() - before.keys()),
        left=sorted(before.keys() - after.keys()),
        relabelled=sorted(example for example in both if before[example][1] != after[example][1]),
        moved=sorted(example for example in both if before[example][0] != after[example][0]),
    )


def _is_remade(ws: Workspace, record: DatasetVersion, nights: list[str]) -> bool | None:
    if not nights:
        return None
    (run,) = ws.store.get_many(Run, [nights[0]])
    return _remade(ws, record, run).id == record.id


def _remade(ws: Workspace, record: DatasetVersion, run: Run) -> DatasetVersion:
    """The version that the words up to a night give, with tombstones for what was erased of them since.

    Words decide what is learnt from across a cluster (a contradiction sets apart, a later word stands for an earlier
    one), so where one was erased from a cluster, what is left of it may say something else today. There the manifest
    stands: each of its labels must be a word of that time, or have a tombstone.
    """
    words = snapshot(ws.as_when_begun(run), run)
    stones = ws.store.find(Tombstone)
    touched = {stone.cluster for stone in stones if stone.cluster}
    if not touched:
        return words.version
    erased = {stone.content for stone in stones}
    upto = int(str(run.config["upto_seq"]))
    said = {contents_of(word.example, word.answer) for seq, word in ws.store.numbered(Correction) if seq <= upto}
    clusters = {each.id: each.cluster for each in ws.store.find(Example, id=set(record.labels) | set(words.examples))}

    def stands(entry: str) -> bool:
        example = entry.partition("=")[0]
        has_stone = example in erased or content_id(entry) in erased
        return has_stone or (entry in said and clusters.get(example) in touched)

    items = {}
    for role, now in words.version.items.items():
        kept = {entry for entry in now if clusters[entry.partition("=")[0]] not in touched}
        items[role] = tuple(kept | {entry for entry in record.items.get(role, ()) if stands(entry)})
    return DatasetVersion.make(record.environment, items)
