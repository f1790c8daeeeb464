"""Ingest: people's words up to the snapshot become a dataset version, golden clusters set aside."""

import hashlib
from collections.abc import Sequence

from pydantic import JsonValue

from core.schema import (
    CANNOT_TELL,
    Checkpoint,
    DatasetVersion,
    Example,
    Label,
    NightshiftError,
    Release,
    Run,
    StageResult,
    Tombstone,
)
from core.services.night.record import REFRESH, finished, stage, stage_result
from core.services.workspace import Workspace
from core.store import Lease

__all__ = [
    "Snapshot",
    "contents",
    "contents_of",
    "ingest",
    "is_golden",
    "refreshes_of",
    "snapshot",
    "trained_clusters",
    "trained_on",
]


class Snapshot:
    """The labels a night learns from, with their examples, in the order of the words."""

    def __init__(self, ws: Workspace, run: Run, upto_seq: int | None = None) -> None:
        upto = int(str(run.config["upto_seq"])) if upto_seq is None else upto_seq
        self._environment = run.environment
        words = ws.store.labels(run.environment, upto_seq=upto)
        self.cannot_tell = [word for word in words if word.answer == CANNOT_TELL]
        self.labels = [word for word in words if word.answer != CANNOT_TELL]
        examples = ws.store.get_many(Example, [label.example for label in self.labels])
        self.examples: dict[str, Example] = {example.id: example for example in examples}
        share = ws.settings.gate.golden_share
        self.golden = [each for each in self.labels if is_golden(self.examples[each.example].cluster, share)]
        self.train = [each for each in self.labels if not is_golden(self.examples[each.example].cluster, share)]
        after_seq = int(str(run.config["after_seq"]))
        self.new = [each for each in words if each.seq > after_seq]

    @property
    def version(self) -> DatasetVersion:
        """What is trained and measured on, as a manifest."""
        items = {"train": contents(self.train), "golden": contents(self.golden)}
        return DatasetVersion.make(self._environment, items)


def snapshot(ws: Workspace, run: Run, upto_seq: int | None = None) -> Snapshot:
    """The same for a run whenever it is asked for: words are never changed, only added.

    With `upto_seq` it reaches up to that word in place of the last one said before the night began.
    """
    return Snapshot(ws, run, upto_seq)


def is_golden(cluster: str, share: float) -> bool:
    """Whether a cluster is never trained on. Follows from its name alone, so it stays so for ever."""
    lot = int.from_bytes(hashlib.sha256(f"golden/{cluster}".encode()).digest()[:6], "big") / 2**48
    return lot < share


@stage("ingest")
def ingest(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:  # noqa: ARG001
    """Fixes what this night learns from. Raises NightshiftError where nobody has labelled anything."""
    now_known = snapshot(ws, run)
    if not now_known.train:
        raise NightshiftError(
            f"there is nothing to learn from yet: {len(now_known.labels)} labels, none of them to train on. "
            "Correct or confirm some verdicts first"
        )
    version = now_known.version
    ws.store.add(version)
    return {
        "dataset_version": version.id,
        "ingested": len(now_known.new),
        "train": len(now_known.train),
        "golden": len(now_known.golden),
        "cannot_tell": len(now_known.cannot_tell),
    }


def trained_on(ws: Workspace, release: Release) -> set[str]:
    """Examples that a release or any of its ancestors was trained on."""
    seen: set[str] = set()
    checkpoint = ws.store.get(Checkpoint, release.checkpoints["policy"])
    while checkpoint is not None:
        if checkpoint.run is not None and stage_result(ws, checkpoint.run, "ingest") is not None:
            ingested = finished(ws, checkpoint.run, "ingest")
            recorded = [ingested, *(done.result for done in refreshes_of(ws, checkpoint.run))]
            for version in ws.store.get_many(DatasetVersion, {str(each["dataset_version"]) for each in recorded}):
                seen.update(content.split("=", 1)[0] for content in version.items.get("train", ()))
        checkpoint = ws.store.get(Checkpoint, checkpoint.parent) if checkpoint.parent else None
    return seen


def trained_clusters(ws: Workspace, release: Release) -> set[str]:
    """Clusters of those examples; of one that was erased, its tombstone says which."""
    seen = trained_on(ws, release)
    if not seen:
        return set()
    here = {example.cluster for example in ws.store.find(Example, id=seen)}
    return here | {str(stone.cluster) for stone in ws.store.find(Tombstone, what="example", content=seen)}


def refreshes_of(ws: Workspace, run_id: str) -> list[StageResult]:
    """What entered a night's training between its rounds, in the order in which it was recorded."""
    return [done for done in ws.store.find(StageResult, run=run_id) if done.stage.startswith(REFRESH)]


def contents(labels: Sequence[Label]) -> tuple[str, ...]:
    """How a dataset version names labels."""
    return tuple(contents_of(label.example, label.answer) for label in labels)


def contents_of(example: str, answer: JsonValue) -> str:
    """How a dataset version names one label."""
    return f"{example}={answer}"
