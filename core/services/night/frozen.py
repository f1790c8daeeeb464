"""Frozen: promising challengers are looked at on what was labelled since they began to wait, and tonight's may join.

A challenger that looks better, but may be so by chance, is kept as it is. Labels that come later are evidence it never
trained on; looking every night costs nothing (`core.evaluation.waiting`). Verdicts that nobody has labelled and on
which champion and challenger disagree go into the review queue: they alone can tell the two apart.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import JsonValue

from core.evaluation import SINCE_FROZEN, decide_frozen, is_promising
from core.schema import ChosenBy, Decision, Example, Frozen, Label, Outcome, Prediction, Release, Run, content_id
from core.services.classify import Classifier
from core.services.night.evaluate import Measured, corrected_examples, evaluation_of, stale_clusters
from core.services.night.gate import integrity
from core.services.night.ingest import Snapshot, snapshot, trained_clusters
from core.services.night.record import FROZEN, finished, nights_since, stage, stage_result
from core.services.night.stages import answered_through
from core.services.workspace import Workspace
from core.store import Lease

__all__ = ["frozen", "lot", "waiting", "wanted"]

SUITE = "golden and labelled since frozen"
LOOKED_THROUGH = 300
"Newest unlabelled verdicts that are searched for disagreements."
WANTED = 50
"Disagreements a challenger puts into the queue, at most."


@stage(FROZEN)
def frozen(ws: Workspace, run: Run, lease: Lease) -> dict[str, JsonValue]:
    """Looks at every challenger that waits; the first for which the evidence suffices is to be promoted."""
    (tonight,) = ws.store.get_many(Decision, [str(finished(ws, run.id, "gate")["decision"])])
    if tonight.outcome is Outcome.PROMOTED:
        return {"waiting": [], "decision": None, "froze": False, "wanted": {}}
    looked: list[dict[str, Any]] = []
    promoted: Decision | None = None
    for each in waiting(ws, run.environment, before=run):
        lease.renew()
        told, decision = _look(ws, run, each)
        if decision is not None and decision.outcome is Outcome.PROMOTED:
            if promoted is None:
                promoted = decision
                _end(ws, run, each, decision.reason)
            else:
                # One a night: the other has to beat the new champion, and its evidence is about the old one.
                told["state"] = "waits"
        looked.append(told)
    still = [told["challenger"] for told in looked if told["state"] == "waits"]
    froze = promoted is None and is_promising(tonight) and len(still) < ws.settings.gate.frozen_at_once
    if froze:
        _freeze(ws, run, tonight)
        still.append(tonight.challenger)
    lease.renew()
    wanted_by = _disagreements(ws, run, still) if promoted is None else {}
    decided = promoted.id if promoted else None
    return {"waiting": looked, "decision": decided, "froze": froze, "wanted": wanted_by}  # type: ignore[dict-item]


def waiting(ws: Workspace, environment: str, *, before: Run | None = None) -> list[Frozen]:
    """Challengers that wait, longest first; with `before`, as it was when that night began."""
    records = ws.store.find(Frozen, environment=environment)
    this = before.id if before else None
    ended = {each.ends for each in records if each.ends and each.run != this}
    return [each for each in records if each.ends is None and each.id not in ended and each.run != this]


def wanted(ws: Workspace, environment: str) -> list[str]:
    """Examples whose labels would tell most about the challengers that wait, in the order drawn by lot."""
    found: set[str] = set()
    for each in waiting(ws, environment):
        for run in reversed(nights_since(ws, each.run, environment)):
            done = stage_result(ws, run.id, FROZEN)
            if done is not None:
                found.update(done.result.get("wanted", {}).get(each.challenger, ()))  # type: ignore[union-attr, arg-type]
                break
    return sorted(found, key=lot)


def lot(example: str) -> float:
    """A number in 0..1 that nobody chose: the first bits of the example's hash."""
    return int(example[:12], 16) / 16**12


def _freeze(ws: Workspace, run: Run, decision: Decision) -> None:
    ws.store.add(
        Frozen(
            id=content_id("frozen", run.id, decision.challenger),
            environment=run.environment,
            champion=decision.champion,
            challenger=decision.challenger,
            run=run.id,
            upto_seq=int(str(run.config["upto_seq"])),
        )
    )


