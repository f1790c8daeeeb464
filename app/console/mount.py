"""The console beside the API: its pages, and nothing else of what Gradio would serve."""

import os
import re
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from importlib.resources import files

# Before Gradio is imported: it reads this once.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from fastapi import FastAPI
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import Gate, GuardedBlocks, allow, allow_people, needs_of
from app.console import pages
from app.console.classify import classify_page
from app.console.groups import groups_page
from app.console.judge import judge_page
from app.console.keys import CLASSIFY, review_keys
from app.console.language import I18N, InTheirLanguage
from app.console.metrics import metrics_page
from app.console.models import models_page
from app.console.pages import Page, address, environments_of
from app.console.review import REVIEW_BUTTONS, review_page
from app.console.review_routes import review_routes
from app.console.runs import runs_page
from app.console.settings import settings_page
from app.console.shell import head, theme
from app.engine import Engine
from core.environments import Environment
from core.schema import Role
from core.services import Workspace

__all__ = ["mount_console"]

OURS = re.compile(r"/(v1/.*|console/.*|healthz|readyz|metrics|login|logout)")
NEEDED_OF_GRADIO = re.compile(
    r"/(assets|static|svelte)/.*|/theme\.css|/config|/favicon\.ico|/manifest\.json"
    r"|/gradio_api/(run/predict|queue/(join|data)|heartbeat/[a-z0-9]+|reset|cancel|startup-events|theme\.css)/?"
)


def mount_console(app: FastAPI, ws: Workspace, engine: Engine, gate: Gate) -> None:
    """Adds the console to the application at "/"."""
    for name in ws.environments:
        app.include_router(review_routes(ws, ws.environment(name)))
    if not environments_of(pages.CLASSIFY, ws):
        app.add_api_route("/", _first_page(ws), include_in_schema=False)
    console = build_console(ws, engine, gate)
    with warnings.catch_warnings():
        # It warns that pages are not rendered on the server, which nobody asked for.
        warnings.filterwarnings("ignore", message="SSR mode is not supported")
        _mount(app, console)
    # What Gradio serves needs somebody who signed in; what its events do, each of them declares.
    allow_people(Role.VIEWER)(app.routes[-1].app)  # type: ignore[attr-defined]
    known = re.compile(f"/({'|'.join(re.escape(path) for path, *_ in console.pages)})/?")
    app.add_middleware(InTheirLanguage, pages=known)
    app.add_middleware(OnlyWhatIsNeeded, pages=known)


def _first_page(ws: Workspace) -> Callable[[], RedirectResponse]:
    """What answers at "/" where no environment has the page that stands there."""
    environment = ws.environment(ws.environments[0])
    leads_to = address(pages.word_page(environment), environment, ws)

    @allow(Role.VIEWER)
    def first_page() -> RedirectResponse:
        return RedirectResponse(leads_to)

    return first_page


def _needed(console: GuardedBlocks) -> dict[str, Role]:
    """What the buttons of the console need, by their element ids."""
    needed: dict[str, Role] = {}
    for event in console.fns.values():
        needs = needs_of(event)
        for block, name in event.targets:
            id = None if block is None else getattr(console.blocks.get(block), "elem_id", None)
            if name == "click" and id and needs is not None and needs.role is not None:
                needed[id] = needs.role
    # Buttons of the Review page are its script's, which asks the routes below.
    return needed | dict.fromkeys(REVIEW_BUTTONS, Role.OPERATOR)


def _mount(app: FastAPI, console: GuardedBlocks) -> None:
    gr.mount_gradio_app(
        app,
        console,
        "/",
        footer_links=[],
        run_history=False,
        show_error=True,
        allowed_paths=[],
        max_file_size=1,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        favicon_path=str(files(__package__).joinpath("static", "logo.svg")),
        theme=theme(),
        head=head((*CLASSIFY, *review_keys(("", ""))), _needed(console)),
    )


def build_console(ws: Workspace, engine: Engine, gate: Gate) -> GuardedBlocks:
    """Every page, once for each environment that has it; a handler knows its environment and is told of none."""
    console: GuardedBlocks
    with GuardedBlocks(title="Nightshift", analytics_enabled=False, fill_width=True) as console:
        console.gate = gate
    draw: Mapping[Page, Callable[[Environment], None]] = {
        pages.CLASSIFY: lambda of: classify_page(console, ws, of),
        pages.REVIEW: lambda of: review_page(console, ws, of),
        pages.GROUPS: lambda of: groups_page(console, ws, engine),  # noqa: ARG005
        pages.FIGURES: lambda of: metrics_page(console, ws, of),
        pages.RUNS: lambda of: runs_page(console, ws, of),
        pages.MODELS: lambda of: models_page(console, ws, engine, of),
        pages.JUDGE: lambda of: judge_page(console, ws, of),
    }
    for page, drawn_of in draw.items():
        for environment in environments_of(page, ws):
            with _standing(console, address(page, environment, ws), page.title):
                drawn_of(environment)
    with _standing(console, "/settings", "Settings"):
        settings_page(console, ws)
    # As an argument of the mounting it would come after the pages' configuration was made, and not be in it.
    console.i18n_instance = I18N
    return console


def _standing(console: GuardedBlocks, at: str, title: str) -> AbstractContextManager[gr.Blocks]:
    """The block in which the page at this address is drawn; the one at "/" is there from the beginning."""
    route: AbstractContextManager[gr.Blocks] = (
        console if at == "/" else console.route(title, at.removeprefix("/"), show_in_navbar=False)
    )
    return route


class OnlyWhatIsNeeded:
    """Answers 404 to Gradio's other routes: uploads, files by path, a proxy, editors. The console needs none."""

    def __init__(self, app: ASGIApp, pages: re.Pattern[str]) -> None:
        self.app = app
        self.known = (OURS, pages, NEEDED_OF_GRADIO)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and not any(each.fullmatch(path) for each in self.known):
            await JSONResponse({"detail": "not found"}, status_code=404)(scope, receive, send)
            return
        await self.app(scope, receive, send)
