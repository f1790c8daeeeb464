"""Takes the pictures of the console that the README shows: `make screenshots`, or this file with a HOME.

Makes a home with drawn screens, some weeks of people's words and two nights (some minutes; HOME keeps it for the next
time), serves it, and writes `docs/images/console-*.webp`: every page light and dark, and on a phone. The page of groups
shows drawn groups in a home of its own, judged by a tiny model that was taught the true answers.
"""

import io
import sys
import tempfile
from pathlib import Path

from acting import ROOT, Server, chromium, close_window, copy_picture, describe, open_page, serving
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from story import answer_as_told, classify_samples, days_ago, inspect_drawn, run_night

from core.access import add_user, remove_user, users
from core.environments.group_qc import contract
from core.environments.group_qc.dossier import image_key
from core.environments.group_qc.drawing import DrawnGroup, drawn_group
from core.environments.group_qc.prompt import PROMPT
from core.environments.group_qc.tiny.lessons import DrawnLibrary, group_example
from core.environments.group_qc.tiny.models import tiny_base
from core.environments.group_qc.tiny.teaching import teach
from core.environments.screen.draw import draw_samples
from core.policy.vlm.policy import VlmPolicy
from core.schema import Correction, Role
from core.services import Workspace, audit_judges, correct, nights
from core.settings import VlmSettings

IMAGES = ROOT / "docs" / "images"
WEEKS = 6
NIGHTS_AFTER = (4, 6)
"Weeks after which a night runs."
HOUSE_RULE = {"video": "on_task", "music": "on_task"}
"What this made-up customer counts as work, against the first opinion of the model."
SECOND_REVIEWER, BOTH_ANSWER = "maria", 30
LARGEST = 150_000
QUALITIES = (86, 72, 58, 44)
WORK = "Move the finished cards of the sprint board to done and plan the next sprint."
REHEARSALS = ("Plan the sprint.", "Look after the sprint board.", "Prepare the next sprint.")
PAGES = {
    "review": ".ns-verdict",
    "figures": ".ns-tiles",
    "runs": ".ns-steps",
    "models": "#lineage-shown .ns-lineage",
    "judge": "#ns-panel .ns-headline",
}

PHONE = {"width": 390, "height": 844}
LOOKS: tuple[tuple[str, dict[str, int], str], ...] = (
    ("light", {}, ""),
    ("dark", {}, "-dark"),
    ("dark", PHONE, "-phone"),
)
PEOPLE = {"ada": Role.ADMIN, "maria": Role.OPERATOR, "jonas": Role.ENGINEER, "vera": Role.VIEWER}
PASSWORD = "correct horse battery"
GROUPS_TAUGHT, GROUPS_SHOWN, LESSONS = 400, 6, 250
OF_GROUPS = """
environments = ["group_qc"]
[group_qc]
model = "{model}"
max_new_tokens = 24
[review]
audits_per_night = 0
audit_share = 0
"""


def main(home: Path) -> None:
    """Makes the home where it is new, and takes every picture."""
    ws = Workspace.open(home, learning={"steps": 30, "variants_per_correction": 2})
    with tempfile.TemporaryDirectory() as folder:
        today = Path(folder) / "today"
        draw_samples(today)
        if ws.store.count(Correction) == 0 or len(nights(ws, "screen")) < len(NIGHTS_AFTER):
            _some_weeks(ws, Path(folder))
            classify_samples(ws, today)
        with sync_playwright() as playwright, serving(home) as server:
            browser = chromium(playwright)
            if browser is None:
                sys.exit("there is no Chromium on this machine; `make browser` installs it")
            _take_all(browser, server, today / "images")
            _take_doors(ws, browser, server)
            with serving(_home_of_groups(Path(folder))) as other:
                _take_groups(browser, other)


def _some_weeks(ws: Workspace, folder: Path) -> None:
    for week in range(1, WEEKS + 1):
        draw_samples(folder / f"week{week}", seed=week)
        with days_ago(4 * (WEEKS - week) + 1):
            labels = classify_samples(ws, folder / f"week{week}", when=f"(week {week})")
            answer_as_told(ws, labels, HOUSE_RULE)
            if week == 1:
                _answer_again(ws, labels)
            _tell(f"week {week} of {WEEKS} is answered")
        if week in NIGHTS_AFTER:
            with days_ago(4 * (WEEKS - week) + 0.5):
                _tell(f"the night: {run_night(ws)}")
                audit_judges(ws, "screen")


