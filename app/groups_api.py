"""Groups of photos over HTTP: several pictures in, one verdict with its reason out."""

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, HTTPException, Query, UploadFile
from starlette.concurrency import run_in_threadpool

from app.access import allow
from app.engine import Engine
from app.inspecting import NAME, stages_of
from app.problems import problems
from app.wire import Text
from core.schema import Role, Scope
from core.services import Workspace
from core.services.groups import monitored

__all__ = ["PHOTOS_AT_ONCE", "group_routes"]

PHOTOS_AT_ONCE = 12
"""Photos of one request; larger groups come by the command line."""


def group_routes(ws: Workspace, engine: Engine) -> APIRouter:
    """No route where groups are not served."""
    router = APIRouter(tags=["groups"])
    if NAME not in ws.environments:
        return router
    stages = stages_of(engine)

    @router.post(
        f"/v1/{NAME}/groups", summary="Inspect the photos of one cabinet", responses=problems(413, 422, 429, 503)
    )
    @allow(Role.OPERATOR, Scope.PREDICT)
    async def inspect(
        mission: Annotated[Text, Form(max_length=40)],
        photos: Annotated[list[UploadFile], File(min_length=1, max_length=PHOTOS_AT_ONCE)],
        group: Annotated[Text, Form(max_length=200)] = "unnamed",
    ) -> dict[str, Any]:
        largest, most = max(photo.size or 0 for photo in photos), ws.settings.media.max_bytes
        if largest > most:
            raise HTTPException(413, f"a photo has {largest:,} bytes; at most {most:,}")
        pictures = [(photo.filename or str(number), await photo.read()) for number, photo in enumerate(photos, start=1)]
        found = await run_in_threadpool(stages.inspect, group, pictures, mission)
        if found.error is not None:
            raise HTTPException(422, found.error)
        return found.told()

    @router.get(f"/v1/{NAME}/monitoring", summary="Pass rates, drift and false passes by mission and site")
    @allow(Role.VIEWER)
    def monitoring(days: Annotated[float, Query(gt=0, le=3650)] = 7.0) -> dict[str, Any]:
        return monitored(ws, days)

    return router
