"""Ingest: people's words up to the snapshot become a dataset version, golden clusters set aside."""

import hashlib
from collections.abc import Collection, Sequence

from pydantic import JsonValue

from core.schema import (
    CANNOT_TELL,
    Checkpoint,
    DatasetVersion,
    Example,
    Label,
    NightshiftError,
    Prediction,
    Release,
    Run,
    StageResult,
    Tombstone,
)
from core.services.disputes import disputed
from core.services.night.record import REFRESH, stage, stage_result
from core.services.workspace import Workspace
from core.store import Lease

__all__ = [
    "Snapshot",
    "contents",
    "contents_of",
    "ingest",
    "is_golden",
    "judge_spoke_for",
    "last_verdicts",
    "refreshes_of",
    "snapshot",
    "trained_clusters",
    "trained_in",
    "trained_on",
]


class Snapshot:
    """The labels a night learns from, with their examples, in the order of the words. Disputes are set apart."""

    def __init__(
        self, ws: Workspace, run: Run, upto_seq: int | None = None, about: Collection[str] | None = None
    ) -> None:
        upto = int(str(run.config["upto_seq"])) if upto_seq is None else upto_seq
        self._environment = run.environment
        words = ws.store.labels(run.environment, upto_seq=upto, examples=about)
        self.cannot_tell = [word for word in words if word.answer == CANNOT_TELL]
        sure = [word for word in words if word.answer != CANNOT_TELL]
        examples = ws.store.get_many(Example, [label.example for label in sure])
        self.examples: dict[str, Example] = {example.id: example for example in examples}
        self.voices = ws.store.voices(run.environment, upto_seq=upto, examples=about)
        # A night that an older version began keeps to what was its own: disputes were learnt from.
        found = disputed(sure, self.examples, self.voices) if "replay" in run.config else set()
        self.labels = [label for label in sure if label.example not in found]
        self.disputed = [label for label in sure if label.example in found]
        share = ws.settings.gate.golden_share
        self.golden = [each for each in self.labels if is_golden(self.examples[each.example].cluster, share)]
        self.train = [each for each in self.labels if not is_golden(self.examples[each.example].cluster, share)]
        after_seq = int(str(run.config["after_seq"]))
        self.new = [each for each in words if each.seq > after_seq]

    @property
    def spoken(self) -> set[str]:
        """Examples that people said something of, whether or not it can be learnt from: no machine speaks for them."""
        return {word.example for word in (*self.labels, *self.cannot_tell, *self.disputed)}

    @property
    def version(self) -> DatasetVersion:
        """What is trained and measured on, as a manifest."""
        items = {"train": contents(self.train), "golden": contents(self.golden)}
        return DatasetVersion.make(self._environment, items)


def snapshot(ws: Workspace, run: Run, upto_seq: int | None = None, about: Collection[str] | None = None) -> Snapshot:
    """The same for a run whenever it is asked for: words are never changed, only added.

    With `upto_seq` it reaches up to that word in place of the last one said before the night began. With `about` it
    holds these examples alone, which are to hold with an example all that is asked as it is.
    """
    return Snapshot(ws, run, upto_seq, about)


def last_verdicts(ws: Workspace, run: Run, most: int) -> list[Prediction]:
    """The last verdicts that there were when the night began, newest first; the same whenever it is asked for."""
    last = run.config.get("last_verdict")
    before = None if last is None else int(str(last)) + 1
    found = ws.store.page(Prediction, most, before_seq=before, environment=run.environment)
    return [said for _, said in found if said.at <= run.at]


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
            f"there is nothing to learn from yet: {len(now_known.labels)} labels, none of them to train on"
            f"{f', and {len(now_known.disputed)} in dispute' if now_known.disputed else ''}. "
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
        "disputed": len(now_known.disputed),
    }


def trained_on(ws: Workspace, release: Release) -> set[str]:
    """Examples that a release or any of its ancestors was trained on, on a person's word or on a judge's."""
    seen: set[str] = set()
    checkpoint = ws.store.get(Checkpoint, release.checkpoints["policy"])
    while checkpoint is not None:
        if checkpoint.run is not None:
            seen |= trained_in(ws, checkpoint.run) | _trained_by_judge(ws, checkpoint.run)
        checkpoint = ws.store.get(Checkpoint, checkpoint.parent) if checkpoint.parent else None
    return seen


def trained_in(ws: Workspace, run_id: str) -> set[str]:
    """Examples whose labels a run trained on; none where it is no night that came so far."""
    ingested = stage_result(ws, run_id, "ingest")
    if ingested is None:
        return set()
    recorded = [ingested.result, *(done.result for done in refreshes_of(ws, run_id))]
    versions = ws.store.get_many(DatasetVersion, {str(each["dataset_version"]) for each in recorded})
    return {content.split("=", 1)[0] for version in versions for content in version.trained}


def judge_spoke_for(judged: StageResult) -> set[str]:
    """Examples that only a judge spoke for in a night's training; none where it had earned no say."""
    doubtful = judged.result.get("doubtful")
    return set(map(str, doubtful)) if judged.result.get("share") and isinstance(doubtful, list) else set()


def _trained_by_judge(ws: Workspace, run_id: str) -> set[str]:
    """Those that a run trained on, so none that is golden; people may have labelled some of them since."""
    judged = stage_result(ws, run_id, "judge")
    doubtful = set() if judged is None else judge_spoke_for(judged)
    if not doubtful:
        return set()
    share = ws.settings.gate.golden_share
    return doubtful - {each.id for each in ws.store.find(Example, id=doubtful) if is_golden(each.cluster, share)}


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
