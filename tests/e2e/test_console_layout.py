import pytest
from acting import open_page

PAGES = {
    "/": "#ns-intake",
    "/review": ".ns-verdict, .ns-empty",
    "/figures": ".ns-tiles",
    "/runs": "#ns-panel .ns-card .ns-bar",
    "/models": "#ns-panel .ns-headline",
    "/judge": "#ns-panel .ns-card",
    "/settings": "#users-card",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_no_page_is_wider_than_its_window(browser, server, width, scheme):
    page, faults = open_page(browser, server, width=width, scheme=scheme)
    for path, sign in PAGES.items():
        page.goto(path)
        page.wait_for_selector(sign)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")
    page.context.close()
    assert faults == []


def test_text_stands_out_from_what_is_behind_it(browser, server):
    """WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text of ordinary size."""
    ratio = """() => {
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
        for (const element of document.querySelectorAll(".ns-page *, .ns-top *")) {
            const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
            if (!own || element.closest("[disabled], svg, .ns-screen") || !element.offsetParent) continue;
            const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
            const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (contrast < 4.5) low.push([element.textContent.trim().slice(0, 40), contrast.toFixed(2)]);
        }
        return low;
    }"""
    for scheme in ("light", "dark"):
        page, _ = open_page(browser, server, scheme=scheme)
        for path, sign in PAGES.items():
            page.goto(path)
            page.wait_for_selector(sign)
            page.wait_for_timeout(300)
            assert page.evaluate(ratio) == [], (scheme, path)
        page.context.close()
