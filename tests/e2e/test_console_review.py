import pytest
from acting import press
from playwright.sync_api import expect

from core.schema import CANNOT_TELL, ChosenBy, Correction
from core.services import review_queue


@pytest.fixture
def opened(page):
    page.goto("/review")
    page.wait_for_selector(".ns-verdict")
    return page


def words(ws):
    return ws.store.find(Correction)


def is_blind(page):
    return page.locator(".ns-blind").count() == 1


def go_to_a_blind_audit(page):
    for _ in range(30):
        if is_blind(page):
            return
        press(page, " ")
    raise AssertionError("no blind audit in the queue")


def test_the_most_doubtful_comes_first_with_its_work_and_its_picture(opened, ws):
    first = review_queue(ws, "screen")[0]
    expect(opened.locator(".ns-ask")).to_contain_text(first.example.ask)
    expect(opened.locator("#screen img").first).to_have_attribute("src", f"/v1/media/{first.example.media[0]}")


def test_digits_answer_in_the_order_of_the_environment(opened, ws):
    answers = (*ws.environment("screen").answers, CANNOT_TELL)
    for place, answer in enumerate(answers, start=1):
        press(opened, str(place))
        assert words(ws)[-1].answer == answer


def test_a_blind_audit_shows_no_verdict_and_is_stored_as_one(opened, ws):
    go_to_a_blind_audit(opened)
    (chance,) = {
        each.chosen_probability for each in review_queue(ws, "screen") if each.chosen_by is ChosenBy.RANDOM_AUDIT
    }
    expect(opened.locator("#ns-panel")).not_to_contain_text("The model says")
    expect(opened.locator(".ns-why")).to_have_count(0)
    expect(opened.locator(".ns-box")).to_have_count(0)
    press(opened, "2")
    word = words(ws)[-1]
    assert word.chosen_by == ChosenBy.RANDOM_AUDIT
    assert word.chosen_probability == chance


def test_what_is_shown_with_its_verdict_is_stored_as_chosen_by_the_queue(opened, ws):
    while is_blind(opened):
        press(opened, " ")
    press(opened, "1")
    assert words(ws)[-1].chosen_by == ChosenBy.REVIEW_QUEUE


def test_skip_stores_nothing_and_undo_goes_back(opened, ws):
    before = len(words(ws))
    first = opened.inner_text(".ns-ask")
    press(opened, " ")
    assert len(words(ws)) == before
    press(opened, "u")
    assert opened.inner_text(".ns-ask") == first


def test_undo_takes_the_word_back_and_shows_the_item_again(opened, ws):
    first = opened.inner_text(".ns-ask")
    press(opened, "1")
    given = words(ws)[-1]
    expect(opened.locator(".ns-notice")).to_contain_text("Stored")
    press(opened, "u")
    assert words(ws)[-1].retracts == given.id
    assert opened.inner_text(".ns-ask") == first


def test_a_key_held_down_answers_one_item(opened, ws):
    before = len(words(ws))
    opened.keyboard.down("3")
    for _ in range(5):
        opened.keyboard.down("3")
    opened.keyboard.up("3")
    expect(opened.locator(".ns-notice")).to_contain_text("Stored")
    opened.wait_for_timeout(400)
    assert len(words(ws)) == before + 1
    press(opened, "u")


def test_the_next_picture_is_there_already(opened):
    asked = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.wait_for_timeout(500)
    coming = opened.locator(".ns-soon img").first.get_attribute("src")
    press(opened, " ")
    expect(opened.locator("#screen img").first).to_have_attribute("src", coming)
    opened.wait_for_function("document.querySelector('#screen img').complete")
    assert not [url for url in asked if url.endswith(coming)]
    press(opened, "u")


def test_a_reason_is_typed_in_peace_and_stored(opened, ws):
    before = len(words(ws))
    opened.keyboard.press("e")
    opened.keyboard.type("1 2 3 and a game")
    assert len(words(ws)) == before
    opened.keyboard.press("Escape")
    press(opened, "1")
    assert words(ws)[-1].reason == "1 2 3 and a game"


def test_a_button_that_the_keyboard_chose_is_operated_by_space(opened, ws):
    before = len(words(ws))
    opened.focus("#answer-2")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Shift+Tab")
    expect(opened.locator("#answer-2")).to_be_focused()
    press(opened, "Enter")
    assert len(words(ws)) == before + 1


def test_progress_counts_and_the_end_says_what_to_do(opened, ws):
    for _ in range(60):
        if not review_queue(ws, "screen"):
            break
        press(opened, "1")
    expect(opened.locator(".ns-empty")).to_contain_text("Nothing waits for you")
    expect(opened.locator("#answer-1")).to_have_count(0)
    done = sum(word.chosen_by in (ChosenBy.REVIEW_QUEUE, ChosenBy.RANDOM_AUDIT) for word in ws.store.labels("screen"))
    expect(opened.locator(".ns-progress")).to_contain_text(f"{done} of {done} today")
    press(opened, "u")
    expect(opened.locator(".ns-verdict")).to_be_visible()
