"""One process that serves the API and the console on loopback."""

import logging
import os
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from app.api import body_limit, create_api
from app.console import mount_console
from app.engine import Engine
from app.guard import BoundedBodies, CarefulHeaders, OnlyOurselves, own_hosts, require_loopback
from core.schema import NightshiftError
from core.services import Workspace
from core.settings import load_settings

__all__ = ["create_app", "serve"]

logger = logging.getLogger(__name__)
ERASED_LOOK_S = 5.0
CLOSE_AFTER_S = 3
"Pages keep a stream open for as long as they are shown; a stop does not wait for them."


def create_app(ws: Workspace, *, host: str, port: int) -> FastAPI:
    """The whole application as it is served under `host` and `port`; foreign names and pages are refused."""
    engine = Engine(ws)
    app = create_api(ws, engine)
    app.router.lifespan_context = partial(_lifespan, engine)
    mount_console(app, ws, engine)
    app.add_middleware(BoundedBodies, limit=partial(body_limit, media=ws.settings.media))
    app.add_middleware(OnlyOurselves, hosts=own_hosts(host, port))
    app.add_middleware(CarefulHeaders)
    return app


def serve(
    home: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    *,
    on_listening: Callable[[str], None] | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM; `on_listening` is told the address once connections are accepted.

    Port 0 takes a free one. Raises NightshiftError for an address that is not loopback, a port that is taken, or a
    home that cannot be opened.
    """
    settings = load_settings(home)
    host = host or settings.serve.host
    require_loopback(host)
    with _listen(host, settings.serve.port if port is None else port) as listening:
        port = int(listening.getsockname()[1])
        ws = Workspace.open(home)
        config = uvicorn.Config(
            create_app(ws, host=host, port=port),
            log_level="warning",
            # Nobody stands before a server on loopback whose word about the client would count.
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=CLOSE_AFTER_S,
        )
        if on_listening is not None:
            on_listening(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        uvicorn.Server(config).run(sockets=[listening])


@asynccontextmanager
async def _lifespan(engine: Engine, app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
    threading.Thread(target=_warm_up, args=(engine,), name="warm-up", daemon=True).start()
    over = threading.Event()
    threading.Thread(target=_let_go_of_erased, args=(engine.ws, over), name="erased", daemon=True).start()
    yield
    over.set()


def _warm_up(engine: Engine) -> None:
    try:
        engine.warm_up()
    except NightshiftError as error:
        logger.warning("not ready: %s", error)


def _let_go_of_erased(ws: Workspace, over: threading.Event) -> None:
    """Keeps nothing in memory of what another process has erased."""
    while not over.wait(ERASED_LOOK_S):
        try:
            ws.let_go_of_erased()
        except NightshiftError as error:
            logger.warning("could not look for what was erased: %s", error)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host.strip("[]"), port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise NightshiftError(
            f"cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}; choose another port with --port"
        ) from error
    return listening
