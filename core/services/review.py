"""What a person should look at next, and why."""

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from core.judge import disagreement
from core.schema import ChosenBy, Example, Judgment, Prediction
from core.services.night import audits_tonight, lot, wanted
from core.services.sessions import flips
from core.services.workspace import Workspace

__all__ = ["ReviewItem", "contradictions", "review_queue"]

Chosen = tuple[Prediction, ChosenBy]

RECENT = 5_000
"Newest predictions the queue looks at."


class ReviewItem(BaseModel):
    """One item of the queue. `blind`: the verdict must not be shown, or the person's word is not their own."""

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
    """What a person should look at, most needed first.

    Verdicts on which the champion and a challenger that waits disagree; those on which the judges contradict each
    other, or that flip for a single screen; then the most doubtful ones. Between them a share of blind audits, every
    second item until tonight's quota is met. Which are audits follows from their ids, so that looking again does not
    draw again.
    """
    recent = ws.store.find(Prediction, environment=environment, limit=RECENT, newest_first=True)
    answered = {label.example for label in ws.store.labels(environment)}
    newest: dict[str, Prediction] = {}
    for each in recent:
        if not each.from_person and each.example not in answered:
            newest.setdefault(each.example, each)
    share, missing = _audits(ws, environment, len(newest))
    contradicted, flipping = contradictions(ws, environment, list(newest)), _flipping(ws, recent)
    open_ones = sorted(
        newest.values(), key=lambda p: (p.example not in contradicted and p.id not in flipping, p.confidence, p.id)
    )
    audits = sorted((p for p in open_ones if lot(p.example) < share), key=lambda p: lot(p.example))
    # An audit that is also a disagreement stays an audit, which says more.
    others = {p.example: p for p in open_ones if lot(p.example) >= share}
    apart = [others.pop(example) for example in wanted(ws, environment) if example in others]
    told = [*((p, ChosenBy.DISAGREEMENT) for p in apart), *((p, ChosenBy.REVIEW_QUEUE) for p in others.values())]
    hastened = _mix(told, audits[:missing], 0.5, min(limit, 2 * min(missing, len(audits))))
    shown = {p.example for p, _ in hastened}
    rest = _mix(
        [each for each in told if each[0].example not in shown],
        [p for p in audits if p.example not in shown],
        ws.settings.review.audit_share,
        limit - len(hastened),
    )
    chosen = [*hastened, *rest]
    examples = ws.store.get_many(Example, [p.example for p, _ in chosen])
    return [
        ReviewItem(
            prediction=p,
            example=example,
            chosen_by=how,
            chosen_probability=share if how is ChosenBy.RANDOM_AUDIT else None,
            blind=how is not ChosenBy.REVIEW_QUEUE,
            contradicting=contradicted.get(p.example, ()) if how is ChosenBy.REVIEW_QUEUE else (),
            flips=p.id in flipping and how is ChosenBy.REVIEW_QUEUE,
        )
        for (p, how), example in zip(chosen, examples, strict=True)
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


def _audits(ws: Workspace, environment: str, open_verdicts: int) -> tuple[float, int]:
    """The chance of an open verdict to be an audit, and how many audits tonight's quota still lacks.

    The chance is the setting's, or more where so few verdicts are open that it would not fill the quota.
    """
    review = ws.settings.review
    done = audits_tonight(ws, environment)
    missing = max(0, review.audits_per_night - done)
    return max(review.audit_share, min(1.0, missing / max(1, open_verdicts))), missing


def _mix(told: Sequence[Chosen], audits: Sequence[Prediction], share: float, limit: int) -> list[Chosen]:
    """Both in their order, `share` of them audits; where one kind has run out the other fills up."""
    chosen: list[Chosen] = []
    rest, audit_rest = iter(told), ((p, ChosenBy.RANDOM_AUDIT) for p in audits)
    due = 0.0
    while len(chosen) < limit:
        due += share
        wants_audit = due >= 1 - 1e-9
        due -= np.floor(due + 1e-9) if wants_audit else 0
        first, second = (audit_rest, rest) if wants_audit else (rest, audit_rest)
        picked = next(first, None) or next(second, None)
        if picked is None:
            break
        chosen.append(picked)
    return chosen
