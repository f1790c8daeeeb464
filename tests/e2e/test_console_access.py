"""Every page for whoever sees, hears or steers otherwise, and in every language."""

from acting import open_page
from looking import every_page

BAR = ["Einordnen", "Prüfen", "Kennzahlen", "Nächte", "Modelle", "Richter"]


def test_every_page_is_in_the_language_that_was_chosen(browser, server, groups):
    for path, page in every_page(browser, server, groups):
        if path in ("/", "/groups"):
            page.click("button[data-language='de']")
        page.wait_for_selector("html[lang='de']")
        if path == "/groups":
            page.wait_for_selector(".ns-photo, .ns-empty")  # Who leaves before that is given groups nobody sees.
        if path == "/login":
            assert page.inner_text("h1") == "Keine Anmeldung nötig"
            continue
        page.wait_for_selector("nav[aria-label='Seiten']")
        bar = page.locator("nav[aria-label='Seiten'] a").all_inner_texts()
        assert [name for name in bar if name != "Gruppen"] == BAR
        if path == "/runs":
            assert page.inner_text("#run-now") == "Jetzt eine Nacht starten"
        if path == "/figures-group_qc":
            assert page.locator(".ns-switch a").all_inner_texts() == ["Bildschirme", "Schaltschränke"]


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
