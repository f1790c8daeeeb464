"""The page of groups in a real Chromium: its keys, the way back, and groups that come free when a page closes."""

import time

from acting import Server, close_window, open_page
from playwright.sync_api import Browser, Page, expect

from core.services import Workspace

PATIENCE_MS = 60_000
HELD_S = 180.0
"How long a window that closed may be missed, where much else is going on."


def open_groups(page: Page) -> str:
    """Opens the page, again until the groups that another window held are free; the first photo that it shows."""
    given_up = time.monotonic() + HELD_S
    while time.monotonic() < given_up:
        page.goto("/groups")
        page.wait_for_selector(".ns-photo img, .ns-empty", timeout=PATIENCE_MS)
        if page.locator(".ns-photo img").count():
            break
        page.wait_for_timeout(1000)
    return shown(page)


def shown(page: Page) -> str:
    """The first photo of the group that is before the person."""
    page.wait_for_selector(".ns-photo img", timeout=PATIENCE_MS)
    return page.get_attribute(".ns-photo img", "src") or ""


def test_a_key_answers_a_group_and_another_takes_that_back(browser: Browser, groups: Server) -> None:
    page, faults = open_page(browser, groups)
    first = open_groups(page)
    page.keyboard.press("2")
    expect(page.locator(".ns-progress")).to_contain_text("1 in this sitting", timeout=PATIENCE_MS)
    assert [label.answer for label in Workspace.open(groups.home).store.labels("group_qc")] == ["不通过"]
    assert shown(page) != first
    page.keyboard.press("u")
    expect(page.locator(".ns-progress")).to_contain_text("0 in this sitting", timeout=PATIENCE_MS)
    assert shown(page) == first
    assert Workspace.open(groups.home).store.labels("group_qc") == []
    close_window(page)
    assert faults == []


def test_groups_in_one_window_are_not_in_another_and_come_free_when_it_closes(browser: Browser, groups: Server) -> None:
    page, _ = open_page(browser, groups)
    open_groups(page)
    other, _ = open_page(browser, groups)
    other.goto("/groups")
    expect(other.locator(".ns-empty")).to_be_visible(timeout=PATIENCE_MS)
    close_window(page)
    assert open_groups(other)
    close_window(other)
