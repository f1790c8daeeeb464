"""A real server with drawn screens in it, and a real Chromium in front of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from acting import Server, chromium, open_page, serving
from playwright.sync_api import Browser, Page, expect, sync_playwright
from story import hold_against, inspect_drawn

from core.environments.group_qc.drawing import drawn_group
from core.environments.screen.draw import draw_samples
from core.policy.vlm.tiny import tiny_vlm
from core.services import Classifier, Workspace, classify

# A page that is asked again after some seconds, on a machine that has other things to do as well.
expect.set_options(timeout=30_000)

SHOWN = ("kanban.png", "music.png")
WORKS = [f"{what} of week {week}." for what in ("Plan the sprint", "Pick the music") for week in range(1, 13)]

OF_GROUPS = """
environments = ["screen", "group_qc"]
[group_qc]
model = "{model}"
max_new_tokens = 24
[review]
audits_per_night = 0
audit_share = 0
"""
MISSION, GROUPS = "air_baffle", 2


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for each module, not for all tests: while Playwright runs, its event loop counts as running in the
    thread of the tests, and Prefect then answers whatever test comes next with coroutines."""
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        if browser is None:
            pytest.skip("there is no Chromium on this machine; `make browser` installs it")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The labelled folder of drawn screens."""
    directory = tmp_path_factory.mktemp("samples")
    draw_samples(directory)
    return directory


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Iterator[Server]:
    """A server in a process of its own, with two screens held against many works and nobody's word on them."""
    home = tmp_path_factory.mktemp("served") / "home"
    ws = Workspace.open(home)
    classifier = Classifier.of_champion(ws, "screen")
    for name in SHOWN:
        first = classify(ws, classifier, (samples / "images" / name).read_bytes(), WORKS[0], name=name)
        hold_against(ws, first, WORKS[1:])
    with serving(home) as server:
        yield server


@pytest.fixture(scope="session")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same of a home with both environments, and two inspected groups in it."""
    folder = tmp_path_factory.mktemp("groups")
    home = folder / "home"
    home.mkdir()
    (home / "nightshift.toml").write_text(OF_GROUPS.format(model=tiny_vlm("qwen2_5_vl", folder / "tiny")))
    drawn = [drawn_group(number, mission=MISSION) for number in range(GROUPS)]
    inspect_drawn(Workspace.open(home), folder / "photos", drawn)
    with serving(home) as server:
        yield server


@pytest.fixture(scope="session")
def ws(server: Server) -> Workspace:
    """The home that the server serves, as another process sees it."""
    return Workspace.open(server.home)


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:
    """A desktop page; a fault in a script, or a request to anywhere else, fails the test."""
    page, faults = open_page(browser, server)
    yield page
    page.context.close()
    assert faults == []
