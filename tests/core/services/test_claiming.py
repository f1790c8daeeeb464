"""Items in reviewers' hands."""

from datetime import timedelta

import pytest
from test_review_queue import predicted

from core.schema import ChosenBy, Claim, Correction, NightshiftError, Prediction, now
from core.services import (
    Given,
    Seat,
    Workspace,
    answer_claimed,
    correct,
    give_back,
    hand_out,
    renew,
    standing_word,
    take_up,
)
from core.services.feedback import KeyReused
from core.store import Order, Sought

ANN, BOB = Seat("screen", "ann", "one"), Seat("screen", "bob", "two")


@pytest.fixture
def waiting(ws: Workspace) -> Workspace:
    """Sixteen predictions, ever surer."""
    predicted(ws, {f"Work number {n}.": 0.5 + n / 100 for n in range(16)})
    return ws


def given(ws: Workspace, seat: Seat, limit: int = 5, **fields):
    return hand_out(ws, seat, limit=limit, **fields).items


def say(ws: Workspace, seat: Seat, prediction: str, answer: str = "on_task", key: str = "1", reason: str | None = None):
    (outcome,) = answer_claimed(ws, seat, [Given(key, prediction, answer, reason)])
    return outcome


def test_two_reviewers_work_through_everything_and_never_get_the_same(waiting: Workspace) -> None:
    waiting.settings = waiting.settings.model_copy(
        update={"review": waiting.settings.review.model_copy(update={"overlap_share": 0.0})}
    )
    seen: dict[str, str] = {}
    while True:
        batches = {seat: given(waiting, seat, 4) for seat in (ANN, BOB)}
        if not any(batches.values()):
            break
        for seat, items in batches.items():
            for item in items:
                assert seen.setdefault(item.example.id, seat.reviewer) == seat.reviewer
                assert isinstance(say(waiting, seat, item.prediction.id, key=item.prediction.id), Correction)
    assert len(seen) == 16 and set(seen.values()) == {"ann", "bob"}


def test_whoever_signs_in_after_another_in_the_same_window_gets_none_of_their_items(waiting: Workspace) -> None:
    waiting.settings = waiting.settings.model_copy(
        update={"review": waiting.settings.review.model_copy(update={"overlap_share": 0.0})}
    )
    of_ann = {item.example.id for item in given(waiting, ANN, 16)}
    assert len(of_ann) == 16
    assert given(waiting, Seat("screen", "bob", ANN.sitting), 16) == []


def test_a_word_says_how_its_item_was_chosen_whatever_the_page_says(waiting: Workspace) -> None:
    shown = {item.prediction.id: item for item in given(waiting, ANN, 20)}
    assert {item.chosen_by for item in shown.values()} == {ChosenBy.REVIEW_QUEUE, ChosenBy.RANDOM_AUDIT}
    for prediction, item in shown.items():
        word = say(waiting, ANN, prediction, key=prediction)
        assert (word.chosen_by, word.chosen_probability) == (item.chosen_by, item.chosen_probability)


@pytest.mark.parametrize("order", [Order.DRIFT, Order.CONTRADICTION])
def test_an_order_in_which_nothing_is_has_audits_at_most(waiting: Workspace, order: Order) -> None:
    chosen = {item.chosen_by for item in given(waiting, ANN, 20, order=order)}
    assert chosen <= ({ChosenBy.RANDOM_AUDIT} if order is Order.DRIFT else set())


def test_what_is_picked_out_is_no_audit(waiting: Workspace) -> None:
    found = given(waiting, ANN, 20, sought=Sought(work="number 1"))
    assert found and {item.chosen_by for item in found} == {ChosenBy.REVIEW_QUEUE}
    assert all("number 1" in item.example.ask for item in found)


def test_an_item_that_nobody_was_given_cannot_be_answered(waiting: Workspace) -> None:
    (item, *_) = given(waiting, ANN)
    for seat in (BOB, ANN._replace(sitting="another window")):
        assert "was not given to you" in str(say(waiting, seat, item.prediction.id))
    assert "is not an answer" in str(say(waiting, ANN, item.prediction.id, answer="perhaps"))
    assert waiting.store.count(Correction) == 0


def test_the_same_press_of_a_key_is_stored_once(waiting: Workspace) -> None:
    (item, *_) = given(waiting, ANN)
    first, second = (say(waiting, ANN, item.prediction.id) for _ in range(2))
    assert first.id == second.id
    assert waiting.store.count(Correction) == 1


def test_a_claim_that_ran_out_loses_no_answer(waiting: Workspace) -> None:
    (item, *_) = given(waiting, ANN)
    (mine,) = waiting.store.find(Claim, prediction=item.prediction.id)
    waiting.store.add(mine.model_copy(update={"id": "ran out", "until": now() - timedelta(seconds=1)}))
    assert item.prediction.id in {each.prediction.id for each in given(waiting, BOB, 30)}
    assert isinstance(say(waiting, ANN, item.prediction.id), Correction)


def test_undo_takes_the_own_word_back_and_the_item_up_again(waiting: Workspace) -> None:
    item = given(waiting, ANN)[0]
    word = say(waiting, ANN, item.prediction.id, "off_task")
    assert take_up(waiting, ANN, item.prediction.id, correction=word.id) == item
    assert standing_word(waiting, item.example.id) is None
    assert item.prediction.id not in {each.prediction.id for each in given(waiting, BOB, 30)}
    again = say(waiting, ANN, item.prediction.id, "on_task", key="2")
    assert (again.answer, again.chosen_by) == ("on_task", item.chosen_by)