def _answer_again(ws: Workspace, labels: dict[str, str]) -> None:
    """A second person's words, not always the same."""
    for place, (prediction, label) in enumerate(list(labels.items())[:BOTH_ANSWER]):
        correct(ws, prediction, label if place % 9 else "cannot_tell", reviewer=SECOND_REVIEWER)


def _take_all(browser: Browser, server: Server, images: Path) -> None:
    for scheme, suffix in (("light", ""), ("dark", "-dark")):
        page, _ = open_page(browser, server, scheme=scheme)
        # Asked before, so that no picture shows how long a busy machine takes to read a screen for the first time.
        for work in (*REHEARSALS, WORK):
            _classified(page, images / "kanban.png", work)
        _save(page, f"console-classify{suffix}")
        _take_pages(page, suffix)
        page.context.close()
    phone, _ = open_page(browser, server, scheme="dark", **PHONE)
    phone.goto("/")
    phone.wait_for_selector("#ns-intake")
    _save(phone, "console-classify-phone")
    _take_pages(phone, "-phone")
    phone.context.close()


def _take_doors(ws: Workspace, browser: Browser, server: Server) -> None:
    """The door, and what an administrator sees behind it, while there are people who have to sign in."""
    for name, role in PEOPLE.items():
        if name not in {user.name for user in users(ws)}:
            add_user(ws, name, role, PASSWORD)
    try:
        for scheme, size, suffix in LOOKS:
            page, _ = open_page(browser, server, scheme=scheme, **size)
            page.goto("/settings")
            page.wait_for_selector("#password")
            _save(page, f"console-login{suffix}")
            page.fill("#name", "ada")
            page.fill("#password", PASSWORD)
            page.click("form button")
            page.wait_for_selector("#users-card")
            _save(page, f"console-settings{suffix}")
            page.context.close()
    finally:
        for name in reversed(PEOPLE):
            remove_user(ws, name, also_last=True)


def _home_of_groups(folder: Path) -> Path:
    """A home with inspected groups, and a stage B that has been taught what is right of others."""
    known = [drawn_group(number) for number in range(GROUPS_TAUGHT)]
    policy = VlmPolicy.create(PROMPT, VlmSettings(model=str(tiny_base(folder / "untaught", known, seed=0))))
    teach(
        policy,
        policy.encode([group_example(group) for group in known], DrawnLibrary(())),
        [(_right_answer(group),) for group in known],
        steps=LESSONS,
        batch_size=16,
        learning_rate=1e-3,
        seed=0,
        told=lambda step, loss: None if step % 50 else _tell(f"groups: lesson {step} of {LESSONS}, loss {loss:.3f}"),
    )
    policy.merge(folder / "taught")
    home = folder / "groups"
    home.mkdir()
    (home / "nightshift.toml").write_text(OF_GROUPS.format(model=folder / "taught"))
    shown = [drawn_group(number, seed=1, mission="grounding_cable") for number in range(GROUPS_SHOWN)]
    inspect_drawn(Workspace.open(home), folder / "photos", shown)
    return home


def _right_answer(group: DrawnGroup) -> str:
    place = next((place for place, photo in enumerate(group.photos) if photo.faulty), 0)
    said = group.summaries[place].partition("，")[2]
    return contract.Answer(group.verdict, f"{image_key(place + 1)}，{said}").text


def _take_groups(browser: Browser, server: Server) -> None:
    for scheme, size, suffix in LOOKS:
        page, _ = open_page(browser, server, scheme=scheme, **size)
        page.goto("/groups")
        page.wait_for_selector(".ns-photo img")
        _save(page, f"console-groups{suffix}")
        close_window(page)  # So that its groups come free for the next page.


def _take_pages(page: Page, suffix: str) -> None:
    for path, sign in PAGES.items():
        page.goto(f"/{path}")
        page.wait_for_selector(sign)
        _save(page, f"console-{path}{suffix}")


def _classified(page: Page, picture: Path, work: str) -> None:
    page.goto("/")
    page.wait_for_selector("#ns-intake")
    describe(page, work)
    copy_picture(page, picture)
    page.keyboard.press("Control+V")
    page.wait_for_selector("body[data-intake='answered'] .ns-verdict")


def _save(page: Page, name: str) -> None:
    """The window as a person sees it, at the best quality that is small enough."""
    page.wait_for_timeout(800)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    IMAGES.mkdir(parents=True, exist_ok=True)
    file = IMAGES / f"{name}.webp"
    for quality in QUALITIES:
        picture.save(file, "WEBP", quality=quality, method=6)
        if file.stat().st_size <= LARGEST:
            break
    _tell(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as made:
            main(Path(made) / "home")
