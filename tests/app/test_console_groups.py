"""The page of groups, by its handlers: what is shown, what a word does, and the way back."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from serving import HOST, PORT, picture

from app.console.groups import GroupsPage, Sitting
from app.console.language import I18N
from app.engine import Engine
from app.inspecting import stages_of
from app.server import create_app
from core.access import acting
from core.environments.group_qc.summaries import STAGE_A, Summariser
from core.policy.vlm.tiny import tiny_vlm
from core.schema import CANNOT_TELL, Label, Prediction
from core.services import Seat, Workspace, correct, give_back, review_queue, undo

LINES = ("正面，挡风板齐全，标签清晰", "左侧，缺少挡风板，标签清晰")
SITTING, PROGRESS, GALLERY, TEXT, PANEL, UNDO, SHOWN = 0, 1, 2, 3, 5, 8, 10


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    told = {"model": str(tiny_vlm("qwen2_5_vl", tmp_path_factory.mktemp("tiny"))), "max_new_tokens": 24}
    home = tmp_path_factory.mktemp("served") / "home"
    return Workspace.open(
        home, environments=("group_qc",), group_qc=told, review={"audits_per_night": 0, "audit_share": 0}
    )


@pytest.fixture(scope="module")
def page(ws: Workspace) -> GroupsPage:
    """Two groups wait."""
    engine = Engine(ws)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Summariser, "write", lambda *asked: [(line, None) for line in LINES[: len(asked[-1])]])
        for name in ("north_2031-02-03_7", "south_2031-02-03_8"):
            stages_of(engine).inspect(name, [("1", picture(f"{name} 1")), ("2", picture(f"{name} 2"))], "air_baffle")
    return GroupsPage(ws, engine)


@pytest.fixture
def state(page: GroupsPage) -> Iterator[list[Any]]:
    """What a person sees who opens the page; when they leave, nothing is in their hands."""
    state = page.begin()
    yield state
    leave(page, state[SITTING])


def leave(page: GroupsPage, sitting: Sitting) -> None:
    give_back(page.ws, Seat("group_qc", acting().name, sitting.id), [each.prediction.id for each in sitting.items])


def prediction(ws: Workspace, state: list[Any]) -> Prediction:
    found = ws.store.get(Prediction, state[SHOWN])
    assert found is not None
    return found


def verdicts(ws: Workspace) -> list[Label]:
    return [label for label in ws.store.labels("group_qc") if label.answer != CANNOT_TELL]


def test_a_group_is_shown_with_its_photos_lines_verdict_and_reason(ws: Workspace, state: list[Any]) -> None:
    said = prediction(ws, state)
    assert state[GALLERY].count("<img") == 2
    assert all(line in state[GALLERY] for line in LINES)
    assert state[GALLERY].count("ns-evidence") == len({each.media for each in said.evidence})
    assert said.reason
    assert "挡风板" in state[PANEL]


def test_a_word_is_stored_the_next_group_comes_and_undo_brings_it_back(
    page: GroupsPage, ws: Workspace, state: list[Any]
) -> None:
    first = state[SHOWN]
    after = page.answer("不通过", state[SITTING], first, "图片_2缺少挡风板")
    assert after[SHOWN] != first
    assert [label.reason for label in ws.store.labels("group_qc")] == ["图片_2缺少挡风板"]
    assert "1</strong> in this sitting" in after[PROGRESS]
    twice = page.answer("通过", after[SITTING], first, "")
    assert twice[SHOWN] == after[SHOWN]
    back = page.undo(after[SITTING])
    assert back[SHOWN] == first
    assert ws.store.labels("group_qc") == []


def test_undo_takes_back_ones_own_word_and_not_what_another_said_since(
    page: GroupsPage, ws: Workspace, state: list[Any]
) -> None:
    after = page.answer("不通过", state[SITTING], state[SHOWN], "图片_2缺少挡风板")
    other = correct(ws, state[SHOWN], "通过", reviewer="ben")
    page.undo(after[SITTING])
    assert [label.correction for label in ws.store.labels("group_qc")] == [other.id]
    undo(ws, state[SHOWN])
    assert ws.store.labels("group_qc") == []


def test_corrected_lines_are_kept_and_the_group_is_answered_anew(
    page: GroupsPage, ws: Workspace, state: list[Any]
) -> None:
    before = prediction(ws, state)
    text = f"{LINES[0]}\n左侧，挡风板翘起，标签清晰"
    refused = page.save_lines(state[SITTING], state[SHOWN], "one line")
    assert "1 lines for 2 photos" in refused[PROGRESS]
    after = page.save_lines(state[SITTING], state[SHOWN], text)
    anew = prediction(ws, after)
    assert (anew.example != before.example, "挡风板翘起" in after[GALLERY]) == (True, True)
    assert [label.answer for label in ws.store.labels(STAGE_A)] == ["左侧，挡风板翘起，标签清晰"]


def test_undo_takes_back_corrected_lines_before_the_word_that_was_said_earlier(
    page: GroupsPage, ws: Workspace, state: list[Any]
) -> None:
    lines, first = ws.store.labels(STAGE_A), state[SHOWN]
    second = page.answer("不通过", state[SITTING], first, "图片_2缺少挡风板")
    wrong = page.save_lines(second[SITTING], second[SHOWN], "正面，挡风板脏污，标签清晰\n左侧，挡风板脏污，标签清晰")
    assert len(ws.store.labels(STAGE_A)) == len(lines) + 2
    back = page.undo(wrong[SITTING])
    assert back[SHOWN] == second[SHOWN]
    assert ws.store.labels(STAGE_A) == lines
    assert [label.prediction for label in verdicts(ws)] == [first], "what was said before stands"
    again = page.undo(back[SITTING])
    assert (again[SHOWN], verdicts(ws)) == (first, [])
    leave(page, again[SITTING])
    waiting = {item.prediction.id for item in review_queue(ws, "group_qc")}
    assert waiting == {first, second[SHOWN]}, "no half-mended group waits"


def test_who_agrees_blindly_has_not_said_the_reason_that_was_hidden(
    page: GroupsPage, ws: Workspace, state: list[Any]
) -> None:
    said, sitting = prediction(ws, state), state[SITTING]
    sitting.items[0] = sitting.items[0].model_copy(update={"blind": True})
    page.answer(str(said.answer), sitting, said.id, "")
    (label,) = verdicts(ws)
    assert (label.answer, label.reason) == (said.answer, None)
    page.undo(sitting)


def test_the_page_speaks_german_where_that_is_the_language_of_the_request(
    page: GroupsPage, state: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.console.language.spoken", lambda: "de")
    refused = page.save_lines(state[SITTING], state[SHOWN], "one line")
    assert "in dieser Sitzung" in refused[PROGRESS] and "1 Zeilen für 2 Fotos" in refused[PROGRESS]


def test_the_groups_are_in_the_bar_where_they_are_served_and_only_there(
    ws: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    without = Workspace.open(tmp_path_factory.mktemp("without") / "home")
    for served, linked in ((ws, True), (without, False)):
        create_app(served, host=HOST, port=PORT)
        assert ('<a href="/groups">Gruppen</a>' in I18N.translations["de"]["head/figures"]) is linked


def test_a_page_that_lost_its_sitting_begins_again(page: GroupsPage) -> None:
    for lost in (partial(page.answer, "通过", None, "whatever", ""), partial(page.skip, None, "whatever")):
        again = lost()
        assert again[SHOWN]
        leave(page, again[SITTING])


def test_no_two_people_get_one_group_and_one_that_is_skipped_is_free(page: GroupsPage, state: list[Any]) -> None:
    assert len(state[SITTING].items) == 2
    other = page.begin()
    assert not other[SHOWN], "both groups are in the first one's hands"
    after = page.skip(state[SITTING], state[SHOWN])
    assert page.begin()[SHOWN] == state[SHOWN] != after[SHOWN]


def test_a_group_whose_lines_were_corrected_waits_no_more_under_the_old_ones(
    page: GroupsPage, ws: Workspace, state: list[Any]
) -> None:
    before = prediction(ws, state)
    after = page.save_lines(state[SITTING], state[SHOWN], f"{LINES[0]}\n左侧，挡风板松动，标签清晰")
    leave(page, after[SITTING])
    assert before.id not in {item.prediction.id for item in review_queue(ws, "group_qc")}
    assert after[SHOWN] in {item.prediction.id for item in review_queue(ws, "group_qc")}
