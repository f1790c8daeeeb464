"""What is noted of every request: an id, how long it took and how it ended, as a log line, a metric and a span."""

import logging
import time

from opentelemetry import propagate, trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.logs import request_id, request_id_of
from app.metrics import Metrics
from app.tracing import tracer

__all__ = ["REQUEST_ID", "SCOPE_KEY", "Observed"]

logger = logging.getLogger(__name__)
REQUEST_ID = "X-Request-Id"
SCOPE_KEY = "nightshift.request_id"
"Where a fault that nobody foresaw, which is answered outside of everything, finds the id."
QUIET = ("/healthz", "/readyz", "/metrics")
"Asked for every few seconds: not worth a line."
CONSOLE, UNKNOWN = "console", "unknown"
OURS = ("/v1/", *QUIET)


class Observed:
    """Stands before all else, so that what is refused is noted too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = scope[SCOPE_KEY] = request_id_of(headers.get(REQUEST_ID))
        token = request_id.set(given)
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = given
            await send(message)

        parent = propagate.extract(dict(headers.items()))
        method = scope["method"]
        try:
            with tracer().start_as_current_span(method, context=parent, kind=trace.SpanKind.SERVER) as span:
                try:
                    await self.app(scope, receive, noted)
                finally:
                    route = _route(scope)
                    span.update_name(f"{method} {route}")
                    span.set_attributes(
                        {"http.request.method": method, "http.route": route, "http.response.status_code": status}
                    )
        finally:
            self._note(method, _route(scope), status, time.perf_counter() - began)
            request_id.reset(token)

    def _note(self, method: str, route: str, status: int, seconds: float) -> None:
        # A method is whatever a client writes.
        known = method if method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS") else "other"
        self._metrics.requests.labels(known, route, str(status)).inc()
        self._metrics.request_seconds.labels(route).observe(seconds)
        if route != CONSOLE and route not in QUIET:
            told = {"method": known, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
            logger.info("%s %s", known, route, extra=told)


def _route(scope: Scope) -> str:
    """The route as it is declared: a path itself is of no bounded number, and may say what it should not."""
    declared = getattr(scope.get("route"), "path", None)
    if isinstance(declared, str) and declared.startswith(OURS):
        return declared
    return UNKNOWN if scope["path"].startswith(OURS) else CONSOLE
