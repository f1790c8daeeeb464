import re

import pytest
from acting import copy_picture, describe, drop_picture, press
from playwright.sync_api import expect

from core.schema import Correction, Example, Judgment, Prediction

WORK = "Answer the open tickets of the support queue."


@pytest.fixture
def picture(samples):
    return samples / "images" / "kanban.png"


@pytest.fixture
def opened(page):
    page.goto("/")
    page.wait_for_selector("#ns-intake")
    return page


@pytest.fixture
def judged(opened, picture, request):
    """A page with a verdict on a work of this test's own."""
    describe(opened, f"{WORK} {request.node.name}")
    opened.set_input_files("#ns-file", picture)
    opened.wait_for_selector(".ns-verdict")
    expect(opened.locator("#ns-intake")).to_have_attribute("data-state", "answered")
    return opened


def last_word(ws):
    return ws.store.find(Correction)[-1]


def test_a_chosen_file_gets_a_verdict_with_its_evidence_drawn_on_it(judged, ws):
    said = ws.store.find(Prediction)[-1]
    expect(judged.locator(".ns-verdict h2")).to_have_text(ws.environment("screen").answer_titles[said.answer])
    expect(judged.locator(".ns-sure strong")).to_have_text(f"{said.confidence:.0%}")
    boxes = [item for item in said.evidence if item.box]
    expect(judged.locator("#screen .ns-box")).to_have_count(len(boxes))
    expect(judged.locator(".ns-why")).to_contain_text(said.release[:10])


def test_a_picture_keeps_its_proportions(judged):
    box = judged.locator("#screen .ns-screen img").bounding_box()
    assert abs(box["width"] / box["height"] - 1280 / 800) < 0.02


def test_a_picture_can_be_pasted_anywhere(opened, picture):
    describe(opened, WORK)
    copy_picture(opened, picture)
    opened.keyboard.press("Control+V")
    expect(opened.locator(".ns-verdict h2")).to_be_visible()


def test_a_picture_can_be_pasted_while_the_cursor_is_in_the_text_field(opened, picture):
    opened.fill("#work textarea", WORK)
    opened.focus("#work textarea")
    copy_picture(opened, picture)
    opened.keyboard.press("Control+V")
    expect(opened.locator(".ns-verdict h2")).to_be_visible()
    expect(opened.locator("#work textarea")).to_have_value(WORK)


def test_a_picture_can_be_dropped_anywhere(opened, picture):
    describe(opened, WORK)
    drop_picture(opened, picture)
    expect(opened.locator(".ns-verdict h2")).to_be_visible()


def test_without_a_description_the_page_asks_for_it_and_goes_on_with_enter(opened, picture):
    opened.set_input_files("#ns-file", picture)
    expect(opened.locator("#ns-intake")).to_have_attribute("data-state", "asking")
    expect(opened.locator("#work textarea")).to_be_focused()
    opened.keyboard.type(WORK)
    opened.keyboard.press("Enter")
    expect(opened.locator(".ns-verdict h2")).to_be_visible()


def test_agreeing_is_one_key_and_stored_when_it_says_so(judged, ws):
    press(judged, "a")
    expect(judged.locator(".ns-ack")).to_contain_text("Stored")
    word = last_word(ws)
    said = ws.store.get(Prediction, word.prediction)
    assert (word.answer, word.chosen_by) == (said.answer, "volunteered")


def test_correcting_is_one_key_and_gives_the_other_answer(judged, ws):
    press(judged, "c")
    expect(judged.locator(".ns-ack")).to_contain_text("You corrected")
    word = last_word(ws)
    assert word.answer != ws.store.get(Prediction, word.prediction).answer


def test_not_being_able_to_tell_is_one_key(judged, ws):
    press(judged, "n")
    expect(judged.locator(".ns-ack")).to_contain_text("Cannot tell")
    assert last_word(ws).answer == "cannot_tell"


def test_undo_is_one_key_and_the_word_can_be_given_anew(judged, ws):
    press(judged, "a")
    given = last_word(ws)
    press(judged, "u")
    expect(judged.locator(".ns-notice")).to_contain_text("Taken back")
    assert last_word(ws).retracts == given.id
    expect(judged.locator("#undo")).to_have_count(0)
    press(judged, "c")
    assert last_word(ws).answer != given.answer


def test_a_reason_goes_with_the_word_and_keys_rest_while_it_is_typed(judged, ws):
    before = ws.store.count(Correction)
    judged.keyboard.press("e")
    expect(judged.locator("#reason textarea, #reason input")).to_be_focused()
    judged.keyboard.type("a cat and a can, unclear")
    assert ws.store.count(Correction) == before
    judged.keyboard.press("Escape")
    press(judged, "a")
    assert last_word(ws).reason == "a cat and a can, unclear"


def test_a_double_press_is_one_word(judged, ws):
    before = ws.store.count(Correction)
    judged.evaluate("for (const _ of [1, 2, 3]) document.dispatchEvent(new KeyboardEvent('keydown', {key: 'a'}))")
    expect(judged.locator(".ns-ack")).to_be_visible()
    judged.wait_for_timeout(500)
    assert ws.store.count(Correction) == before + 1


