import json

import pytest
from acting import open_page, press, settle
from playwright.sync_api import expect

from core.schema import CANNOT_TELL, ChosenBy, Correction
from core.services import review_queue

ITEMS, WORDS, UNDO = "**/console/screen/review/items", "**/console/screen/review/words", "**/console/screen/review/undo"


@pytest.fixture
def opened(page):
    page.goto("/review")
    page.wait_for_selector(".ns-verdict")
    yield page
    settle(page)
    # A context that is closed does not always send what a page that is left would.
    page.evaluate("(({ post, held }) => held.length && post.ask('leave', { predictions: held }))(nightshift.review)")


def words(ws):
    return ws.store.find(Correction)


def shown(page):
    return page.get_attribute("#ns-review", "data-prediction")


def say(page, key):
    press(page, key)
    settle(page)


def is_blind(page):
    return page.locator(".ns-blind").count() == 1


def go_on_until(page, wanted):
    for _ in range(30):
        if wanted(page):
            return
        press(page, " ")
    raise AssertionError("no such item in the queue")


def held(page):
    return set(page.evaluate("window.nightshift.review.held"))


def test_digits_answer_in_the_order_of_the_environment(opened, ws):
    answers = (*ws.environment("screen").answers, CANNOT_TELL)
    for place, answer in enumerate(answers, start=1):
        about = shown(opened)
        say(opened, str(place))
        assert (words(ws)[-1].prediction, words(ws)[-1].answer) == (about, answer)


def test_a_blind_audit_shows_no_verdict_and_is_stored_as_one(opened, ws):
    go_on_until(opened, is_blind)
    expect(opened.locator("#ns-panel")).not_to_contain_text("The model says")
    expect(opened.locator(".ns-why")).to_have_count(0)
    expect(opened.locator(".ns-box")).to_have_count(0)
    say(opened, "2")
    assert words(ws)[-1].chosen_by == ChosenBy.RANDOM_AUDIT
    assert 0 < words(ws)[-1].chosen_probability <= 1


def test_what_is_shown_with_its_verdict_is_stored_as_chosen_by_the_queue(opened, ws):
    go_on_until(opened, lambda page: not is_blind(page))
    say(opened, "1")
    assert words(ws)[-1].chosen_by == ChosenBy.REVIEW_QUEUE


def test_skip_stores_nothing_and_undo_goes_back(opened, ws):
    before, first = len(words(ws)), shown(opened)
    press(opened, " ")
    assert shown(opened) != first
    press(opened, "u")
    settle(opened)
    assert (len(words(ws)), shown(opened)) == (before, first)


def test_undo_goes_back_through_the_whole_sitting_even_after_the_page_was_loaded_anew(opened, ws):
    before = len(words(ws))
    said = []
    for key in ("1", "2", "3"):
        said.append(shown(opened))
        press(opened, key)
    settle(opened)
    opened.reload()
    opened.wait_for_selector(".ns-verdict")
    for prediction in reversed(said):
        press(opened, "u")
        settle(opened)
        assert shown(opened) == prediction
    given, taken_back = words(ws)[before : before + 3], words(ws)[before + 3 :]
    assert [word.retracts for word in taken_back] == [word.id for word in reversed(given)]


def test_the_next_item_does_not_wait_for_the_server_and_nothing_is_called_stored_before_it_is(opened, ws):
    waiting = []
    opened.route(WORDS, lambda route: route.continue_() if waiting else waiting.append(route))
    before, first = len(words(ws)), shown(opened)
    press(opened, "1")
    assert shown(opened) != first
    assert opened.evaluate("(p => p.complete && p.naturalWidth > 0)(document.querySelector('#screen img'))")
    expect(opened.locator("#ns-told")).to_contain_text("1 being stored")
    press(opened, "2")
    assert len(words(ws)) == before
    waiting[0].continue_()
    settle(opened)
    expect(opened.locator("#ns-told")).to_have_text("Stored: Off task")
    assert len(words(ws)) == before + 2


def test_what_the_server_does_not_store_is_before_the_person_again(opened, ws):
    refusal = json.dumps({"detail": "the disk is full."})
    opened.route(WORDS, lambda route: route.fulfill(status=422, content_type="application/json", body=refusal))
    before, first = len(words(ws)), shown(opened)
    press(opened, "1")
    expect(opened.locator("#ns-told")).to_have_text("Not stored: the disk is full. It is before you again.")
    assert (len(words(ws)), shown(opened)) == (before, first)
    opened.unroute(WORDS)
    say(opened, "1")
    assert words(ws)[-1].prediction == first


def test_a_server_that_is_away_is_asked_again_and_then_the_answers_come_back_in_their_order(opened, ws):
    opened.route(WORDS, lambda route: route.abort())
    before, first = len(words(ws)), shown(opened)
    press(opened, "1")
    press(opened, "2")
    expect(opened.locator("#ns-told")).to_contain_text("The server cannot be reached")
    assert (len(words(ws)), shown(opened)) == (before, first)
    opened.unroute(WORDS)


