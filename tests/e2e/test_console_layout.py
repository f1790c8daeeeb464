"""Every page in its widths and colours, and for whoever sees, hears or steers otherwise."""

from typing import NamedTuple

import pytest
from looking import every_page, low_contrasts, violations

WIDTHS = (1440, 768, 390)
HEIGHT = 900


class Measured(NamedTuple):
    """What was found on one page."""

    overflowing: list[int]
    low: list[tuple[str, str]]
    violations: list[str]


@pytest.fixture(scope="module", params=["light", "dark"])
def measured(request, browser, server, groups) -> dict[str, Measured]:
    """Each page by its path, opened once."""
    found = {}
    for path, page in every_page(browser, server, groups, scheme=request.param):
        page.wait_for_timeout(400)
        assert path == "/login" or page.locator("body.dark").count() == (request.param == "dark")
        low, serious, overflowing = low_contrasts(page), violations(page), []
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                overflowing.append(width)
        page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
        found[path] = Measured(overflowing, low, serious)
    return found


def test_no_page_is_wider_than_its_window(measured):
    assert {path: each.overflowing for path, each in measured.items() if each.overflowing} == {}


def test_text_stands_out_from_what_is_behind_it(measured):
    assert {path: each.low for path, each in measured.items() if each.low} == {}


def test_axe_finds_nothing_serious_on_any_page(measured):
    assert {path: each.violations for path, each in measured.items() if each.violations} == {}
