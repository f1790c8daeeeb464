"""Every page for whoever sees, hears or steers otherwise, and in every language."""

import json

import pytest
from acting import open_page
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page
from test_console_layout import PAGES

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SERIOUS = ("serious", "critical")


def violations(page: Page) -> list[str]:
    """What axe-core finds serious, with the first element that shows it."""
    page.evaluate(AXE_FILE_PATH.read_text())
    found = page.evaluate(f"axe.run(document, {json.dumps(RULES)})")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in SERIOUS]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(browser, server, scheme):
    page, faults = open_page(browser, server, scheme=scheme)
    found = {}
    for path, sign in PAGES.items():
        page.goto(path)
        page.wait_for_selector(sign)
        page.wait_for_timeout(400)
        found[path] = violations(page)
    page.context.close()
    assert {path: each for path, each in found.items() if each} == {}
    assert faults == []


def test_every_page_is_in_the_language_that_was_chosen(browser, server):
    page, faults = open_page(browser, server)
    for path, sign in PAGES.items():
        page.goto(path)
        page.wait_for_selector(sign)
        if path == "/":
            page.click("button[data-language='de']")
            page.wait_for_selector("html[lang='de'] #ns-intake")
        assert page.locator("nav[aria-label='Seiten'] a").all_inner_texts() == [
            "Einordnen", "Prüfen", "Kennzahlen", "Nächte", "Modelle", "Richter"
        ]  # fmt: skip
    page.goto("/runs")
    assert page.inner_text("#run-now") == "Jetzt eine Nacht starten"
    page.context.close()
    assert faults == []


def test_the_language_is_the_browser_s_until_one_is_chosen(browser, server):
    context = browser.new_context(base_url=server.address, locale="de-DE")
    page = context.new_page()
    page.goto("/figures")
    page.wait_for_selector(".ns-tiles")
    assert "Genauigkeit" in page.inner_text(".ns-tiles")
    context.close()


def test_every_control_is_reached_by_tabbing(browser, server):
    page, _ = open_page(browser, server)
    page.goto("/models")
    page.wait_for_selector("#ns-panel .ns-headline")
    page.wait_for_selector("#lineage-shown .ns-lineage")
    page.evaluate("window.reached = new Set(); document.addEventListener('focusin', (e) => reached.add(e.target))")
    wanted = ".ns-page :is(button:not([disabled]), a[href], input, summary, textarea)"
    left = "(wanted) => [...document.querySelectorAll(wanted)].filter((e) => e.offsetParent && !reached.has(e))"
    for _ in range(12):
        for _ in range(25):
            page.keyboard.press("Tab")
        missed = page.evaluate(f"(wanted) => ({left})(wanted).map((e) => e.outerHTML.slice(0, 200))", wanted)
        if not missed:
            break
    page.context.close()
    assert missed == []
