"""Pages to pictures: one Chromium, several pages at a time, nothing from the network."""

import asyncio
import base64
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from core.environments.screen.rendering.catalogue import Catalogue
from core.environments.screen.rendering.page import html_of
from core.environments.screen.rendering.scene import Scene
from core.environments.screen.rendering.truth import ElementTruth, LineTruth, ScreenTruth, WindowTruth
from core.schema import NightshiftError

__all__ = ["QUIET", "render"]

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"How a Chromium runs as any user, without a graphics card, and asks nothing of anybody elsewhere."
ALIKE = (
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--hide-scrollbars",
)
"What makes the same page the same pixels."
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAGES = 3
"Drawn at a time: one is laid out while another is compressed."
MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")

Drawn = Callable[[str, bytes, ScreenTruth], None]
"""Told of every screen: the name of its file, the PNG, and what is true of it."""


def render(scenes: Iterable[tuple[str, Scene]], catalogue: Catalogue, drawn: Drawn) -> None:
    """Renders named scenes; `drawn` hears of each as it is ready, in no particular order.

    The same scene gives the same pixels on the same machine. Raises NightshiftError where there is no Chromium or no
    Playwright.
    """
    try:
        from playwright.async_api import Error
    except ImportError as error:
        raise NightshiftError("drawing needs Playwright: pip install 'nightshift[draw]'") from error
    chromium = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if chromium is None:
        raise NightshiftError(
            f"drawing needs a Chromium ({', '.join(BROWSERS)}) and there is none on this machine; on Debian: "
            "apt-get install chromium"
        )
    try:
        asyncio.run(_render(iter(scenes), catalogue, drawn, chromium))
    except Error as error:
        raise NightshiftError(f"{chromium} failed: {error.message.splitlines()[0]}") from error


async def _render(scenes: "Iterable[tuple[str, Scene]]", catalogue: Catalogue, drawn: Drawn, chromium: str) -> None:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*QUIET, *ALIKE])
        easels = [asyncio.create_task(_draw_all(browser, scenes, catalogue, drawn)) for _ in range(PAGES)]
        try:
            await asyncio.gather(*easels)
        finally:
            for easel in easels:
                easel.cancel()
            await asyncio.gather(*easels, return_exceptions=True)
            await browser.close()


async def _draw_all(browser: Any, scenes: "Iterable[tuple[str, Scene]]", catalogue: Catalogue, drawn: Drawn) -> None:
    """Takes one scene after the other until there is none left; the other pages take from the same."""
    easels: dict[int, tuple[Any, Any]] = {}
    for name, scene in scenes:
        if scene.scale not in easels:
            context = await browser.new_context(device_scale_factor=scene.scale, offline=True)
            page = await context.new_page()
            easels[scene.scale] = page, await context.new_cdp_session(page)
        page, session = easels[scene.scale]
        await page.set_viewport_size({"width": scene.width, "height": scene.height})
        await page.set_content(html_of(scene, catalogue), wait_until="load")
        measured = await page.evaluate(MEASURE)
        # The protocol takes the picture in the page's own pixels unless it is told to enlarge it.
        whole = {"x": 0, "y": 0, "width": scene.width, "height": scene.height, "scale": scene.scale}
        wanted = {"format": "png", "optimizeForSpeed": True, "clip": whole}
        shot = await session.send("Page.captureScreenshot", wanted)
        drawn(name, base64.b64decode(shot["data"]), _truth(name, scene, measured))


def _truth(name: str, scene: Scene, measured: dict[str, Any]) -> ScreenTruth:
    return ScreenTruth(
        file=name,
        width=scene.width * scene.scale,
        height=scene.height * scene.scale,
        kind=scene.kind,
        language=scene.language,
        theme=scene.theme,
        arrangement=scene.arrangement,
        title=measured["title"],
        windows=tuple(
            WindowTruth(app=window.app.name, **found)
            for window, found in zip(scene.windows, measured["windows"], strict=False)
        ),
        elements=tuple(ElementTruth.model_validate(each) for each in measured["elements"]),
        lines=tuple(LineTruth.model_validate(each) for each in measured["lines"]),
    )
