"""Records what real pages show from moment to moment: `python tests/e2e/frames.py OUT`.

A person's doings in the console and in Prefect's own pages (typing, pointing, choosing, scrolling), a picture after
each, in a folder for each page; `nightshift bench reading --frames OUT` reads them. Takes some minutes.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from acting import chromium, copy_picture, describe, open_page, press, serving
from playwright.sync_api import Browser, Page, sync_playwright
from story import classify_samples

from core.environments.screen.draw import draw_samples
from core.services import Workspace

SIZE = {"width": 1280, "height": 800}
WORK = "Write the quarterly report on sales and send it to the finance team before noon"
SETTLED_MS = 2000
PAGES = ("/", "/review", "/models", "/judge")
PREFECT_PAGES = ("dashboard", "runs", "flows", "deployments", "work-pools", "blocks/catalog", "variables", "settings")


class Recorder:
    """Pictures of one page, in order."""

    def __init__(self, page: Page, folder: Path) -> None:
        self._page, self._folder, self._n = page, folder, 0
        folder.mkdir(parents=True, exist_ok=True)

    def take(self) -> None:
        self._page.wait_for_timeout(250)
        self._n += 1
        self._page.screenshot(path=self._folder / f"{self._n:03}.png")


def main(out: Path) -> None:
    """Records everything into `out`."""
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        home, samples = Path(made) / "home", Path(made) / "samples"
        draw_samples(samples)
        classify_samples(Workspace.open(home), samples)
        browser = chromium(playwright)
        if browser is None:
            sys.exit("there is no Chromium on this machine; `make browser` installs it")
        with serving(home) as server:
            for scheme in ("light", "dark"):
                page, _ = open_page(browser, server, **SIZE, scheme=scheme)
                _classify(page, Recorder(page, out / f"classify-{scheme}"), samples / "images")
                _review(page, Recorder(page, out / f"review-{scheme}"))
                for path in PAGES:
                    _go(page, path)
                    _look_about(page, Recorder(page, out / f"console{path.replace('/', '-')}-{scheme}"))
        with _prefect(browser, Path(made) / "prefect") as page:
            for path in PREFECT_PAGES:
                _go(page, path)
                _look_about(page, Recorder(page, out / f"prefect-{path.replace('/', '-')}"))


def _classify(page: Page, recorder: Recorder, images: Path) -> None:
    page.goto("/")
    page.wait_for_selector("#ns-intake")
    words = WORK.split()
    for known in range(len(words) + 1):
        describe(page, " ".join(words[:known]))
        recorder.take()
    for picture in sorted(images.iterdir())[:4]:
        copy_picture(page, picture)
        page.keyboard.press("Control+V")
        recorder.take()
        page.wait_for_selector("body[data-intake='answered'] .ns-verdict")
        recorder.take()


def _review(page: Page, recorder: Recorder) -> None:
    page.goto("/review")
    page.wait_for_selector(".ns-verdict")
    for key in ("1", " ", "2", " ", "u", "1", "3", " ", "2", "1"):
        recorder.take()
        press(page, key)
    page.keyboard.press("?")
    recorder.take()


def _look_about(page: Page, recorder: Recorder) -> None:
    """Points at things, walks through them with the tab key, and scrolls a little."""
    page.wait_for_timeout(SETTLED_MS)
    recorder.take()
    for step in range(4):
        page.mouse.move(120 + 260 * step, 90 + 150 * step)
        recorder.take()
    for _ in range(5):
        page.keyboard.press("Tab")
        recorder.take()
    for by in (12, 24, 40):
        page.mouse.wheel(0, by)
        recorder.take()


@contextmanager
def _prefect(browser: Browser, home: Path) -> Iterator[Page]:
    """A page before a Prefect server of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "prefect", "server", "start", "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "PREFECT_HOME": str(home), "PREFECT_SERVER_UI_API_URL": f"{address}/api"}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(240):
            with suppress(httpx.TransportError):
                httpx.get(f"{address}/api/health", timeout=5)
                break
            time.sleep(0.5)
        context = browser.new_context(base_url=address, viewport=SIZE)
        yield context.new_page()
        context.close()
    finally:
        server.terminate()
        server.wait(30)


def _go(page: Page, path: str) -> None:
    answer = page.goto(path)
    if answer is None or not answer.ok:
        sys.exit(f"{page.url} is not there")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
