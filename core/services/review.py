"""What a person should look at next, and why."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from core.judge import disagreement
from core.schema import ChosenBy, Example, Judgment, Prediction
from core.services.sessions import flips
from core.services.workspace import Workspace

__all__ = ["ReviewItem", "contradictions", "review_queue"]

RECENT = 5_000
"Newest predictions the queue looks at."


class ReviewItem(BaseModel):
    """One item of the queue. `blind`: the verdict must not be shown, or the audit is none."""

    model_config = ConfigDict(frozen=True)
    prediction: Prediction
    example: Example
    chosen_by: ChosenBy
    chosen_probability: float | None
    blind: bool
    contradicting: tuple[Judgment, ...] = ()
    "What the members of the panel say where they contradict each other: why the item comes before other doubts."
    flips: bool = False
    "Its verdict stands for a single screen between two equal other ones of its session."


def review_queue(ws: Workspace, environment: str, *, limit: int = 20, reviewer: str = "local") -> list[ReviewItem]:  # noqa: ARG001
    """What the judges contradict each other on and what flips for a single screen, then the most doubtful unanswered
    predictions; with a share of blind audits.

    Audits are drawn at random among all of them.
    Which are audits follows from their ids, so that looking again does not draw again.
    """
    recent = ws.store.find(Prediction, environment=environment, limit=RECENT, newest_first=True)
    answered = {label.example for label in ws.store.labels(environment)}
    newest: dict[str, Prediction] = {}
    for each in recent:
        if not each.from_person and each.example not in answered:
            newest.setdefault(each.example, each)
    contradicted, flipping = contradictions(ws, environment, list(newest)), _flipping(ws, recent)
    open_ones = sorted(
        newest.values(), key=lambda p: (p.example not in contradicted and p.id not in flipping, p.confidence, p.id)
    )
    share = ws.settings.review.audit_share
    audits = sorted((p for p in open_ones if _lot(p.example) < share), key=lambda p: _lot(p.example))
    doubtful = [p for p in open_ones if _lot(p.example) >= share]
    chosen = _mix(doubtful, audits, share, limit)
    examples = ws.store.get_many(Example, [p.example for p, _ in chosen])
    return [
        ReviewItem(
            prediction=p,
            example=example,
            chosen_by=ChosenBy.RANDOM_AUDIT if audit else ChosenBy.REVIEW_QUEUE,
            chosen_probability=share if audit else None,
            blind=audit,
            contradicting=() if audit else contradicted.get(p.example, ()),
            flips=p.id in flipping and not audit,
        )
        for (p, audit), example in zip(chosen, examples, strict=True)
    ]


def contradictions(ws: Workspace, environment: str, examples: Sequence[str]) -> dict[str, tuple[Judgment, ...]]:
    """Of these examples, those on which the members of the present panel contradict each other, with what they say.

    Empty where one judge judges alone. Nobody is asked: only stored judgments are looked at, of each member the last.
    """
    names = ws.settings.judge_names
    if len(names) < 2 or not examples:
        return {}
    found = ws.store.find(Judgment, environment=environment, judge=names, example=set(examples))
    last: dict[str, dict[str, Judgment]] = {}
    for judgment in found:
        if judgment.unscored is None:
            last.setdefault(judgment.example, {})[judgment.judge] = judgment
    threshold = ws.settings.panel.disagreement
    said = {example: tuple(by_name.values()) for example, by_name in last.items()}
    return {example: each for example, each in said.items() if disagreement(each) >= threshold}


def _flipping(ws: Workspace, newest_first: list[Prediction]) -> set[str]:
    in_sessions = [each for each in reversed(newest_first) if each.session is not None]
    if not in_sessions:
        return set()
    examples = ws.store.get_many(Example, {each.example for each in in_sessions})
    return flips(in_sessions, {example.id: example.ask for example in examples})


def _lot(example: str) -> float:
    """A number in 0..1 that nobody chose: the first bits of the example's hash."""
    return int(example[:12], 16) / 16**12


def _mix(
    doubtful: list[Prediction], audits: list[Prediction], share: float, limit: int
) -> list[tuple[Prediction, bool]]:
    chosen: list[tuple[Prediction, bool]] = []
    rest, audit_rest = iter(doubtful), iter(audits)
    due = 0.0
    while len(chosen) < limit:
        due += share
        wants_audit = due >= 1 - 1e-9
        due -= np.floor(due + 1e-9) if wants_audit else 0
        picked = next(audit_rest if wants_audit else rest, None)
        is_audit = wants_audit
        if picked is None:
            picked, is_audit = next(rest if wants_audit else audit_rest, None), not wants_audit
        if picked is None:
            break
        chosen.append((picked, is_audit))
    return chosen
