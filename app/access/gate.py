"""Who asks, and whether they may: stands before every route, and is asked again before every event of the console."""

import logging
from collections.abc import Callable
from dataclasses import replace
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access.roles import Needs, Unknown, declared, refusal
from core.access import LOCAL, STRANGER, Actor, Directory, as_actor, secret_id
from core.schema import NightshiftError, Unavailable
from core.services import Workspace

__all__ = ["Gate", "Gatekeeper"]

logger = logging.getLogger(__name__)
LOOKERS = 4
"Threads that look somebody up; not those that answer, which may all be at work on pictures."


class Gate:
    """Knows who sent a request. `open_without_users` where only this machine can reach the server."""

    def __init__(self, ws: Workspace, *, port: int, open_without_users: bool) -> None:
        self.directory = Directory(ws)
        self.open_without_users = open_without_users
        self.cookie = f"nightshift-{port}"
        "Browsers do not tell ports apart: two installations on a machine must not sign each other out."
        self._lookers = anyio.CapacityLimiter(LOOKERS)

    async def actor(self, scope: Scope) -> Actor | None:
        """Who asks, or None where nobody knows. Raises Unavailable where that cannot be looked up."""
        if self.directory.is_fresh():
            return self._actor(scope)
        return await anyio.to_thread.run_sync(self._actor, scope, limiter=self._lookers)

    def secret_in(self, scope: Scope) -> str | None:
        """The secret of the session that the browser shows, or None."""
        try:
            morsel = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(self.cookie)
        except CookieError:
            return None
        return morsel.value if morsel else None

    def _actor(self, scope: Scope) -> Actor | None:
        headers = Headers(scope=scope)
        client = scope.get("client")
        address = client[0] if client else None
        if self.open_without_users and not self.directory.has_users():
            door = "console" if "sec-fetch-site" in headers else "api"
            return replace(LOCAL, door=door, address=address)  # type: ignore[arg-type]
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind:
            found = self.directory.owner(secret_id(token.strip()), "token") if kind.lower() == "bearer" else None
            door = "api"
        else:
            secret = self.secret_in(scope)
            found = self.directory.owner(secret_id(secret), "session") if secret else None
            door = "console"
        if found is None:
            return None
        grant, user = found
        scopes = frozenset(grant.scopes) if grant.form == "token" else None
        return Actor(user.name, user.role, door, address, scopes, grant.id)  # type: ignore[arg-type]


class Gatekeeper:
    """Refuses what a route does not open to whoever asks, before anything of the body is read; default: refused."""

    def __init__(self, app: ASGIApp, gate: Gate, routes: Callable[[], list[BaseRoute]]) -> None:
        self.app, self.gate, self.routes = app, gate, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        needs = self._needs(scope)
        try:
            actor = await self.gate.actor(scope) if needs is None or needs.role is not None else None
        except Unavailable as error:
            # Where the store is, is nobody's business of whom it is not known who they are.
            logger.warning("nobody was let in: %s", error)
            told = {"detail": "who you are cannot be looked up now; the log of the server says why"}
            await JSONResponse(told, 503, {"Retry-After": "5"})(scope, receive, send)
            return
        problem = refusal(actor, needs)
        if problem is None:
            with as_actor(actor or STRANGER):
                await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": str(problem)})
        else:
            await _refused(scope, problem)(scope, receive, send)

    def _needs(self, scope: Scope) -> Needs | None:
        for route in self.routes():
            match, inner = route.matches(scope)
            if match is Match.FULL:
                return declared(inner.get("endpoint"))
        return None


def _refused(scope: Scope, problem: NightshiftError) -> Response:
    if not isinstance(problem, Unknown):
        return JSONResponse({"detail": str(problem)}, 403)
    headers = Headers(scope=scope)
    if scope["method"] == "GET" and "text/html" in headers.get("accept", "") and "authorization" not in headers:
        if headers.get("sec-fetch-site") == "cross-site":
            # Whoever follows a link from elsewhere shows no SameSite=Strict cookie; asked by our own page, they do.
            return HTMLResponse('<!doctype html><title>Nightshift</title><meta http-equiv="refresh" content="0">')
        here = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        return RedirectResponse(f"/login?next={quote(here, safe='')}", 303)
    return JSONResponse({"detail": str(problem)}, 401, {"WWW-Authenticate": "Bearer"})
