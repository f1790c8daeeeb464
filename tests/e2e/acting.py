"""What a person does before the console: opens it, gives it a picture, presses keys."""

import base64
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page, Playwright, expect

from core.environments.screen.rendering import QUIET

SERVE = (
    "import sys; from pathlib import Path; from app.server import serve; "
    "serve(Path(sys.argv[1]), port=0, on_listening=lambda address: print(address, flush=True))"
)
ROOT = Path(__file__).resolve().parents[2]
PATIENCE_MS = 90_000
SENT_MS = 3_000
REVIEWED = 20
SEEN = """() => {
    const desk = window.nightshift.review;
    return !desk || desk.is_seen || /empty|error/.test(desk.root.dataset.state);
}"""
"The Review page takes no key for an item that nobody can have seen yet."


@dataclass(frozen=True)
class Server:
    """Where a server answers, and from which home."""

    address: str
    home: Path


@contextmanager
def serving(home: Path) -> Iterator[Server]:
    """A server over `home`, in a process of its own, ready."""
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH") or str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(home)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        server = Server(process.stdout.readline().strip(), home)
        _wait_until_ready(server)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_ready(server: Server) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{server.address}/readyz", timeout=30).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{server.address} is not ready")


def chromium(playwright: Playwright) -> Browser | None:
    """Debian's Chromium, else the one that Playwright brought; None where there is neither."""
    found = shutil.which("chromium") or playwright.chromium.executable_path
    return playwright.chromium.launch(executable_path=found, args=list(QUIET)) if Path(found).exists() else None


def open_page(
    browser: Browser, server: Server, *, width: int = 1440, height: int = 900, scheme: str = "light"
) -> tuple[Page, list[str]]:
    """A page in a context of its own, and the list that its faults will be in."""
    is_phone = width < 500
    context = browser.new_context(
        base_url=server.address,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        permissions=["clipboard-read", "clipboard-write"],
        is_mobile=is_phone,
        has_touch=is_phone,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if _is_fault(message) else None)
    page.on("request", lambda request: faults.append(request.url) if not _is_ours(request.url, server) else None)
    return page, faults


def close_window(page: Page) -> None:
    """As a person closes a window: the page hears of it, which it does not when its context goes first.

    A browser sends what a page says as it goes, but a context that ends takes that back.
    """
    page.goto("about:blank")
    page.wait_for_timeout(SENT_MS)
    page.context.close()


def _is_fault(message) -> bool:
    # What the browser says of an answer such as 422 is no fault: the page shows it.
    return message.type == "error" and not message.text.startswith("Failed to load resource")


def _is_ours(url: str, server: Server) -> bool:
    return url.startswith((server.address, "data:", "blob:"))


def copy_picture(page: Page, path: Path) -> None:
    """Puts a picture on the clipboard, as a screenshot tool does."""
    page.evaluate(
        """async (data) => {
            const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
            const blob = new Blob([bytes], { type: "image/png" });
            await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode(path.read_bytes()).decode(),
    )


def drop_picture(page: Page, path: Path) -> None:
    """Drops a file somewhere on the page."""
    transfer = page.evaluate_handle(
        """([data, name]) => {
            const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type: "image/png" }));
            return transfer;
        }""",
        [base64.b64encode(path.read_bytes()).decode(), path.name],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("body", event, {"dataTransfer": transfer})


def describe(page: Page, work: str) -> None:
    """Writes the work description and leaves the field."""
    page.fill("#work textarea", work)
    page.keyboard.press("Escape")


def press(page: Page, key: str) -> None:
    """Presses a key and waits until the page has answered it."""
    page.wait_for_function(SEEN)
    before = page.get_attribute("[data-turn]", "data-turn")
    page.keyboard.press(key)
    page.wait_for_function("(before) => document.querySelector('[data-turn]')?.dataset.turn !== before", arg=before)


def settle(page: Page) -> None:
    """Waits until everything that was said on the Review page is stored, or has come back."""
    page.wait_for_function("window.nightshift.review.outbox.length === 0 && !window.nightshift.review.flushing")


def by_day(page: Page, picture: Path) -> None:
    """What an operator does of a morning: classifies, corrects, reviews REVIEWED by the keyboard, takes one back."""
    page.goto("/")
    page.wait_for_selector("#ns-intake")
    describe(page, "Answer the open tickets of the support queue.")
    copy_picture(page, picture)
    page.keyboard.press("Control+V")
    page.wait_for_selector("body[data-intake='answered'] .ns-verdict")
    press(page, "c")
    expect(page.locator(".ns-ack")).to_contain_text("You corrected")
    page.goto("/review")
    page.wait_for_selector(".ns-verdict")
    for n in range(REVIEWED):
        press(page, "2" if n % 3 == 2 else "1")
    settle(page)  # A word that is taken back before it was sent never reaches the store.
    press(page, "u")
    settle(page)
