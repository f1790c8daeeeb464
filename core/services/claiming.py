"""Items in reviewers' hands: handed out so that no two people get one, answered, put back, taken up again."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import JsonValue

from core.access import entry
from core.schema import Claim, Correction, NightshiftError, Record, new_id, now
from core.services.feedback import KeyReused, take_back, word_of
from core.services.review import Chosen, ReviewItem, draw, items_of, lot_of_overlap
from core.services.workspace import Workspace
from core.store import ANYTHING, Asked, Order, Sought, Ticket

__all__ = [
    "Given",
    "HandedOut",
    "Seat",
    "answer_claimed",
    "claim_also",
    "give_back",
    "hand_out",
    "renew",
    "reviewed_today",
    "take_up",
]

SPARE = 2
"So many times what is wanted is looked at, since others may be quicker."


class Seat(NamedTuple):
    """Who reviews what, and where they sit: one person may work in two windows."""

    environment: str
    reviewer: str
    sitting: str


class Given(NamedTuple):
    """A reviewer's answer. `key` names this press of a key: sent twice it is stored once."""

    key: str
    prediction: str
    answer: JsonValue
    reason: str | None = None


class HandedOut(NamedTuple):
    """What a reviewer is given, and what waits beside it."""

    items: list[ReviewItem]
    waiting: int


def hand_out(
    ws: Workspace,
    seat: Seat,
    *,
    limit: int,
    held: Collection[str] = (),
    order: Order = Order.DOUBT,
    sought: Sought = ANYTHING,
) -> HandedOut:
    """Up to `limit` further items, claimed for `review.claim_s` seconds; `held` are predictions at hand already."""
    asked = Asked(seat.environment, seat.reviewer, now(), sitting=seat.sitting, held=tuple(held), order=order)
    drawn = draw(ws, replace(asked, sought=sought, limit=SPARE * limit))
    tell_all = sought.reviewer is not None
    items = items_of(ws, seat.environment, drawn.chosen, drawn.share, tell_all=tell_all)
    mine: list[ReviewItem] = []
    rest = items
    while rest and len(mine) < limit:
        tried, rest = rest[: limit - len(mine)], rest[limit - len(mine) :]
        taken = {
            claim.example
            for claim in ws.store.claim(
                [_ticket(ws, seat, i, looks_again=tell_all or i.dispute is not None) for i in tried]
            )
        }
        mine += [item for item in tried if item.example.id in taken]
    return HandedOut(mine, max(0, drawn.waiting - len(mine)))


def claim_also(ws: Workspace, seat: Seat, item: ReviewItem) -> None:
    """Claims an item that was made anew of one at hand. Raises NightshiftError where somebody else has it."""
    _claim(ws, _ticket(ws, seat, item, looks_again=False))


def answer_claimed(ws: Workspace, seat: Seat, given: Sequence[Given]) -> list[Correction | NightshiftError]:
    """Stores answers in one transaction and ends their claims; of each the word, or why it is not stored.

    How the item was chosen is what its claim says. One that ran out counts too: what a person said is never lost.
    """
    claims = _claims(ws, seat, {each.prediction for each in given})
    outcomes: list[Correction | NightshiftError] = []
    records: list[Record] = []
    for each in given:
        try:
            word = _word(ws, seat, claims.get(each.prediction), each)
        except NightshiftError as error:
            outcomes.append(error)
        else:
            outcomes.append(word)
            records += [word, _ended(claims[each.prediction]), entry("correction.given", each.prediction, once=word.id)]
    if ws.store.add(*records) < len(records):
        kept = {word.id: word for word in ws.store.find(Correction, id={record.id for record in records})}
        outcomes = [one if isinstance(one, NightshiftError) else _as_stored(one, kept.get(one.id)) for one in outcomes]
    return outcomes


