"""Evaluate: the challenger, reloaded from disk, beside the champion, on what people labelled."""

import math
import statistics
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from core.schema import ChosenBy, Decision, Evaluation, Example, ItemScore, Label, Prediction, Release, Run, content_id
from core.services.classify import Classifier
from core.services.hostile import attacked_examples
from core.services.night.ingest import Snapshot, snapshot
from core.services.night.record import finished, stage
from core.services.night.stages import answered_through
from core.services.night.train import crossfit_logprobs, held_out_labels
from core.services.scoring import score_item
from core.services.workspace import Workspace
from core.settings import GateSettings
from core.store import Lease

__all__ = [
    "SUITE",
    "Measured",
    "corrected_examples",
    "evaluate",
    "evaluation_ids",
    "evaluation_of",
    "last_look",
    "stale_clusters",
]

SUITE = "golden and cross-fitted feedback"
LATENCY_SAMPLE = 30


@dataclass(frozen=True)
class Measured:
    """A release's answers to the examples of a suite, and what it takes."""

    classifier: Classifier
    logprobs_NK: Sequence[Sequence[float]]
    suite: str = SUITE
    hostile: tuple[ItemScore, ...] = ()
    latency_ms: float | None = None


@stage("evaluate")
def evaluate(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
    """Scores both releases on golden examples, cross-fitted feedback and hostile screens, and times them."""
    known = snapshot(ws, run)
    champion = Classifier.load(ws, run.environment, str(run.config["champion"]))
    challenger = Classifier.load(ws, run.environment, str(finished(ws, run.id, "train")["challenger"]))
    release, theirs = ws.store.get_many(Release, [champion.release_id, challenger.release_id])
    held = held_out_labels(ws, known, release)
    lease.renew()
    evidence = [*known.golden, *held]
    corrected = corrected_examples(ws, evidence)
    earlier = last_look(ws, run)
    (looked,) = ws.store.get_many(Run, [earlier.run]) if earlier else (None,)
    stale = stale_clusters(known, evidence, int(str(looked.config["upto_seq"]))) if looked else set()
    examples = [known.examples[label.example] for label in evidence]
    crossfit = crossfit_logprobs(ws, run)
    held_NK = challenger.calibrated([crossfit[label.example] for label in held])
    golden = examples[: len(known.golden)]
    golden_NK = answered_through(ws, challenger, release, known.golden, golden)
    ours_NK = answered_through(ws, champion, theirs, known.golden, golden)
    ours_NK += champion.answer_logprobs(examples[len(golden) :])
    ours_ms, theirs_ms = _latencies_ms(champion, challenger, examples[:LATENCY_SAMPLE])
    lease.renew()
    our_hostile, their_hostile = _hostile(ws, (champion, challenger))
    lease.renew()
    evaluations = [
        evaluation_of(ws, run, known, each, evidence, corrected, stale)
        for each in (
            Measured(champion, ours_NK, hostile=our_hostile, latency_ms=ours_ms),
            Measured(challenger, [*golden_NK, *held_NK], hostile=their_hostile, latency_ms=theirs_ms),
        )
    ]
    ws.store.add(*evaluations)
    return {
        "champion": evaluations[0].id,
        "challenger": evaluations[1].id,
        "golden": len(known.golden),
        "crossfit": len(held),
        "hostile": len(evaluations[0].hostile),
        "audits": audits_of(known),
        "audits_wanted": ws.settings.review.audits_per_night,
    }


def audits_of(known: Snapshot) -> int:
    """Blind audits among the words that are new tonight."""
    return sum(label.chosen_by is ChosenBy.RANDOM_AUDIT for label in known.new)


def last_look(ws: Workspace, run: Run) -> Decision | None:
    """The last decision of an earlier night that looked at the evidence about the same champion."""
    about = ws.store.find(
        Decision, environment=run.environment, champion=str(run.config["champion"]), newest_first=True
    )
    return next((each for each in about if each.looks and each.run != run.id), None)


def stale_clusters(known: Snapshot, labels: Sequence[Label], upto_seq: int) -> set[str]:
    """Clusters of which a label was there by `upto_seq`: they were looked at before."""
    return {known.examples[label.example].cluster for label in labels if label.seq <= upto_seq}


def evaluation_ids(ws: Workspace, run: Run) -> tuple[str, str]:
    """Champion's and challenger's evaluation of a night."""
    done = finished(ws, run.id, "evaluate")
    return str(done["champion"]), str(done["challenger"])


def evaluation_of(
    ws: Workspace,
    run: Run,
    known: Snapshot,
    measured: Measured,
    labels: Sequence[Label],
    corrected: Collection[str],
    stale: Collection[str],
) -> Evaluation:
    """A release on labelled examples, each with how it was chosen and whether a gate counted its cluster before."""
    bound = ws.environment(run.environment)
    scores = []
    for label, logprobs_K in zip(labels, measured.logprobs_NK, strict=True):
        example = known.examples[label.example]
        scores.append(
            score_item(example, label.answer, logprobs_K, domain=bound.domain(example)).model_copy(
                update={
                    "weight": _stake(ws.settings.gate, label.answer),
                    "chosen_by": label.chosen_by,
                    "was_wrong": label.example in corrected,
                    "fresh": example.cluster not in stale,
                }
            )
        )
    classifier = measured.classifier
    return Evaluation(
        id=content_id(run.id, classifier.release_id, measured.suite),
        environment=run.environment,
        release=classifier.release_id,
        suite=measured.suite,
        run=run.id,
        scores=tuple(scores),
        hostile=measured.hostile,
        latency_ms_p50=measured.latency_ms,
        weights_bytes=sum(weight.nbytes for weight in classifier.policy.model.state_dict().values()),
    )


def _stake(settings: GateSettings, expected: JsonValue) -> float:
    """How much an example counts: more where the costly answer is wrong of it."""
    return settings.costly_times if settings.costly_answer and expected != settings.costly_answer else 1.0


def _hostile(ws: Workspace, classifiers: Sequence[Classifier]) -> list[tuple[ItemScore, ...]]:
    """How the verdicts of each hold on screens with text that tries to turn them, where the environment has such."""
    count = ws.settings.gate.hostile_screens
    if not count:
        return [()] * len(classifiers)
    library, drawn = attacked_examples(ws, classifiers[0].environment.name, count)
    examples = [example for example, _ in drawn]
    return [
        tuple(
            score_item(example, answer, logprobs_K)
            for (example, answer), logprobs_K in zip(drawn, classifier.answer_logprobs(examples, library), strict=True)
        )
        for classifier in classifiers
    ]


def corrected_examples(ws: Workspace, labels: Sequence[Label]) -> set[str]:
    """Examples whose live answer a person corrected."""
    asked = [label.prediction for label in labels if label.prediction]
    said = {each.id: each for each in ws.store.get_many(Prediction, asked)}
    return {
        label.example
        for label in labels
        if label.prediction and not said[label.prediction].from_person and said[label.prediction].answer != label.answer
    }


def _latencies_ms(
    champion: Classifier, challenger: Classifier, examples: Sequence[Example]
) -> tuple[float | None, float | None]:
    """Median milliseconds of each for one verdict from a picture that has been read.

    Taken in turn, and the faster of two goes: what else the machine does then falls on both alike.
    """
    taken: dict[str, list[float]] = {"champion": [], "challenger": []}
    for example in examples:
        best = {"champion": math.inf, "challenger": math.inf}
        for _ in range(2):
            for name, classifier in (("champion", champion), ("challenger", challenger)):
                started = time.perf_counter()
                classifier.answer_logprobs([example])
                best[name] = min(best[name], (time.perf_counter() - started) * 1000)
        for name, ms in best.items():
            taken[name].append(ms)
    if not examples:
        return None, None
    return round(statistics.median(taken["champion"]), 3), round(statistics.median(taken["challenger"]), 3)
