"""A morning of an operator: classify, correct, review twenty by keyboard, take one back."""

from acting import REVIEWED, by_day, open_page, serving
from story import hold_against

from core.schema import ChosenBy, Correction
from core.services import Classifier, Workspace, classify


def test_a_morning_without_the_mouse(browser, tmp_path, samples):
    home = tmp_path / "home"
    ws = Workspace.open(home)
    classifier = Classifier.of_champion(ws, "screen")
    picture = samples / "images" / "kanban.png"
    first = classify(ws, classifier, picture.read_bytes(), "Plan the sprint.")
    hold_against(ws, first, [f"Plan the sprint of week {week}." for week in range(REVIEWED + 4)])
    with serving(home) as server:
        page, faults = open_page(browser, server)
        by_day(page, picture)
        page.context.close()
    assert faults == []
    words = ws.store.find(Correction)
    reviewed = [word for word in words if word.chosen_by is not ChosenBy.VOLUNTEERED and word.retracts is None]
    assert len(reviewed) == REVIEWED == len({word.example for word in reviewed})
    assert words[-1].retracts == reviewed[-1].id
    assert len(ws.store.labels("screen")) == REVIEWED
