"""Dataset versions: what nights learnt from, what entered and left between them, and whether one can be made again."""

from collections import Counter
from datetime import datetime

from pydantic import BaseModel, JsonValue

from core.schema import DatasetVersion, Example, NightshiftError, Run, StageResult, new_id
from core.services.erasing import erased_entries
from core.services.night.ingest import snapshot
from core.services.night.refresh import LEFT
from core.services.workspace import Workspace

__all__ = [
    "Difference",
    "VersionFacts",
    "VersionSummary",
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
    """One version, and its difference from the one before it."""

    id: str
    at: datetime
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
    gone: int
    "Examples of it that are no longer in the store."
    remade: bool | None
    "Whether the words up to its night give the same id today; None where no night made it, or some were erased."


def versions(ws: Workspace, environment: str) -> list[VersionSummary]:
    """Every version of an environment, newest first."""
    records = _records(ws, environment)
    nights = _nights(ws, environment)
    found = []
    for before, record in zip([None, *records], records, strict=False):
        found.append(_summary(record, before, nights.get(record.id, [])))
    return found[::-1]


def version_facts(ws: Workspace, environment: str, version: str) -> VersionFacts:
    """One version in full, made again from the words it was made of. Raises NightshiftError where it is not there."""
    record = find_version(ws, environment, version)
    (summary,) = [each for each in versions(ws, environment) if each.id == record.id]
    bound = ws.environment(environment)
    answer_of = record.labels
    examples = ws.store.find(Example, id=set(answer_of))
    return VersionFacts(
        **summary.model_dump(),
        answers=dict(sorted(Counter(answer for _, answer in answer_of.values()).items())),
        domains=dict(Counter(bound.domain(example) for example in examples).most_common()),
        gone=len(answer_of) - len(examples),
        remade=_is_remade(ws, record, summary.nights),
    )


def compare_versions(ws: Workspace, environment: str, one: str, other: str) -> Difference:
    """What changed from `one` to `other`. Raises NightshiftError where either is not there."""
    return _difference(find_version(ws, environment, one), find_version(ws, environment, other))


def find_version(ws: Workspace, environment: str, version: str) -> DatasetVersion:
    """The version called so: `latest`, an id, or how one begins. Raises NightshiftError for none and for several."""
    records = _records(ws, environment)
    if version == "latest" and records:
        return records[-1]
    found = [record for record in records if record.id.startswith(version)]
    if len(found) != 1:
        known = "there is none yet: a night makes one" if not records else f"there are {len(records)}"
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


def _records(ws: Workspace, environment: str) -> list[DatasetVersion]:
    """Whole versions, oldest first; what entered and left while a night trained is a part of none before the next."""
    return [record for record in ws.store.find(DatasetVersion, environment=environment) if LEFT not in record.items]


def _nights(ws: Workspace, environment: str) -> dict[str, list[str]]:
    """Nights by the version that their first stage made; a training on a folder follows from that, not from words."""
    runs = [run.id for run in ws.store.find(Run, environment=environment) if "upto_seq" in run.config]
    nights: dict[str, list[str]] = {}
    for result in ws.store.find(StageResult, run=runs, stage="ingest") if runs else []:
        nights.setdefault(str(result.result[INGESTED]), []).append(result.run)
    return nights


def _summary(record: DatasetVersion, before: DatasetVersion | None, nights: list[str]) -> VersionSummary:
    changed = _difference(before, record)
    return VersionSummary(
        id=record.id,
        at=record.at,
        counts={role: len(items) for role, items in record.items.items()},
        entered=len(changed.entered),
        left=len(changed.left),
        relabelled=len(changed.relabelled),
        nights=nights,
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
    if not nights or erased_entries(ws, record):
        return None
    (run,) = ws.store.get_many(Run, [nights[0]])
    words = snapshot(ws.as_when_begun(run), run)
    return words.version.id == record.id
