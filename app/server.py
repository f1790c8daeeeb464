"""One process that serves the API and the console on loopback.

`python -m app.server HOME HOST PORT FILE` does so alone, and writes its address to FILE once it can be reached.
"""

import logging
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from app.access import Gate, Gatekeeper
from app.api import create_api
from app.bodies import body_limit
from app.console import mount_console
from app.console.login import login_routes
from app.engine import Engine
from app.guard import (
    BoundedBodies,
    CarefulHeaders,
    OnlyOurselves,
    is_open_without_users,
    own_hosts,
    require_reach,
    with_port,
)
from app.logs import begin_logging
from app.observing import Observed
from app.signalling import keep_signals
from app.tracing import begin_tracing, end_tracing
from core.access import has_users
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
    told = ws.settings.access
    gate = Gate(ws, port=port, open_without_users=is_open_without_users(host, told))
    app = create_api(ws, engine)
    app.router.lifespan_context = partial(_lifespan, engine)
    app.include_router(login_routes(ws, gate))
    mount_console(app, ws, engine, gate)
    app.add_middleware(Gatekeeper, gate=gate, routes=lambda: app.routes)
    app.add_middleware(BoundedBodies, limit=partial(body_limit, media=ws.settings.media))
    app.add_middleware(OnlyOurselves, hosts=own_hosts(host, port), elsewhere=with_port(told.allowed_hosts, port))
    app.add_middleware(CarefulHeaders)
    app.add_middleware(Observed, metrics=engine.metrics)
    return app


def serve(
    home: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    *,
    on_listening: Callable[[str], None] | None = None,
    beside: Callable[[Workspace], None] | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM; `on_listening` is told the address once connections are accepted.

    `beside` is given the workspace that is served, for what runs in the same process.

    Port 0 takes a free one. Raises NightshiftError for an address that others reach while there are no users, a port
    that is taken, or a home that cannot be opened.
    """
    settings = load_settings(home)
    host = host or settings.serve.host
    require_reach(host, settings.access, has_users=has_users(settings))
    with _listen(host, settings.serve.port if port is None else port) as listening:
        port = int(listening.getsockname()[1])
        ws = Workspace.open(home)
        proxies = settings.access.trusted_proxies
        begin_tracing()
        config = uvicorn.Config(
            create_app(ws, host=host, port=port),
            log_config=None,
            log_level="warning",
            # Whose word about the client counts: nobody's, unless the settings name a proxy.
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            server_header=False,
            timeout_graceful_shutdown=CLOSE_AFTER_S,
        )
        if beside is not None:
            beside(ws)
        if on_listening is not None:
            on_listening(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        uvicorn.Server(config).run(sockets=[listening])


@asynccontextmanager
async def _lifespan(engine: Engine, app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
    engine.start()
    over = threading.Event()
    erased = threading.Thread(target=_let_go_of_erased, args=(engine.ws, over), name="erased", daemon=True)
    erased.start()
    signals = threading.Thread(target=keep_signals, args=(engine.ws, over), name="signals", daemon=True)
    signals.start()
    yield
    over.set()
    await run_in_threadpool(engine.close)
    # A thread that is at work in a library while the interpreter ends takes the process with it.
    await run_in_threadpool(erased.join)
    await run_in_threadpool(signals.join)
    end_tracing()


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


def main(arguments: list[str]) -> int:
    """Serves until it is told to stop."""
    home, host, port, told = Path(arguments[0]), arguments[1], int(arguments[2]), Path(arguments[3])
    begin_logging()

    def tell(address: str) -> None:
        told.write_text(address, encoding="utf-8")

    try:
        serve(home, host, port, on_listening=tell)
    except NightshiftError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
