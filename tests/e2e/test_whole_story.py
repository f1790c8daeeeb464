"""The whole story in one browser: classify, correct, review, undo, a night, its gates, the new champion, and back."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from acting import REVIEWED, Server, by_day, open_page
from playwright.sync_api import Page, expect
from story import answer_as_told, classify_samples

from core.environments.screen.draw import draw_samples
from core.schema import Correction, Promotion
from core.services import Workspace, nights

NIGHT_MS = 900_000
SETTINGS = """
[learning]
steps = 20
variants_per_correction = 1
[night]
after_corrections = 1000
[gate]
hostile_screens = 0
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def up(home: Path) -> Iterator[Server]:
    """All of Nightshift from `home`, until the block ends."""
    ports = ["--port", str(_free_port()), "--prefect-port", str(_free_port())]
    command = [sys.executable, "-m", "app.cli", "up", "--home", str(home), *ports, "--json"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        place = json.loads(process.stdout.readline())
        yield Server(place["console_url"].rstrip("/"), home)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@pytest.fixture
def ready(tmp_path: Path) -> Workspace:
    """A home with a week of people's words, and as many screens that nobody has looked at."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "nightshift.toml").write_text(SETTINGS)
    ws = Workspace.open(home)
    for week in (1, 2):
        draw_samples(tmp_path / f"week{week}", seed=week)
        labels = classify_samples(ws, tmp_path / f"week{week}", when=f"(week {week})")
        if week == 1:
            answer_as_told(ws, labels, {"video": "on_task", "music": "on_task"})
    return ws


def by_night(page: Page) -> None:
    page.goto("/runs")
    page.wait_for_selector("#run-now")
    page.click("#run-now")
    expect(page.locator("#run-now")).to_have_text("A night is at work…", timeout=60_000)
    page.reload()  # A browser that goes away loses nothing.
    expect(page.locator(".ns-steps .ns-now")).to_be_visible(timeout=120_000)
    expect(page.locator("#run-now")).to_have_text("Run a night now", timeout=NIGHT_MS)
    page.reload()
    expect(page.locator(".ns-steps .ns-done")).to_have_count(10)
    expect(page.locator(".ns-logs li").first).to_be_visible()
    expect(page.locator("h3", has_text="What was decided")).to_be_visible()


def in_the_morning(page: Page, ws: Workspace, before: str) -> None:
    page.goto("/models")
    expect(page.locator(".ns-gates tbody tr").first).to_be_visible()
    if ws.store.champion("screen") == before:
        page.click("#release input")
        page.locator("#release [role=option]").filter(has_not_text=before[:10]).first.click()
        page.fill("#release-reason textarea, #release-reason input", "it mends what we corrected")
        page.click("#promote")
        expect(page.locator("#ns-panel")).to_contain_text("is champion now")
    after = ws.store.champion("screen")
    assert after != before
    page.reload()
    expect(page.locator("#ns-panel .ns-headline").first).to_contain_text(after[:10])
    page.click("#roll-back")
    page.fill("#rollback-reason textarea, #rollback-reason input", "worse on music")
    page.click("#rollback-yes")
    expect(page.locator("#ns-panel")).to_contain_text("is champion again")


@pytest.mark.soak
@pytest.mark.timeout(2400)
def test_from_a_correction_to_a_champion_and_back(browser, ready, samples):
    before = ready.store.champion("screen")
    words = ready.store.count(Correction)
    with up(ready.home) as server:
        page, faults = open_page(browser, server)
        by_day(page, samples / "images" / "kanban.png")
        by_night(page)
        in_the_morning(page, ready, before)
        page.goto("/figures")
        expect(page.locator(".ns-tiles")).to_be_visible()
        page.context.close()
    assert faults == []
    assert ready.store.count(Correction) == words + 1 + REVIEWED + 1
    assert nights(ready, "screen")[0]["state"] == "finished"
    assert ready.store.find(Promotion)[-1].reason == "worse on music"
    assert ready.store.champion("screen") == before
