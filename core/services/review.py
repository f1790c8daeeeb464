"""What a person should look at next, and why."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from core.access import acting
from core.judge import disagreement
from core.schema import ChosenBy, Correction, Example, Judgment, Prediction, now
from core.services.disputes import Dispute, known_disputes
from core.services.night import audits_tonight, lot, wanted
from core.services.workspace import Workspace
from core.store import ANYTHING, Asked, Order, Sought

__all__ = ["Drawn", "ReviewItem", "contradictions", "draw", "items_of", "lot_of_overlap", "review_queue"]

RECENT = 5_000
"Newest predictions in which contradictions between judges are counted."
CHOSEN_BY = {
    Order.DOUBT: ChosenBy.REVIEW_QUEUE,
    Order.JUDGES: ChosenBy.JUDGES,
    Order.NOVELTY: ChosenBy.NOVELTY,
    Order.DRIFT: ChosenBy.DRIFT,
    Order.CONTRADICTION: ChosenBy.DISPUTE,
    Order.RANDOM: ChosenBy.RANDOM_AUDIT,
}
HIDES_THE_VERDICT = (ChosenBy.RANDOM_AUDIT, ChosenBy.DISAGREEMENT)


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
    dispute: Dispute | None = None
    "Where people's words contradict each other: what they said. The answer settles it."
    flips: bool = False
    "Its verdict stands for a single screen between two equal other ones of its session."
    said: tuple[Correction, ...] = ()
    "What other people said of it, where the reviewer is to check that."


class Chosen(NamedTuple):
    """A prediction, and how it came into the queue."""

    prediction: str
    chosen_by: ChosenBy
    flips: bool = False


class Drawn(NamedTuple):
    """The beginning of a queue, and how long it is."""

    chosen: list[Chosen]
    share: float
    "The chance of an open verdict to be an audit."
    waiting: int


def review_queue(
    ws: Workspace,
    environment: str,
    *,
    limit: int = 20,
    reviewer: str | None = None,
    order: Order = Order.DOUBT,
    sought: Sought = ANYTHING,
) -> list[ReviewItem]:
    """What a person (else `acting()`) should look at, most needed first; nobody is promised anything by it.

    By doubt: what people's words contradict each other on, up to half of the items; then verdicts on which the champion
    and a challenger that waits disagree; those on which the judges contradict each other, or that flip for a single
    screen; then the least sure ones. Between them, and between those of every other order but contradictions, a share
    of blind audits, every second item until tonight's quota is met. Which are audits follows from their ids, so that
    looking again does not draw again. Where something is sought there are no audits: what a person picks out is no
    random sample.
    """
    whose = reviewer or acting().name
    asked = Asked(ws.environment(environment).name, whose, now(), order=order, sought=sought, limit=limit)
    drawn = draw(ws, asked)
    return items_of(ws, environment, drawn.chosen, drawn.share, tell_all=sought.reviewer is not None)


def draw(ws: Workspace, asked: Asked) -> Drawn:
    """The queue's beginning, by ids. `asked` says who asks for what; the settings say the rest."""
    leads = asked.order is Order.DOUBT and asked.sought.is_anything
    if not leads or not known_disputes(ws, asked.environment):
        return _draw(ws, asked)
    open_ones = _draw(ws, replace(asked, order=Order.CONTRADICTION, limit=(asked.limit + 1) // 2))
    rest = _draw(ws, replace(asked, limit=asked.limit - len(open_ones.chosen)))
    return Drawn([*open_ones.chosen, *rest.chosen], rest.share, open_ones.waiting + rest.waiting)


def _draw(ws: Workspace, asked: Asked) -> Drawn:
    review, panel = ws.settings.review, ws.settings.judge_names
    missing = max(0, review.audits_per_night - audits_tonight(ws, asked.environment))
    by_doubt = asked.order is Order.DOUBT
    found = ws.store.waiting(
        replace(
            asked,
            audit_share=review.audit_share,
            audits_missing=missing,
            overlap_share=review.overlap_share,
            wanted=tuple(wanted(ws, asked.environment)) if by_doubt else (),
            disputed=tuple(known_disputes(ws, asked.environment)) if asked.order is Order.CONTRADICTION else (),
            judges=panel,
            disagreement=ws.settings.panel.disagreement,
            settle=by_doubt and len(panel) > 1,
        )
    )
    how = CHOSEN_BY[asked.order]
    told = [Chosen(id, ChosenBy.DISAGREEMENT if is_wanted else how, flips) for id, is_wanted, flips in found.told]
    chosen = _mixed(told, found.audits, missing, review.audit_share, asked.limit)
    return Drawn(chosen, found.share, found.told_in_all + found.audits_in_all)


def items_of(
    ws: Workspace, environment: str, chosen: Sequence[Chosen], share: float, *, tell_all: bool = False
) -> list[ReviewItem]:
    """Everything a page shows of these; with `tell_all` also what other people said of them.

    An example that somebody has answered keeps how it was chosen then: a second look changes what is said of it, not
    how it came to be looked at. A word that settles a dispute is known as such by how its item was chosen.
    """
    predictions = ws.store.get_many(Prediction, [each.prediction for each in chosen])
    examples = {each.id: each for each in ws.store.get_many(Example, [each.example for each in predictions])}
    words = _words(ws, examples)
    contradicted = contradictions(ws, environment, list(examples))
    in_dispute = known_disputes(ws, environment) if ChosenBy.DISPUTE in {each.chosen_by for each in chosen} else {}
    items = []
    for (_, how, flips), said in zip(chosen, predictions, strict=True):
        before = words.get(said.example, ())
        shown = how not in HIDES_THE_VERDICT
        settles = how is ChosenBy.DISPUTE
        chosen_by, probability = how, share if how is ChosenBy.RANDOM_AUDIT else None
        if before and not settles:
            chosen_by, probability = before[0].chosen_by, before[0].chosen_probability
        items.append(
            ReviewItem(
                prediction=said,
                example=examples[said.example],
                chosen_by=chosen_by,
                chosen_probability=probability,
                blind=not shown,
                contradicting=contradicted.get(said.example, ()) if shown else (),
                dispute=in_dispute.get(said.example) if settles else None,
                flips=flips and shown,
                said=before if tell_all and not settles else (),
            )
        )
    return items


def lot_of_overlap(example: str) -> float:
    """A number in 0..1 that nobody chose, and that has nothing to do with the draw for audits (`lot`)."""
    return lot(example[12:])


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


def _words(ws: Workspace, examples: Iterable[str]) -> dict[str, tuple[Correction, ...]]:
    """What stands on each example, one word a reviewer, the first one first."""
    wanted = set(examples)
    found = ws.store.find(Correction, example=wanted) if wanted else []
    retracted = {word.retracts for word in found}
    last: dict[str, dict[str, Correction]] = {}
    for word in found:
        if word.retracts is None and word.id not in retracted:
            last.setdefault(word.example, {})[word.reviewer] = word
    return {example: tuple(by_reviewer.values()) for example, by_reviewer in last.items()}


def _mixed(told: Sequence[Chosen], audits: Sequence[str], missing: int, share: float, limit: int) -> list[Chosen]:
    """Half of each until the quota is met, then the share of audits that the settings want."""
    hastened = _mix(told, audits[:missing], 0.5, min(limit, 2 * min(missing, len(audits))))
    shown = {each.prediction for each in hastened}
    rest = _mix(
        [each for each in told if each.prediction not in shown],
        [each for each in audits if each not in shown],
        share,
        limit - len(hastened),
    )
    return [*hastened, *rest]


def _mix(told: Sequence[Chosen], audits: Sequence[str], share: float, limit: int) -> list[Chosen]:
    """Both in their order, `share` of them audits; where one kind has run out the other fills up."""
    chosen: list[Chosen] = []
    rest, audit_rest = iter(told), (Chosen(each, ChosenBy.RANDOM_AUDIT) for each in audits)
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
