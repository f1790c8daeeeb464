"""The console beside the API: its pages, and nothing else of what Gradio would serve."""

import os
import re
import warnings
from importlib.resources import files

# Before Gradio is imported: it reads this once.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr
from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import Gate, GuardedBlocks, allow_people, needs_of
from app.console.classify import classify_page
from app.console.groups import groups_page
from app.console.judge import judge_page
from app.console.keys import CLASSIFY, review_keys
from app.console.language import I18N, InTheirLanguage
from app.console.metrics import metrics_page
from app.console.models import models_page
from app.console.review import REVIEW_BUTTONS, review_page
from app.console.review_routes import review_routes
from app.console.runs import runs_page
from app.console.settings import settings_page
from app.console.shell import GROUPS, PAGES, head, theme
from app.engine import Engine
from app.inspecting import NAME as GROUP_QC
from core.schema import Role
from core.services import Workspace

__all__ = ["mount_console"]

OURS = re.compile(r"/(v1/.*|console/.*|healthz|readyz|metrics|login|logout)")
PAGE = re.compile("/(" + "|".join(path for path, _ in (*PAGES, GROUPS)) + "|settings)/?")
NEEDED_OF_GRADIO = re.compile(
    r"/(assets|static|svelte)/.*|/theme\.css|/config|/favicon\.ico|/manifest\.json"
    r"|/gradio_api/(run/predict|queue/(join|data)|heartbeat/[a-z0-9]+|reset|cancel|startup-events|theme\.css)/?"
)


def mount_console(app: FastAPI, ws: Workspace, engine: Engine, gate: Gate) -> None:
    """Adds the console to the application at "/"."""
    for name in ws.environments:
        app.include_router(review_routes(ws, ws.environment(name)))
    with warnings.catch_warnings():
        # It warns that pages are not rendered on the server, which nobody asked for.
        warnings.filterwarnings("ignore", message="SSR mode is not supported")
        _mount(app, build_console(ws, engine, gate))
    # What Gradio serves needs somebody who signed in; what its events do, each of them declares.
    allow_people(Role.VIEWER)(app.routes[-1].app)  # type: ignore[attr-defined]
    app.add_middleware(InTheirLanguage, pages=PAGE)
    app.add_middleware(OnlyWhatIsNeeded)


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
    """Every page, for the first environment."""
    environment = ws.environment(ws.environments[0])
    with GuardedBlocks(title="Nightshift", analytics_enabled=False, fill_width=True) as console:
        console.gate = gate
        classify_page(console, ws, environment)
    with console.route("Review", "review", show_in_navbar=False):
        review_page(console, ws, environment)
    with console.route("Metrics", "figures", show_in_navbar=False):
        metrics_page(console, ws, environment)
    with console.route("Runs", "runs", show_in_navbar=False):
        runs_page(console, ws, environment)
    with console.route("Models", "models", show_in_navbar=False):
        models_page(console, ws, engine, environment)
    with console.route("Judge", "judge", show_in_navbar=False):
        judge_page(console, ws, environment)
    if GROUP_QC in ws.environments:
        with console.route("Groups", GROUPS[0], show_in_navbar=False):
            groups_page(console, ws, engine)
    with console.route("Settings", "settings", show_in_navbar=False):
        settings_page(console, ws, environment)
    # As an argument of the mounting it would come after the pages' configuration was made, and not be in it.
    console.i18n_instance = I18N
    pages: GuardedBlocks = console
    return pages


class OnlyWhatIsNeeded:
    """Answers 404 to Gradio's other routes: uploads, files by path, a proxy, editors. The console needs none."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and not any(known.fullmatch(path) for known in (OURS, PAGE, NEEDED_OF_GRADIO)):
            await JSONResponse({"detail": "not found"}, status_code=404)(scope, receive, send)
            return
        await self.app(scope, receive, send)
