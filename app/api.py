"""The HTTP door: pictures in, verdicts out, and people's words about them."""

from fastapi import FastAPI

from app.access import allow
from app.engine import Engine
from app.feedback_api import feedback_routes
from app.groups_api import group_routes
from app.health_api import health_routes
from app.predictions_api import prediction_routes
from app.problems import tell_problems
from app.records_api import record_routes
from app.rollout_api import rollout_routes
from core.schema import Role
from core.services import Workspace

__all__ = ["create_api"]


def create_api(ws: Workspace, engine: Engine) -> FastAPI:
    """The application with every route of ours; the console is mounted beside them by `app.server`."""
    app = FastAPI(
        title="Nightshift",
        version="1",
        description="Send a picture and what it is held against; get a verdict; say where it is wrong.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
    )
    app.include_router(prediction_routes(ws, engine))
    app.include_router(group_routes(ws, engine))
    app.include_router(feedback_routes(ws))
    app.include_router(record_routes(ws))
    app.include_router(rollout_routes(ws))
    app.include_router(health_routes(ws, engine))
    for route in app.routes:
        # Which FastAPI itself brings.
        if getattr(route, "path", "") == app.openapi_url:
            allow(Role.VIEWER)(route.endpoint)  # type: ignore[attr-defined]
    tell_problems(app)
    return app
