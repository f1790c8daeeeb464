import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.environments import environment
from core.schema import ChosenBy, Prediction, new_id
from core.services import Workspace, correct, review_queue, undo
from core.services.review import Chosen, _mix

CONFIDENCES = [0.5 + 0.005 * i for i in range(100)]


@pytest.fixture
def waiting(ws: Workspace) -> list[Prediction]:
    """A hundred predictions, ever surer."""
    return predicted(ws, {f"Work number {i}.": confidence for i, confidence in enumerate(CONFIDENCES)})


def predicted(ws: Workspace, confidence_of: dict[str, float], *, from_person: bool = False) -> list[Prediction]:
    examples = [environment("screen").example(("m" * 64,), ask, cluster="c") for ask in confidence_of]
    answered = [
        Prediction(
            id=new_id(),
            environment="screen",
            example=example.id,
            answer="on_task",
            probability=confidence,
            confidence=confidence,
            release="r",
            latency_ms=1,
            from_person=from_person,
        )
        for example, confidence in zip(examples, confidence_of.values(), strict=True)
    ]
    ws.store.add(*examples, *answered)
    return answered


def test_the_most_doubtful_come_first(ws: Workspace, waiting: list[Prediction]) -> None:
    doubtful = [item for item in review_queue(ws, "screen", limit=200) if item.chosen_by is ChosenBy.REVIEW_QUEUE]
    confidences = [item.prediction.confidence for item in doubtful]
    assert confidences == sorted(confidences)
    assert confidences[0] < 0.55
    assert len(waiting) > len(doubtful) > 50


def kinds(ws: Workspace, limit: int) -> list[bool]:
    return [item.chosen_by is ChosenBy.RANDOM_AUDIT for item in review_queue(ws, "screen", limit=limit)]


def test_every_second_item_is_an_audit_until_the_quota_of_the_night_is_met(
    ws: Workspace,
    waiting: list[Prediction],  # noqa: ARG001
) -> None:
    quota = ws.settings.review.audits_per_night
    assert kinds(ws, 2 * quota) == [False, True] * quota
    for item in review_queue(ws, "screen", limit=2 * quota):
        correct(ws, item.prediction.id, "on_task", chosen_by=item.chosen_by, chosen_probability=item.chosen_probability)
    assert kinds(ws, 20)[:5] == [False, False, False, False, True]


def test_where_few_verdicts_are_open_more_of_them_are_audits_so_that_the_quota_can_be_met(ws: Workspace) -> None:
    predicted(ws, {f"Work number {i}.": 0.8 for i in range(8)})
    assert all(kinds(ws, 20))


def test_audits_are_blind_and_know_how_likely_they_were(ws: Workspace, waiting: list[Prediction]) -> None:  # noqa: ARG001
    for item in review_queue(ws, "screen", limit=200):
        audit = item.chosen_by is ChosenBy.RANDOM_AUDIT
        assert item.blind == audit
        assert item.chosen_probability == (0.2 if audit else None)


def test_audits_are_not_chosen_by_doubt(ws: Workspace, waiting: list[Prediction]) -> None:  # noqa: ARG001
    audits = [item.prediction.confidence for item in review_queue(ws, "screen", limit=200) if item.blind]
    assert 8 <= len(audits) <= 35
    assert max(audits) > 0.9
    assert audits != sorted(audits)


def test_every_waiting_prediction_is_in_the_queue_once(ws: Workspace, waiting: list[Prediction]) -> None:
    shown = [item.prediction.id for item in review_queue(ws, "screen", limit=500)]
    assert sorted(shown) == sorted(each.id for each in waiting)


def test_looking_again_shows_the_same(ws: Workspace, waiting: list[Prediction]) -> None:  # noqa: ARG001
    assert review_queue(ws, "screen", limit=30) == review_queue(Workspace.open(ws.home), "screen", limit=30)


def test_items_come_with_their_question(ws: Workspace, waiting: list[Prediction]) -> None:  # noqa: ARG001
    assert all(item.example.id == item.prediction.example for item in review_queue(ws, "screen"))


@pytest.mark.parametrize("answer", ["on_task", "off_task", "cannot_tell"])
def test_what_a_person_answered_leaves_the_queue(ws: Workspace, waiting: list[Prediction], answer: str) -> None:
    first = review_queue(ws, "screen")[0].prediction
    correct(ws, first.id, answer)
    left = [item.prediction.id for item in review_queue(ws, "screen", limit=500)]
    assert first.id not in left
    assert len(left) == len(waiting) - 1


def test_what_was_taken_back_returns_to_the_queue(ws: Workspace, waiting: list[Prediction]) -> None:  # noqa: ARG001
    first = review_queue(ws, "screen")[0].prediction
    correct(ws, first.id, "on_task")
    undo(ws, first.id)
    assert review_queue(ws, "screen")[0].prediction == first


def test_an_example_asked_twice_is_shown_once_with_its_newest_answer(ws: Workspace) -> None:
    predicted(ws, {"Write the letter.": 0.6})
    (newest,) = predicted(ws, {"Write the letter.": 0.7})
    assert [item.prediction for item in review_queue(ws, "screen")] == [newest]


def test_a_persons_own_answer_is_not_put_before_people(ws: Workspace) -> None:
    predicted(ws, {"Write the letter.": 1.0}, from_person=True)
    assert review_queue(ws, "screen") == []


def test_an_empty_installation_has_an_empty_queue(ws: Workspace) -> None:
    assert review_queue(ws, "screen") == []


@given(st.integers(0, 30), st.integers(0, 30), st.floats(0, 1), st.integers(0, 80))
def test_a_mix_loses_nothing_and_fills_up(doubtful: int, audits: int, share: float, limit: int) -> None:
    told = [Chosen(f"d{i}", ChosenBy.REVIEW_QUEUE) for i in range(doubtful)]
    chosen = _mix(told, [f"a{i}" for i in range(audits)], share, limit)
    assert len(chosen) == len(set(chosen)) == min(limit, doubtful + audits)
    assert all(each.prediction.startswith("a") == (each.chosen_by is ChosenBy.RANDOM_AUDIT) for each in chosen)
    if doubtful >= limit and audits >= limit:
        assert abs(sum(each.chosen_by is ChosenBy.RANDOM_AUDIT for each in chosen) - share * limit) <= 1
