"""Signing in, what each role finds, and the Settings page. The server has users for as long as this module runs."""

import pytest
from acting import open_page
from looking import low_contrasts, violations
from playwright.sync_api import expect

from core.access import add_user, audit_log, disable_user, remove_user, tokens, users
from core.schema import Role
from core.services.changing import setting_changes
from core.settings import load_settings

PASSWORD = "correct horse battery"
PEOPLE = {"ada": Role.ADMIN, "oscar": Role.OPERATOR, "vera": Role.VIEWER}


@pytest.fixture(scope="module", autouse=True)
def people(ws):
    for name, role in PEOPLE.items():
        add_user(ws, name, role, PASSWORD)
    yield
    for user in sorted(users(ws), key=lambda user: user.role is Role.ADMIN):
        remove_user(ws, user.name, also_last=True)


@pytest.fixture
def sign_in(browser, server):
    """A page on which somebody signed in at the door that a path led to; faults fail the test."""
    opened = []

    def signed_in(name, path="/settings", **looks):
        page, faults = open_page(browser, server, **looks)
        opened.append((page, faults))
        page.goto(path)
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("form button")
        return page

    yield signed_in
    for page, faults in opened:
        page.context.close()
        assert faults == []


def test_the_door_needs_no_script_and_leads_to_where_one_was_going(browser, server):
    context = browser.new_context(base_url=server.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/review")
    page.fill("#name", "oscar")
    page.fill("#password", "a wrong password")
    page.click("button")
    expect(page.locator("[role=alert]")).to_contain_text("not right")
    expect(page.locator("#name")).to_have_value("oscar")
    page.fill("#password", PASSWORD)
    page.click("button")
    expect(page).to_have_url(f"{server.address}/review")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_door_fits_a_phone_and_whoever_sees_or_hears_otherwise(browser, server, scheme):
    page, _ = open_page(browser, server, width=390, scheme=scheme)
    page.goto("/login")
    page.wait_for_selector("#password")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert (low_contrasts(page), violations(page)) == ([], [])
    page.context.close()


def test_who_is_signed_in_stands_in_the_bar_and_can_leave(sign_in, server):
    page = sign_in("vera")
    expect(page.locator("#ns-who")).to_contain_text("vera")
    page.click(".ns-out button")
    expect(page).to_have_url(f"{server.address}/login")


def test_a_viewer_finds_nothing_to_press_that_would_be_refused(sign_in):
    page = sign_in("vera", "/review")
    page.wait_for_selector(".ns-verdict, .ns-empty")
    expect(page.locator("html")).to_have_attribute("data-role", "viewer")
    expect(page.locator("#answer-1")).to_be_hidden()
    page.goto("/settings")
    expect(page.locator("#ns-panel")).to_contain_text("looks at verdicts")
    for card in ("#users-card", "#tokens-card", "#works-card", "#nights-card", "#retention-card", "#audit-log table"):
        expect(page.locator(card)).to_be_hidden()


def test_whoever_is_shut_out_is_led_to_the_door_by_the_next_thing_they_do(sign_in, ws, server):
    add_user(ws, "temp", Role.ENGINEER, PASSWORD)
    page = sign_in("temp")
    page.wait_for_selector("#nights-card")
    disable_user(ws, "temp")
    page.click("#save-nights")
    expect(page).to_have_url(f"{server.address}/login?next=%2Fsettings")


def test_a_description_that_is_shared_stands_on_the_classify_page_and_the_change_is_undone(sign_in, ws):
    page = sign_in("ada")
    page.wait_for_selector("#works-card")
    page.fill("#works textarea", "Write the yearly report.\n\nPlan the move.")
    page.click("#save-works")
    expect(page.locator("#works-card .ns-notice")).to_contain_text("Saved: console.works")
    assert load_settings(ws.home).console.works == ("Write the yearly report.", "Plan the move.")
    assert setting_changes(ws)[0].by == "ada"
    page.goto("/")
    page.click(".ns-chip:text('Plan the move.')")
    expect(page.locator("#work textarea")).to_have_value("Plan the move.")
    page.goto("/settings")
    page.click("#undo-setting")
    expect(page.locator(".ns-notice")).to_contain_text("as it was before")
    assert load_settings(ws.home).console.works == ()


def test_a_schedule_that_is_none_is_refused_in_words(sign_in, ws):
    page = sign_in("ada")
    page.wait_for_selector("#nights-card")
    page.fill("#cron textarea, #cron input", "every night")
    page.click("#save-nights")
    expect(page.locator("#nights-card .ns-notice")).to_contain_text("no cron line")
    assert load_settings(ws.home).night.schedule == "0 2 * * *"


def test_a_user_and_a_token_are_made_on_the_page_and_the_log_tells(sign_in, ws):
    page = sign_in("ada")
    page.wait_for_selector("#users-card")
    page.fill("#user-name textarea, #user-name input", "newcomer")
    page.fill("#user-word input", "another horse battery")
    page.click("#add-user")
    expect(page.locator("#users-card table")).to_contain_text("newcomer")
    expect(page.locator("#user-word input")).to_have_value("")
    page.fill("#token-name textarea, #token-name input", "camera")
    page.locator("#token-scopes label", has_text="predict").click()
    page.click("#make-token")
    secret = page.inner_text(".ns-secret")
    assert secret.startswith("ns_") and [each.user for each in tokens(ws)] == ["ada"]
    assert [line.action for line in audit_log(ws, who="ada", limit=2)] == ["token.created", "user.added"]
    page.reload()
    expect(page.locator("#audit-log")).to_contain_text("token created")
    assert secret not in page.content()