def test_nobody_takes_back_what_another_said(waiting: Workspace) -> None:
    item = given(waiting, ANN)[0]
    word = say(waiting, ANN, item.prediction.id)
    waiting.store.add(waiting.store.find(Claim)[0].model_copy(update={"id": "b", "reviewer": "bob", "sitting": "two"}))
    about = waiting.store.find(Claim, reviewer="bob")[0].prediction
    with pytest.raises(NightshiftError, match="only they, or an engineer, can"):
        take_up(waiting, BOB, about, correction=word.id)


def test_a_word_stands_where_its_item_is_in_other_hands_by_now(waiting: Workspace) -> None:
    item = given(waiting, ANN)[0]
    mine = say(waiting, ANN, item.prediction.id, "off_task")
    correct(waiting, item.prediction.id, "on_task", reviewer="bob")
    cid = Seat("screen", "cid", "three")
    assert [each.example.id for each in given(waiting, cid, order=Order.CONTRADICTION)][:1] == [item.example.id]

    with pytest.raises(NightshiftError, match="somebody else has this item"):
        take_up(waiting, ANN, item.prediction.id, correction=mine.id)

    assert waiting.store.find(Correction, retracts=mine.id) == []


def test_an_item_is_for_others_where_its_word_cannot_be_taken_back(waiting: Workspace) -> None:
    item = given(waiting, ANN)[0]
    give_back(waiting, ANN, [item.prediction.id])
    with pytest.raises(NightshiftError, match="there is no word"):
        take_up(waiting, ANN, item.prediction.id, correction="nobody said it")
    assert item.prediction.id in {each.prediction.id for each in given(waiting, BOB, 30)}


def test_what_is_given_back_is_for_others_at_once_and_what_is_renewed_is_not(waiting: Workspace) -> None:
    first, second, *_ = given(waiting, ANN)
    give_back(waiting, ANN, [first.prediction.id])
    renew(waiting, ANN, [first.prediction.id, second.prediction.id])
    others = {each.prediction.id for each in given(waiting, BOB, 30)}
    assert first.prediction.id in others and second.prediction.id not in others


def audited_by_ann(ws: Workspace) -> None:
    (about,) = predicted(ws, {"Write the letter.": 0.8})
    correct(ws, about.id, "on_task", reviewer="ann", chosen_by=ChosenBy.RANDOM_AUDIT, chosen_probability=0.2)


def test_a_second_look_keeps_how_the_item_was_first_chosen(ws: Workspace) -> None:
    audited_by_ann(ws)
    (item,) = given(ws, Seat("screen", "cid", "three"), sought=Sought(reviewer="ann"))
    assert [word.answer for word in item.said] == ["on_task"]
    word = say(ws, Seat("screen", "cid", "three"), item.prediction.id, "on_task")
    assert (word.chosen_by, word.chosen_probability) == (ChosenBy.RANDOM_AUDIT, 0.2)


def test_a_word_that_settles_a_dispute_says_so(ws: Workspace) -> None:
    audited_by_ann(ws)
    (about,) = ws.store.find(Prediction)
    correct(ws, about.id, "off_task", reviewer="bob", chosen_by=ChosenBy.REVIEW_QUEUE)
    (item,) = given(ws, Seat("screen", "cid", "three"), order=Order.CONTRADICTION)
    assert item.dispute is not None and [word.answer for word in item.dispute.words] == ["on_task", "off_task"]
    assert say(ws, Seat("screen", "cid", "three"), item.prediction.id, "off_task").chosen_by is ChosenBy.DISPUTE
    assert given(ws, Seat("screen", "cid", "three"), order=Order.CONTRADICTION) == []


def test_predictions_of_persons_are_nobodys_work(ws: Workspace) -> None:
    predicted(ws, {"Write the letter.": 1.0}, from_person=True)
    assert hand_out(ws, ANN, limit=5) == ([], 0)
    assert ws.store.count(Prediction) == 1


def test_another_answer_under_the_key_of_one_that_is_stored_is_not_called_stored(waiting: Workspace) -> None:
    (item,) = given(waiting, ANN, 1)
    first = say(waiting, ANN, item.prediction.id, "on_task", key="press")
    assert say(waiting, ANN, item.prediction.id, "on_task", key="press") == first
    assert isinstance(say(waiting, ANN, item.prediction.id, "off_task", key="press"), KeyReused)
    assert standing_word(waiting, item.example.id) == first


def test_claims_that_others_replaced_are_deleted_and_the_last_of_each_still_holds(waiting: Workspace) -> None:
    mine = [item.prediction.id for item in given(waiting, ANN, 3)]
    for _ in range(4):
        renew(waiting, ANN, mine)
    assert waiting.store.count(Claim) == 15
    assert waiting.store.tend()["claims_replaced"] == 12
    assert waiting.store.count(Claim) == 3 and waiting.store.check() == []
    assert not {item.prediction.id for item in given(waiting, BOB, 16)} & set(mine)
    assert say(waiting, ANN, mine[0]).chosen_by is ChosenBy.REVIEW_QUEUE
