"""What sets waiting examples apart."""

import numpy as np
import pytest

from core.evaluation.drift import lately_log_odds
from core.schema import Example, Prediction, Signal
from core.services import Classifier, Workspace, classify, correct
from core.services.signals import Signals


@pytest.fixture
def waiting(ws: Workspace, classifier: Classifier, pairs) -> list[Prediction]:
    """Two screens, each held against two works; nobody has said anything."""
    by_screen = sorted(pairs, key=lambda pair: pair.file)[:4]
    return [classify(ws, classifier, pair.data, pair.ask, name=pair.file) for pair in by_screen]


def novelty_of(ws: Workspace) -> dict[str, float]:
    return {each.example: each.novelty for each in ws.store.find(Signal)}


def test_what_is_like_an_answered_example_is_less_novel_than_what_is_not(ws: Workspace, waiting) -> None:
    first, *others = waiting
    correct(ws, first.id, "on_task")
    assert Signals(ws, "screen").refresh() == len({each.example for each in others})
    novelty = novelty_of(ws)
    (example,) = ws.store.get_many(Example, [first.example])
    others_now = ws.store.get_many(Example, list(novelty))
    same_picture = [each.id for each in others_now if each.media == example.media]
    elsewhere = [value for id, value in novelty.items() if id not in same_picture]
    assert same_picture and max(novelty[id] for id in same_picture) < min(elsewhere)


def test_where_nothing_is_answered_everything_is_as_novel(ws: Workspace, waiting) -> None:  # noqa: ARG001
    Signals(ws, "screen").refresh()
    assert set(novelty_of(ws).values()) == {1.0}
    assert all(each.domain for each in ws.store.find(Signal))


def test_looking_again_finds_nothing_left_to_do(ws: Workspace, waiting) -> None:  # noqa: ARG001
    signals = Signals(ws, "screen")
    assert signals.refresh() > 0
    assert signals.refresh() == 0


def test_inputs_of_one_kind_have_not_drifted() -> None:
    generator = np.random.default_rng(3)
    assert lately_log_odds(generator.normal(size=(120, 40)), generator.normal(size=(80, 40))) is None


def test_the_inputs_of_a_new_kind_are_the_ones_that_stand_out() -> None:
    generator = np.random.default_rng(3)
    before = generator.normal(size=(150, 40))
    lately = generator.normal(size=(100, 40))
    lately[:60, 0] += 6
    log_odds = lately_log_odds(before, lately)
    assert log_odds is not None
    assert log_odds[:60].min() > np.median(log_odds[60:])


def test_too_few_inputs_say_nothing() -> None:
    assert lately_log_odds(np.zeros((49, 3)), np.ones((90, 3))) is None
