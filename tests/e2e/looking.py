"""Every page of the console, and what is measured on each: its width, its contrasts, what axe-core finds."""

import json
from collections.abc import Iterator

from acting import Server, close_window, open_page
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page

__all__ = ["every_page", "low_contrasts", "violations"]

OF_SCREENS = {
    "/": "#ns-intake",
    "/review": ".ns-verdict, .ns-empty",
    "/figures": ".ns-tiles",
    "/runs": "#ns-panel .ns-card .ns-bar",
    "/models": "#ns-panel .ns-headline",
    "/judge": "#ns-panel .ns-card",
    "/settings": "#users-card",
    "/login": "h1",
}
OF_GROUPS = {"/groups": ".ns-photo img, .ns-empty", "/figures-group_qc": ".ns-missions"}
"Those that look otherwise where photos of groups are served beside screens."

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SERIOUS = ("serious", "critical")
LOW = """() => {
    const luminance = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map((v) => v / 255)
            .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const colour = getComputedStyle(e).backgroundColor;
            if (!/rgba\\(.*, 0\\)|transparent/.test(colour)) return colour;
        }
        return "rgb(255, 255, 255)";
    };
    const low = [];
    for (const element of document.querySelectorAll(".ns-page *, .ns-top *, body > main *")) {
        const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!own || element.closest("[disabled], svg, .ns-screen") || !element.offsetParent) continue;
        const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5) low.push([element.textContent.trim().slice(0, 40), contrast.toFixed(2)]);
    }
    return low;
}"""


def every_page(browser: Browser, server: Server, groups: Server, **looks: int | str) -> Iterator[tuple[str, Page]]:
    """Path and page, drawn, one after the other. A fault in a script, or a request to elsewhere, fails the test."""
    for served, signs in ((server, OF_SCREENS), (groups, OF_GROUPS)):
        page, faults = open_page(browser, served, **looks)
        for path, sign in signs.items():
            page.goto(path)
            page.wait_for_selector(sign)
            yield path, page
        close_window(page)  # So that its groups come free for the next page.
        assert faults == []


def low_contrasts(page: Page) -> list[tuple[str, str]]:
    """Texts of less than 4.5 to 1 against what is behind them (WCAG 2.2, success criterion 1.4.3)."""
    low: list[tuple[str, str]] = page.evaluate(LOW)
    return low


def violations(page: Page) -> list[str]:
    """What axe-core finds serious, with the first element that shows it."""
    page.evaluate(AXE_FILE_PATH.read_text())
    found = page.evaluate(f"axe.run(document, {json.dumps(RULES)})")["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in SERIOUS]
