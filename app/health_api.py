"""The routes that say how the server is."""

import logging
from typing import Any

from fastapi import APIRouter, HTTPException, Response

from app.access import allow, anybody
from app.engine import Engine
from app.metrics import CONTENT_TYPE
from app.problems import problems
from core.schema import NightshiftError, Role
from core.services import Workspace

__all__ = ["health_routes"]

logger = logging.getLogger(__name__)


def health_routes(ws: Workspace, engine: Engine) -> APIRouter:
    """`/healthz`, `/readyz` and `/metrics`."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="The process lives")
    @anybody
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="The store can be reached and every champion is loaded", responses=problems(503))
    @anybody
    def readyz() -> dict[str, Any]:
        for name in ws.environments:
            try:
                champion = ws.store.champion(name)
            except NightshiftError as error:
                # Where the store is, is nobody's business who has not signed in.
                logger.warning("not ready: %s", error)
                told = "the store cannot be read; the log of the server says why"
                raise HTTPException(503, told, {"Retry-After": "5"}) from error
            if champion is None or engine.serving(name) is None:
                raise HTTPException(503, f"the champion of {name} is not loaded yet", {"Retry-After": "1"})
        serving = {name: engine.serving(name) for name in ws.environments}
        return {"status": "ready", "serving": serving, "latency_ms": engine.latency_ms()}

    @router.get(
        "/metrics",
        response_class=Response,
        summary="Counters in the text format of Prometheus",
        responses={200: {"content": {"text/plain": {}}}},
    )
    @allow(Role.VIEWER)
    def metrics() -> Response:
        return Response(engine.metrics.page(), headers={"Content-Type": CONTENT_TYPE})

    return router