def test_a_key_held_down_answers_one_item(opened, ws):
    before = len(words(ws))
    opened.wait_for_function("window.nightshift.review.is_seen")
    for _ in range(6):
        opened.keyboard.down("3")
    opened.keyboard.up("3")
    opened.wait_for_timeout(400)
    settle(opened)
    assert len(words(ws)) == before + 1


def test_a_key_for_an_item_that_nobody_can_have_seen_is_ignored(opened, ws):
    before = len(words(ws))
    opened.wait_for_function("window.nightshift.review.is_seen")
    opened.evaluate("for (const _ of [1, 2]) document.dispatchEvent(new KeyboardEvent('keydown', {key: '1'}))")
    settle(opened)
    assert len(words(ws)) == before + 1


def test_a_reason_is_typed_in_peace_left_with_enter_and_stored(opened, ws):
    before = len(words(ws))
    opened.keyboard.press("e")
    opened.keyboard.type("1 2 3 and a game")
    assert len(words(ws)) == before
    opened.keyboard.press("Enter")
    say(opened, "1")
    assert words(ws)[-1].reason == "1 2 3 and a game"


def test_a_button_that_the_keyboard_chose_is_operated_by_enter(opened, ws):
    before = len(words(ws))
    opened.focus("#answer-2")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Shift+Tab")
    expect(opened.locator("#answer-2")).to_be_focused()
    say(opened, "Enter")
    assert len(words(ws)) == before + 1


def test_keys_can_be_changed_and_stay_changed(opened, ws):
    opened.keyboard.press("?")
    opened.click("[data-rebind='answer-1']")
    opened.keyboard.press("j")
    expect(opened.locator("kbd[data-cap='answer-1']")).to_have_text("J")
    opened.keyboard.press("Escape")
    opened.reload()
    opened.wait_for_selector(".ns-verdict")
    say(opened, "j")
    assert words(ws)[-1].answer == ws.environment("screen").answers[0]
    opened.keyboard.press("?")
    opened.click("[data-reset-keys]")
    expect(opened.locator("kbd[data-cap='answer-1']")).to_have_text("1")
    opened.keyboard.press("Escape")


def test_two_windows_never_hold_the_same_item(opened, browser, server):
    other, faults = open_page(browser, server)
    other.goto("/review")
    other.wait_for_selector(".ns-verdict")
    assert held(opened) and held(other) and not held(opened) & held(other)
    other.context.close()
    assert faults == []


def test_blind_mode_hides_the_verdict_of_every_item(opened):
    opened.keyboard.press("b")
    for _ in range(3):
        opened.wait_for_selector(".ns-blind")
        expect(opened.locator("#ns-panel")).not_to_contain_text("The model says")
        press(opened, " ")
    opened.keyboard.press("b")
    expect(opened.locator("#ns-blind")).not_to_be_checked()


def test_filters_leave_only_what_was_asked_for(opened):
    opened.click("#ns-filters summary")
    opened.fill("#ns-queue [name=work]", "the MUSIC")
    opened.keyboard.press("Tab")
    expect(opened.locator(".ns-ask")).to_contain_text("Pick the music of week")
    opened.fill("#ns-queue [name=work]", "nothing like this")
    opened.keyboard.press("Tab")
    expect(opened.locator(".ns-empty")).to_contain_text("Nothing matches")
    opened.click("#ns-queue [type=reset]")
    opened.wait_for_selector(".ns-verdict")


def test_an_order_in_which_nothing_waits_says_what_would_be_there(opened):
    opened.select_option("#ns-order", "contradiction")
    expect(opened.locator(".ns-empty")).to_contain_text("No two people contradict each other")
    opened.select_option("#ns-order", "doubt")
    opened.wait_for_selector(".ns-verdict")


@pytest.mark.parametrize(
    ("status", "says"), [(403, "You may not review"), (401, "You are signed out"), (422, "The queue cannot be shown")]
)
def test_who_is_not_let_in_is_told_why(page, status, says):
    answer = json.dumps({"detail": "no"})
    page.route(ITEMS, lambda route: route.fulfill(status=status, content_type="application/json", body=answer))
    page.goto("/review")
    expect(page.locator(".ns-empty")).to_contain_text(says)
    expect(page.locator("#answer-1")).to_be_hidden()


def test_progress_counts_and_the_end_says_what_to_do(opened, ws):
    for _ in range(90):
        settle(opened)
        if opened.get_attribute("#ns-review", "data-state") != "item":
            break
        press(opened, "1")
    expect(opened.locator(".ns-empty")).to_contain_text("Nothing waits for you")
    assert review_queue(ws, "screen") == []
    done = sum(word.chosen_by is not ChosenBy.VOLUNTEERED for word in ws.store.labels("screen"))
    expect(opened.locator("#ns-done")).to_have_text(f"{done} today")
    expect(opened.locator("#ns-pace")).to_contain_text("0 left")
    press(opened, "u")
    expect(opened.locator(".ns-verdict")).to_be_visible()
