"""Evaluate: the challenger, reloaded from disk, beside the champion, on what people labelled."""

import math
import statistics
import time
from collections.abc import Sequence

from pydantic import JsonValue

from core.schema import ChosenBy, Evaluation, Example, ItemScore, Label, Prediction, Release, Run, content_id
from core.services.classify import Classifier
from core.services.night.ingest import Snapshot, snapshot
from core.services.night.record import finished, stage
from core.services.night.train import crossfit_logprobs, held_out_labels
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["evaluate", "evaluation_ids", "score_item"]

SUITE = "golden and cross-fitted feedback"
WEIGHT_BY_CHOICE = {
    ChosenBy.RANDOM_AUDIT: 1.0,
    ChosenBy.IMPORT: 1.0,
    ChosenBy.REVIEW_QUEUE: 0.5,
    ChosenBy.VOLUNTEERED: 0.5,
}
"Doubtful and volunteered items are oftener wrong than a random one; they count half."
LATENCY_SAMPLE = 30


@stage("evaluate")
def evaluate(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
    """Scores both releases on golden examples and on cross-fitted feedback, and times them."""
    known = snapshot(ws, run)
    champion = Classifier.load(ws, run.environment, str(run.config["champion"]))
    challenger = Classifier.load(ws, run.environment, str(finished(ws, run.id, "train")["challenger"]))
    (release,) = ws.store.get_many(Release, [champion.release_id])
    held = held_out_labels(ws, known, release)
    lease.renew()
    evidence = [*known.golden, *held]
    corrected = _corrected(ws, evidence)
    examples = [known.examples[label.example] for label in evidence]
    crossfit = crossfit_logprobs(ws, run)
    held_NK = challenger.calibrated([crossfit[label.example] for label in held])
    golden_NK = challenger.answer_logprobs(examples[: len(known.golden)])
    theirs_NK = [*golden_NK, *held_NK]
    ours_NK = champion.answer_logprobs(examples)
    ours_ms, theirs_ms = _latencies_ms(champion, challenger, examples[:LATENCY_SAMPLE])
    evaluations = [
        _evaluation(ws, run, known, champion, evidence, ours_NK, corrected, ours_ms),
        _evaluation(ws, run, known, challenger, evidence, theirs_NK, corrected, theirs_ms),
    ]
    ws.store.add(*evaluations)
    return {
        "champion": evaluations[0].id,
        "challenger": evaluations[1].id,
        "golden": len(known.golden),
        "crossfit": len(held),
    }


def evaluation_ids(ws: Workspace, run: Run) -> tuple[str, str]:
    """Champion's and challenger's evaluation of a night."""
    done = finished(ws, run.id, "evaluate")
    return str(done["champion"]), str(done["challenger"])


def score_item(
    example: Example, expected: JsonValue, logprobs_K: Sequence[float], *, domain: str | None = None
) -> ItemScore:
    """How one closed-set answer did: 1 if it is exactly the expected one, else 0."""
    answers = example.answers or ()
    best = max(range(len(logprobs_K)), key=lambda k: logprobs_K[k])
    return ItemScore(
        example=example.id,
        cluster=example.cluster,
        score=float(answers[best] == expected),
        answer=answers[best],
        expected=expected,
        probability=math.exp(logprobs_K[best]),
        expected_probability=math.exp(logprobs_K[answers.index(str(expected))]),
        domain=domain,
    )


def _evaluation(
    ws: Workspace,
    run: Run,
    known: Snapshot,
    classifier: Classifier,
    evidence: Sequence[Label],
    logprobs_NK: Sequence[Sequence[float]],
    corrected: set[str],
    latency_ms: float | None,
) -> Evaluation:
    bound = ws.environment(run.environment)
    scores = [
        score_item(
            known.examples[label.example], label.answer, logprobs_K, domain=bound.domain(known.examples[label.example])
        ).model_copy(update={"weight": WEIGHT_BY_CHOICE[label.chosen_by], "was_wrong": label.example in corrected})
        for label, logprobs_K in zip(evidence, logprobs_NK, strict=True)
    ]
    return Evaluation(
        id=content_id(run.id, classifier.release_id, SUITE),
        environment=run.environment,
        release=classifier.release_id,
        suite=SUITE,
        run=run.id,
        scores=tuple(scores),
        latency_ms_p50=latency_ms,
    )


def _corrected(ws: Workspace, labels: Sequence[Label]) -> set[str]:
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