def take_up(ws: Workspace, seat: Seat, prediction: str, *, correction: str | None = None) -> ReviewItem:
    """Takes the reviewer's word back, where there is one, and puts its item before them again.

    Raises NightshiftError for an item that this sitting never had, a word of somebody else's, and an item that
    somebody else has in hand by now.
    """
    claim = _claims(ws, seat, {prediction}).get(prediction)
    if claim is None:
        raise NightshiftError("this item was not given to you; look at the queue again")
    # The item first: where somebody else has it, the word stands.
    again = claim.model_copy(update={"id": new_id(), "at": now(), "until": _until(ws)})
    _claim(ws, Ticket(again, seats=_seats(ws, claim.example), unanswered=False))
    if correction is not None:
        try:
            take_back(ws, correction, reviewer=seat.reviewer)
        except NightshiftError:
            give_back(ws, seat, [prediction])
            raise
    (item,) = items_of(ws, seat.environment, [Chosen(prediction, claim.chosen_by)], claim.chosen_probability or 0.0)
    as_given = {"chosen_by", "chosen_probability", "blind"}
    return item.model_copy(update=claim.model_dump(include=as_given))


def renew(ws: Workspace, seat: Seat, predictions: Collection[str]) -> None:
    """Keeps these items for the reviewer a while longer."""
    until = _until(ws)
    ws.store.add(
        *(
            claim.model_copy(update={"id": new_id(), "at": now(), "until": until})
            for claim in _claims(ws, seat, predictions).values()
            if claim.until > now()
        )
    )


def give_back(ws: Workspace, seat: Seat, predictions: Collection[str]) -> None:
    """Others may have these items at once."""
    ws.store.add(*(_ended(claim) for claim in _claims(ws, seat, predictions).values() if claim.until > now()))


def reviewed_today(ws: Workspace, environment: str, reviewer: str) -> int:
    """How many items this person reviewed since local midnight, as their words stand now."""
    midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    return ws.store.reviewed_since(environment, reviewer, midnight)


def _claim(ws: Workspace, ticket: Ticket) -> None:
    if not ws.store.claim([ticket]):
        raise NightshiftError("somebody else has this item in hand now")


def _ticket(ws: Workspace, seat: Seat, item: ReviewItem, *, looks_again: bool) -> Ticket:
    claim = Claim(
        id=new_id(),
        environment=seat.environment,
        example=item.example.id,
        prediction=item.prediction.id,
        reviewer=seat.reviewer,
        sitting=seat.sitting,
        chosen_by=item.chosen_by,
        chosen_probability=item.chosen_probability,
        blind=item.blind,
        until=_until(ws),
    )
    return Ticket(claim, seats=1 if looks_again else _seats(ws, item.example.id), unanswered=not looks_again)


def _seats(ws: Workspace, example: str) -> int:
    """How many people an item goes to."""
    return 2 if lot_of_overlap(example) < ws.settings.review.overlap_share else 1


def _claims(ws: Workspace, seat: Seat, predictions: Collection[str]) -> dict[str, Claim]:
    """The last claim of this sitting on each of these predictions."""
    if not predictions:
        return {}
    found = ws.store.find(
        Claim,
        environment=seat.environment,
        reviewer=seat.reviewer,
        sitting=seat.sitting,
        prediction=set(predictions),
    )
    return {claim.prediction: claim for claim in found}


def _word(ws: Workspace, seat: Seat, claim: Claim | None, given: Given) -> Correction:
    if claim is None:
        raise NightshiftError("this item was not given to you; look at the queue again")
    return word_of(
        ws,
        seat.environment,
        claim.example,
        given.answer,
        prediction=given.prediction,
        reason=given.reason,
        reviewer=seat.reviewer,
        chosen_by=claim.chosen_by,
        chosen_probability=claim.chosen_probability,
        key=f"{seat.sitting}:{given.key}",
    )


def _as_stored(word: Correction, kept: Correction | None) -> Correction | NightshiftError:
    """What is stored under the word's id, or why that is not this word."""
    if kept is None:
        return NightshiftError("the screen was erased; nothing can be said of it any more")
    return kept if (kept.example, kept.answer) == (word.example, word.answer) else KeyReused()


def _ended(claim: Claim) -> Claim:
    moment = now()
    return claim.model_copy(update={"id": new_id(), "at": moment, "until": moment})


def _until(ws: Workspace) -> datetime:
    return now() + timedelta(seconds=ws.settings.review.claim_s)
