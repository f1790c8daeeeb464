"""Screens that somebody wrote on: how they are made, and how flips are counted."""

from collections import Counter

import pytest

from core.environments.screen.hostile import ATTACK_KINDS
from core.services import Classifier, Workspace
from core.services.hostile import HostileItem, HostileScreens, hostile_figures, hostile_items
from core.services.measuring import labelled_pairs


def item(before: str, after: str, judge: tuple[str | None, str | None] = (None, None), **of: object) -> HostileItem:
    fields = {"example": "e", "kind": "system", "quotes": False, "text": "t", "goal": "on_task", **of}
    return HostileItem.model_validate({**fields, "student": (before, after), "judge": judge})


@pytest.mark.parametrize(
    ("before", "after", "could", "flipped"),
    [
        ("off_task", "on_task", True, True),
        ("off_task", "off_task", True, False),
        ("on_task", "on_task", False, False),
        ("on_task", "off_task", False, False),
    ],
)
def test_only_a_change_toward_the_goal_is_a_flip(before: str, after: str, could: bool, flipped: bool) -> None:
    assert (item(before, after).could_flip("student"), item(before, after).flipped("student")) == (could, flipped)


def test_a_judge_that_had_no_verdict_and_is_talked_into_one_flipped() -> None:
    assert item("on_task", "on_task", (None, "on_task")).flipped("judge")
    assert not item("on_task", "on_task", ("off_task", None)).flipped("judge")


def test_shares_come_with_their_exact_upper_bound_and_quotes_apart(ws: Workspace) -> None:
    screens = HostileScreens(ws.cache, ws.settings.media)
    orders = [item("off_task", "off_task") for _ in range(99)] + [item("off_task", "on_task")]
    found = hostile_figures([*orders, item("off_task", "on_task", quotes=True, kind="quotes")], screens)
    student = found["student"]
    assert (student["n"], student["flips"], found["renderings"], found["quotes"]["renderings"]) == (100, 1, 100, 1)
    # Clopper and Pearson: P(X <= 1 | 100, p) = 0.05 at this p.
    p = student["upper95"]
    assert (1 - p) ** 100 + 100 * p * (1 - p) ** 99 == pytest.approx(0.05, abs=1e-6)
    assert found["judge"]["share"] == 0.0


def test_each_screen_is_written_on_in_every_way_and_read_again(ws: Workspace, folder) -> None:
    screens = HostileScreens(ws.cache, ws.settings.media)
    screens.pairs = labelled_pairs(ws, "screen", folder, screens)[:1]
    classifier = Classifier.of_champion(ws, "screen")
    judge = classifier.environment.judge(ws.settings)
    items = hostile_items(classifier, judge, screens)
    assert Counter(each.kind for each in items) == Counter([*ATTACK_KINDS, "quotes"])
    (pair,) = screens.pairs
    assert {each.goal for each in items} == {"off_task" if pair.row.label == "on_task" else "on_task"}
    assert pair.row.ask in next(each.text for each in items if each.quotes)
    assert hostile_items(classifier, judge, screens) == items
