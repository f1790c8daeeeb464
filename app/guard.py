"""What stands before every route, the console's included: only our own pages, bounded bodies, careful headers.

A server on loopback is reachable by any web page the operator has open: by a form or a fetch from a foreign origin,
or by a host name that an attacker points at 127.0.0.1 (DNS rebinding). So the Host must be one of our names and, where
the browser says who asks, it must be ourselves.
"""

import ipaddress
import json
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.schema import NightshiftError
from core.settings import AccessSettings

__all__ = [
    "BoundedBodies",
    "CarefulHeaders",
    "OnlyOurselves",
    "is_loopback",
    "is_open_without_users",
    "own_hosts",
    "require_reach",
    "with_port",
]

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
PAGE_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Gradio writes its configuration into the page and compiles its templates there.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
SET_UNLESS_THERE = {
    "Content-Security-Policy": PAGE_POLICY,
    "Cache-Control": "no-store",
}
SET_ALWAYS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), usb=()",
}


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine alone."""
    name = host.strip("[]")
    try:
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_open_without_users(host: str, access: AccessSettings) -> bool:
    """Whether only this machine can reach the server, so that without users whoever is at it may do everything."""
    return is_loopback(host) and not access.allowed_hosts and not access.trusted_proxies


def require_reach(host: str, access: AccessSettings, *, has_users: bool) -> None:
    """Raises NightshiftError where others could reach the server, and there are no users to tell them apart."""
    if has_users or is_open_without_users(host, access):
        return
    where = f"listen on {host!r}" if not is_loopback(host) else "be reached from elsewhere (access.allowed_hosts)"
    raise NightshiftError(
        f"refusing to {where}: there are no users yet, so anybody who can reach it could see every screen; add one "
        "with `nightshift users add NAME --role admin`, or use 127.0.0.1 (and an SSH tunnel from elsewhere)"
    )


def with_port(hosts: Iterable[str], port: int) -> frozenset[str]:
    """The values of the Host header that these names may have, whether or not a proxy stands before the port."""
    return frozenset({*hosts, *(f"{host}:{port}" for host in hosts if ":" not in host)})


def own_hosts(host: str, port: int) -> frozenset[str]:
    """The values of the Host header that mean this server."""
    names = {*LOOPBACK_NAMES, f"[{host}]" if ":" in host else host}
    return frozenset({f"{name}:{port}" for name in names} | (names if port == 80 else set()))


class OnlyOurselves:
    """Refuses, with 403, what comes under a foreign name or from a foreign page; plain HTTP and websockets alike.

    `elsewhere` are names under which it may be reached from other machines, with or without TLS before it.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], elsewhere: Iterable[str] = ()) -> None:
        self.app = app
        self.hosts = frozenset({*hosts, *elsewhere})
        self.origins = frozenset({*(f"http://{h}" for h in self.hosts), *(f"https://{h}" for h in elsewhere)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        problem = self._problem(scope)
        if problem is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": problem})
        else:
            await _refuse(send, 403, problem)

    def _problem(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return f"this server answers only to {', '.join(sorted(self.hosts))}"
        if any(origin.lower() not in self.origins for origin in headers.getlist("origin")):
            return "this server serves only its own pages"
        from_elsewhere = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        follows_a_link = (
            scope["type"] == "http" and scope["method"] == "GET" and headers.get("sec-fetch-mode") == "navigate"
        )
        if from_elsewhere and not follows_a_link:
            return "this server serves only its own pages"
        return None


class BodyTooLarge(HTTPException):
    """More bytes than the route takes."""

    def __init__(self, limit: int) -> None:
        super().__init__(413, f"the request is larger than {limit:,} bytes", {"Connection": "close"})


class BoundedBodies:
    """Refuses, with 413, a body larger than `limit(path)` bytes: by what it announces, and while it is read."""

    def __init__(self, app: ASGIApp, limit: Callable[[str], int]) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.limit(scope["path"])
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal():
            await _refuse(send, 400, "the Content-Length is not a number")
        elif int(announced) > limit:
            await _refuse(send, 413, BodyTooLarge(limit).detail, close=True)
        else:
            await self._within(limit, scope, receive, send)

    async def _within(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        seen = 0
        answering = False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise BodyTooLarge(limit)
            return message

        async def noted(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except BodyTooLarge as error:
            if answering:
                raise
            await _refuse(send, 413, error.detail, close=True)


class CarefulHeaders:
    """Security headers on every answer; a route that set its own policy or caching keeps it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SET_UNLESS_THERE.items():
                    headers.setdefault(name, value)
                for name, value in SET_ALWAYS.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, with_headers)


async def _refuse(send: Send, status: int, detail: str, *, close: bool = False) -> None:
    body = json.dumps({"detail": detail}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
