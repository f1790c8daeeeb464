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

from app.console.classify import classify_page
from app.console.judge import judge_page
from app.console.keys import CLASSIFY, review_keys
from app.console.models import models_page
from app.console.review import review_page
from app.console.shell import PAGES, head, theme
from app.engine import Engine
from core.environments import environments
from core.services import Workspace

__all__ = ["mount_console"]

OURS = re.compile(r"/(v1/.*|healthz|readyz)")
PAGE = re.compile("/(" + "|".join(path for path, _ in PAGES) + ")/?")
NEEDED_OF_GRADIO = re.compile(
    r"/(assets|static|svelte)/.*|/theme\.css|/config|/favicon\.ico|/manifest\.json"
    r"|/gradio_api/(run/predict|queue/(join|data)|heartbeat/[a-z0-9]+|reset|cancel|startup-events|theme\.css)/?"
)


def mount_console(app: FastAPI, ws: Workspace, engine: Engine) -> None:
    """Adds the console to the application at "/"."""
    with warnings.catch_warnings():
        # It warns that pages are not rendered on the server, which nobody asked for.
        warnings.filterwarnings("ignore", message="SSR mode is not supported")
        _mount(app, build_console(ws, engine))
    app.add_middleware(OnlyWhatIsNeeded)


def _mount(app: FastAPI, console: gr.Blocks) -> None:
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
        head=head((*CLASSIFY, *review_keys(("", "")))),
    )


def build_console(ws: Workspace, engine: Engine) -> gr.Blocks:
    """Every page, for the first environment."""
    environment = ws.environment(environments()[0])
    with gr.Blocks(title="Nightshift", analytics_enabled=False, fill_width=True) as console:
        classify_page(console, ws, environment)
    with console.route("Review", "review", show_in_navbar=False):
        review_page(console, ws, environment)
    with console.route("Models", "models", show_in_navbar=False):
        models_page(console, ws, engine, environment)
    with console.route("Judge", "judge", show_in_navbar=False):
        judge_page(console, ws, environment)
    pages: gr.Blocks = console
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