def test_a_refused_file_says_why_and_leaves_the_last_verdict(judged):
    verdict = judged.inner_text(".ns-verdict h2")
    judged.set_input_files("#ns-file", {"name": "notes.png", "mimeType": "image/png", "buffer": b"hello there"})
    expect(judged.locator(".ns-intake-message")).to_contain_text("is a text file")
    assert judged.inner_text(".ns-verdict h2") == verdict
    expect(judged.locator("#screen .ns-screen")).to_be_visible()


def test_a_picture_that_was_corrected_answers_as_corrected(judged, picture):
    first = judged.inner_text(".ns-verdict h2")
    press(judged, "c")
    judged.set_input_files("#ns-file", picture)
    expect(judged.locator(".ns-verdict .ns-kicker")).to_have_text("A person says")
    assert judged.inner_text(".ns-verdict h2") != first


def test_descriptions_used_before_come_back_in_this_browser(judged, request):
    judged.reload()
    chip = judged.locator(".ns-chip").first
    expect(chip).to_have_text(f"{WORK} {request.node.name}")
    chip.click()
    expect(judged.locator("#work textarea")).to_have_value(f"{WORK} {request.node.name}")


def test_what_is_typed_is_shown_and_never_run(opened, picture):
    nasty = "<img src=x onerror=document.title='run'> ${document.title='run'} {{value}}"
    describe(opened, nasty)
    opened.set_input_files("#ns-file", picture)
    opened.wait_for_selector(".ns-verdict")
    opened.reload()
    expect(opened.locator(".ns-chip").first).to_have_text(nasty)
    assert opened.title() == "Nightshift"


def test_evidence_and_its_box_light_up_together(judged):
    judged.hover(".ns-why li[data-mark='1']")
    expect(judged.locator("#screen .ns-box[data-mark='1']")).to_have_class(re.compile("ns-lit"))


def test_a_click_shows_the_picture_in_full_and_another_closes_it(judged):
    judged.click("#screen .ns-screen", position={"x": 5, "y": 200})
    assert judged.locator("#ns-zoom img").bounding_box()["width"] == 1280
    judged.keyboard.press("Escape")
    expect(judged.locator("#ns-zoom")).to_be_hidden()


def test_light_or_dark_is_remembered(opened):
    assert "dark" not in (opened.get_attribute("body", "class") or "")
    opened.click("#ns-theme")
    opened.reload()
    expect(opened.locator("body")).to_have_class(re.compile(r"\bdark\b"))


def test_the_key_sheet_opens_and_closes(opened):
    opened.keyboard.press("?")
    expect(opened.locator("#ns-sheet")).to_be_visible()
    expect(opened.locator("#ns-sheet")).to_contain_text("agree with the verdict")
    opened.keyboard.press("Escape")
    expect(opened.locator("#ns-sheet")).to_be_hidden()


def test_a_file_that_is_too_large_is_not_even_sent(opened, ws):
    describe(opened, WORK)
    sent = []
    opened.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    too_large = "(most) => window.nightshift.intake.take(new File([new Uint8Array(most + 1)], 'large.png'))"
    opened.evaluate(too_large, ws.settings.media.max_bytes)
    expect(opened.locator(".ns-intake-message")).to_contain_text("larger than 20 MB")
    assert not [url for url in sent if "predictions" in url]


def test_the_picture_is_shown_in_full_by_the_keyboard_too(judged):
    judged.focus("#screen .ns-screen")
    judged.keyboard.press("Enter")
    expect(judged.locator("#ns-zoom")).to_be_visible()


def test_a_recent_screen_is_held_against_other_work_without_its_file(judged, ws, request):
    first = ws.store.find(Prediction)[-1]
    describe(judged, f"{WORK} {request.node.name}, again")
    turn = judged.get_attribute(".ns-verdict", "data-turn")
    judged.locator(".ns-recent").first.click()
    judged.wait_for_function("(turn) => document.querySelector('.ns-verdict').dataset.turn !== turn", arg=turn)
    expect(judged.locator("#ns-intake")).to_have_attribute("data-state", "answered")
    asked = ws.store.get_many(Example, [first.example, ws.store.find(Prediction)[-1].example])
    assert asked[0].media == asked[1].media and asked[0].ask != asked[1].ask


def test_the_judge_is_asked_on_request_and_answers_while_the_page_goes_on(judged, ws):
    said = ws.store.find(Prediction)[-1]
    assert ws.store.find(Judgment, example=said.example) == []
    judged.keyboard.press("j")
    expect(judged.locator("#opinion")).to_contain_text(re.compile("The judge (agrees|contradicts|cannot say)"))
    assert len(ws.store.find(Judgment, example=said.example)) == 1
    expect(judged.locator("#judge")).to_be_hidden()
    press(judged, "a")
    expect(judged.locator("#opinion")).to_contain_text("The judge")
