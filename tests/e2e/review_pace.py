"""Measures the Review page in a real browser: `python tests/e2e/review_pace.py [KEYS]`, one JSON object on stdout.

From the press of a key to the frame in which the next picture stands whole, and from the press to the word being
stored. Drawn screens of 1280 by 800; a key each 0.4 s, which is five hundred screens in three and a half minutes.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from acting import chromium, open_page, press, serving, settle
from playwright.sync_api import Page, sync_playwright
from story import hold_against

from core.environments.screen.draw import draw_samples
from core.services import Classifier, Workspace, classify

BETWEEN_KEYS_S = 0.4


def main(keys: int) -> None:
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        home, samples = Path(made) / "home", Path(made) / "samples"
        draw_samples(samples)
        _fill(Workspace.open(home), samples / "images", keys + 20)
        browser = chromium(playwright)
        if browser is None:
            sys.exit("there is no Chromium on this machine; `make browser` installs it")
        with serving(home) as server:
            page, faults = open_page(browser, server)
            page.goto("/review")
            page.wait_for_selector(".ns-verdict")
            page.wait_for_timeout(2000)
            found = _measured(page, keys)
            page.context.close()
        sys.stdout.write(json.dumps({**found, "faults": faults}) + "\n")


def _fill(ws: Workspace, images: Path, number: int) -> None:
    classifier = Classifier.of_champion(ws, "screen")
    pictures = sorted(images.iterdir())
    for picture in pictures:
        first = classify(ws, classifier, picture.read_bytes(), f"Look after {picture.stem}.", name=picture.name)
        works = [f"Look after {picture.stem} in week {week}." for week in range(number // len(pictures))]
        hold_against(ws, first, works)


def _measured(page: Page, keys: int) -> dict[str, float | int]:
    stored_ms = []
    for n in range(keys):
        started = time.perf_counter()
        press(page, "12"[n % 2])
        settle(page)
        stored_ms.append((time.perf_counter() - started) * 1000)
        time.sleep(max(0.0, BETWEEN_KEYS_S - (time.perf_counter() - started)))
    next_ms = sorted(page.evaluate("window.nightshift.review.paces_ms"))
    return {
        "n": len(next_ms),
        "key_to_next_image_p50_ms": round(statistics.median(next_ms), 1),
        "key_to_next_image_p95_ms": round(next_ms[int(0.95 * (len(next_ms) - 1))], 1),
        "key_to_next_image_max_ms": round(next_ms[-1], 1),
        "key_to_stored_p50_ms": round(statistics.median(stored_ms), 1),
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
