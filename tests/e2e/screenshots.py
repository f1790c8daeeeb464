"""Takes the pictures of the console that the README shows: `python tests/e2e/screenshots.py [HOME]`.

Makes a home with drawn screens, some weeks of people's words and one night (a few minutes; HOME keeps it for the next
time), serves it, and writes `docs/images/console-*.png`, each well under 300 KB.
"""

import io
import sys
import tempfile
from pathlib import Path

from acting import ROOT, Server, chromium, copy_picture, describe, open_page, press, serving
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from story import answer_as_told, classify_samples, run_night

from core.environments.screen.draw import draw_samples
from core.schema import Correction
from core.services import Workspace, audit_judges, nights

IMAGES = ROOT / "docs" / "images"
WEEKS = 4
HOUSE_RULE = {"video": "on_task", "music": "on_task"}
"What this made-up customer counts as work, against the first opinion of the model."
LARGEST = 300_000
WORK = "Move the finished cards of the sprint board to done and plan the next sprint."
REHEARSALS = ("Plan the sprint.", "Look after the sprint board.", "Prepare the next sprint.")


def main(home: Path) -> None:
    """Makes the home where it is new, and takes every picture."""
    ws = Workspace.open(home, learning={"steps": 30, "variants_per_correction": 2})
    with tempfile.TemporaryDirectory() as folder:
        today = Path(folder) / "today"
        draw_samples(today)
        if ws.store.count(Correction) == 0:
            _some_weeks(ws, Path(folder))
        if not any(night["state"] == "finished" for night in nights(ws, "screen")):
            _tell(f"the night: {run_night(ws)}")
            classify_samples(ws, today)
        audit_judges(ws, "screen")
        with sync_playwright() as playwright, serving(home) as server:
            browser = chromium(playwright)
            if browser is None:
                sys.exit("there is no Chromium on this machine; `make browser` installs it")
            _take_all(browser, server, today / "images")


def _some_weeks(ws: Workspace, folder: Path) -> None:
    for week in range(1, WEEKS + 1):
        draw_samples(folder / f"week{week}", seed=week)
        labels = classify_samples(ws, folder / f"week{week}", when=f"(week {week})")
        answer_as_told(ws, labels, HOUSE_RULE)
        _tell(f"week {week} of {WEEKS} is answered")


def _take_all(browser: Browser, server: Server, images: Path) -> None:
    for scheme, suffix in (("light", ""), ("dark", "-dark")):
        page, _ = open_page(browser, server, scheme=scheme)
        page.goto("/review")
        page.wait_for_selector(".ns-verdict")
        _save(page, f"console-review{suffix}")
        # Asked before, so that no picture shows how long a busy machine takes to read a screen for the first time.
        for work in (*REHEARSALS, WORK):
            _classified(page, images / "kanban.png", work)
        _save(page, f"console-classify{suffix}")
        page.goto("/models")
        page.wait_for_selector("#ns-panel .ns-headline")
        _save(page, f"console-models{suffix}")
        page.goto("/judge")
        page.wait_for_selector("#ns-panel .ns-headline")
        _save(page, f"console-judge{suffix}")
        page.context.close()
    phone, _ = open_page(browser, server, width=390, height=844, scheme="dark")
    phone.goto("/review")
    phone.wait_for_selector(".ns-verdict")
    press(phone, " ")
    _save(phone, "console-phone")
    phone.context.close()


def _classified(page: Page, picture: Path, work: str) -> None:
    page.goto("/")
    page.wait_for_selector("#ns-intake")
    describe(page, work)
    copy_picture(page, picture)
    page.keyboard.press("Control+V")
    page.wait_for_selector("body[data-intake='answered'] .ns-verdict")


def _save(page: Page, name: str) -> None:
    """The window as a person sees it; in fewer colours where it would be large."""
    page.wait_for_timeout(800)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    IMAGES.mkdir(parents=True, exist_ok=True)
    file = IMAGES / f"{name}.png"
    picture.save(file, optimize=True)
    if file.stat().st_size > LARGEST:
        picture.quantize(256, dither=Image.Dither.NONE).save(file, optimize=True)
    _tell(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} KB")


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made) / "home")
