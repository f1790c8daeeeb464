"""The page of groups in a real Chromium: its keys, the way back, and groups that come free when a page closes."""

from collections.abc import Iterator

import pytest
from acting import Server, open_page, serving
from playwright.sync_api import Browser, Page, expect
from story import inspect_drawn

from core.environments.group_qc.drawing import drawn_group
from core.policy.vlm.tiny import tiny_vlm
from core.services import Workspace

SETTINGS = """
environments = ["screen", "group_qc"]
[group_qc]
model = "{model}"
max_new_tokens = 24
[review]
audits_per_night = 0
audit_share = 0
"""
MISSION, GROUPS = "air_baffle", 2
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two inspected groups."""
    folder = tmp_path_factory.mktemp("groups")
    model = tiny_vlm("qwen2_5_vl", folder / "tiny")
    home = folder / "home"
    home.mkdir()
    (home / "nightshift.toml").write_text(SETTINGS.format(model=model))
    drawn = [drawn_group(number, mission=MISSION) for number in range(GROUPS)]
    inspect_drawn(Workspace.open(home), folder / "photos", drawn)
    with serving(home) as server:
        yield server


def open_groups(page: Page) -> str:
    """Opens the page, again until the groups that another window held are free; the first photo that it shows."""
    for _ in range(20):
        page.goto("/groups")
        page.wait_for_selector(".ns-photo img, .ns-empty", timeout=PATIENCE_MS)
        if page.locator(".ns-photo img").count():
            break
    return shown(page)


def shown(page: Page) -> str:
    """The first photo of the group that is before the person."""
    page.wait_for_selector(".ns-photo img", timeout=PATIENCE_MS)
    return page.get_attribute(".ns-photo img", "src") or ""


def close(page: Page) -> None:
    """As a person closes a window: the page hears of it, which it does not when its context goes first."""
    page.goto("about:blank")
    page.context.close()


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
    close(page)
    assert faults == []


def test_groups_in_one_window_are_not_in_another_and_come_free_when_it_closes(browser: Browser, groups: Server) -> None:
    page, _ = open_page(browser, groups)
    open_groups(page)
    other, _ = open_page(browser, groups)
    other.goto("/groups")
    expect(other.locator(".ns-empty")).to_be_visible(timeout=PATIENCE_MS)
    close(page)
    assert open_groups(other)
    close(other)