def _look(ws: Workspace, run: Run, each: Frozen) -> tuple[dict[str, Any], Decision | None]:
    """What became of one that waits, and the decision where one was taken."""
    nights = len(nights_since(ws, each.run, run.environment)) - 1
    told: dict[str, Any] = {"challenger": each.challenger, "since": each.run, "nights": nights}
    if each.champion != run.config["champion"]:
        why = "it was compared with another champion than the present one"
        return {**told, "state": "ended", "reason": _end(ws, run, each, why)}, None
    decision = _decision(ws, run, each)
    claim = next((gate for gate in decision.gates if gate.name == SINCE_FROZEN), None)
    told |= {
        "evidence": claim.value if claim else None,
        "needed": claim.bound if claim else None,
        "more_examples_needed": decision.more_examples_needed,
        "reason": decision.reason,
    }
    if decision.outcome is Outcome.PROMOTED:
        return {**told, "state": "promoted"}, decision
    if decision.outcome is Outcome.REFUSED:
        return {**told, "state": "ended", "reason": _end(ws, run, each, decision.reason)}, decision
    if nights >= ws.settings.gate.frozen_nights:
        why = f"{nights} nights brought too little evidence. {decision.reason}"
        return {**told, "state": "ended", "reason": _end(ws, run, each, why)}, decision
    return {**told, "state": "waits"}, decision


def _end(ws: Workspace, run: Run, each: Frozen, why: str) -> str:
    over = each.model_copy(update={"id": content_id("end", each.id), "run": run.id, "ends": each.id, "why": why})
    ws.store.add(over)
    return why


def _decision(ws: Workspace, run: Run, each: Frozen) -> Decision:
    known = snapshot(ws, run)
    champion = Classifier.load(ws, run.environment, each.champion)
    release, present = ws.store.get_many(Release, [each.challenger, each.champion])
    challenger = Classifier.of_release(ws, release)
    labels = _evidence(ws, known, release, each)
    examples = [known.examples[label.example] for label in labels]
    measured = [
        Measured(one, answered_through(ws, one, other, labels, examples), suite=f"{SUITE} {each.id[:12]}")
        for one, other in ((champion, release), (challenger, present))
    ]
    stale = stale_clusters(known, labels, each.upto_seq)
    corrected = corrected_examples(ws, labels)
    sides = [evaluation_of(ws, run, known, one, labels, corrected, stale) for one in measured]
    decision = decide_frozen(
        sides[0], sides[1], settings=ws.settings.gate, run=run.id, integrity=integrity(ws, each.challenger)
    )
    if decision.outcome is Outcome.PROMOTED:
        ws.store.add(*sides, decision)
    return decision


def _evidence(ws: Workspace, known: Snapshot, release: Release, each: Frozen) -> list[Label]:
    """Golden labels, and later ones in clusters that the challenger did not train on.

    A disagreement that this very challenger asked about was drawn by lot among its disagreements: gain and loss had
    the same chance to be seen, so it needs no weighing by how it was chosen.
    """
    seen = trained_clusters(ws, release)
    golden = {label.example for label in known.golden}
    asked = _asked(ws, each, known)
    return [
        label.model_copy(update={"chosen_by": None}) if label.example in asked else label
        for label in known.labels
        if label.example in golden or (label.seq > each.upto_seq and known.examples[label.example].cluster not in seen)
    ]


def _asked(ws: Workspace, each: Frozen, known: Snapshot) -> set[str]:
    """Examples that went into the review queue because this challenger disagreed."""
    asked: set[str] = set()
    for run in nights_since(ws, each.run, each.environment):
        done = stage_result(ws, run.id, FROZEN)
        if done is not None:
            asked.update(done.result.get("wanted", {}).get(each.challenger, ()))  # type: ignore[union-attr, arg-type]
    later = [label for label in known.labels if label.seq > each.upto_seq]
    return {label.example for label in later if label.chosen_by is ChosenBy.DISAGREEMENT} & asked


def _disagreements(ws: Workspace, run: Run, challengers: Sequence[str]) -> dict[str, list[str]]:
    """Unlabelled examples that champion and challenger answer differently, by challenger, in an order drawn by lot."""
    unlabelled = _unlabelled(ws, run.environment) if challengers else []
    if not unlabelled:
        return {challenger: [] for challenger in challengers}
    ours = _answers(Classifier.load(ws, run.environment, str(run.config["champion"])), unlabelled)
    found = {}
    for challenger in challengers:
        theirs = _answers(Classifier.load(ws, run.environment, challenger), unlabelled)
        apart = [
            example.id for example, ours_, theirs_ in zip(unlabelled, ours, theirs, strict=True) if ours_ != theirs_
        ]
        found[challenger] = sorted(apart, key=lot)[:WANTED]
    return found


def _unlabelled(ws: Workspace, environment: str) -> list[Example]:
    answered = {label.example for label in ws.store.labels(environment)}
    recent = ws.store.find(Prediction, environment=environment, limit=LOOKED_THROUGH, newest_first=True)
    asked = dict.fromkeys(each.example for each in recent if not each.from_person and each.example not in answered)
    return ws.store.get_many(Example, list(asked))


def _answers(classifier: Classifier, examples: Sequence[Example]) -> list[int]:
    return [
        max(range(len(logprobs_K)), key=logprobs_K.__getitem__) for logprobs_K in classifier.answer_logprobs(examples)
    ]
