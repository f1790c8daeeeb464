"""The HTTP door: pictures in, verdicts out, and people's words about them."""

import base64
import binascii
import json
import math
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, FastAPI, HTTPException, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from app.engine import Engine, EngineBusy
from app.rollout_api import rollout_routes
from app.wire import (
    FeedbackAnswer,
    FeedbackRequest,
    PredictionAnswer,
    PredictionFields,
    PredictionRequest,
    Problem,
)
from core.environments import environments
from core.schema import Media, NightshiftError, Prediction, Run
from core.services import Workspace, correct, night_report, prediction, standing_word, training_steps, undo
from core.settings import MediaSettings
from core.store import StoreBusy

__all__ = ["body_limit", "create_api"]

SMALL_BODY = 1 << 20
BESIDE_THE_PICTURE = 1 << 16
REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
Body = TypeVar("Body", bound=BaseModel)
RecordId = Annotated[str, Path(description="An id as it was given out.")]


def body_limit(path: str, media: MediaSettings) -> int:
    """How many bytes a request to `path` may have."""
    takes_pictures = path.startswith("/v1/") and path.endswith("/predictions")
    return math.ceil(media.max_bytes * 4 / 3) + BESIDE_THE_PICTURE if takes_pictures else SMALL_BODY


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
    app.include_router(_predictions(ws, engine))
    app.include_router(_feedback(ws))
    app.include_router(_pictures_and_reports(ws))
    app.include_router(rollout_routes(ws))
    app.include_router(_health(ws, engine))
    app.add_exception_handler(NightshiftError, _as_problem)
    app.add_exception_handler(Exception, _as_fault)
    return app


def _as_problem(request: Request, error: Exception) -> Response:  # noqa: ARG001
    if isinstance(error, EngineBusy):
        return _problem(429, str(error), retry_after_s=1)
    if isinstance(error, StoreBusy):
        return _problem(503, str(error), retry_after_s=5)
    return _problem(422, str(error))


def _as_fault(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return _problem(500, "something went wrong here; the log of the server says what")


def _problem(status: int, detail: str, *, retry_after_s: int | None = None) -> JSONResponse:
    headers = None if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return JSONResponse({"detail": detail}, status_code=status, headers=headers)


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": Problem} for status in statuses}


def _accepts(*bodies: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Documents a body that the route reads itself, so that each fault gets its own status."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind, schema in bodies}}}


def _predictions(ws: Workspace, engine: Engine) -> APIRouter:
    router = APIRouter(tags=["predictions"])
    form = PredictionFields.model_json_schema()
    form["properties"] = {"image": {"type": "string", "format": "binary"}, **form["properties"]}
    form["required"] = ["image", *form["required"]]

    @router.post(
        "/v1/{environment}/predictions",
        response_model=PredictionAnswer,
        summary="Classify a picture",
        responses=_problems(400, 404, 413, 415, 422, 429, 503),
        openapi_extra=_accepts(
            ("multipart/form-data", form), ("application/json", PredictionRequest.model_json_schema())
        ),
    )
    async def predict(environment: str, request: Request) -> PredictionAnswer:
        if environment not in environments():
            raise HTTPException(404, f"no environment {environment!r}; there are: {', '.join(environments())}")
        data, name, fields = await _picture(request)
        if len(data) > ws.settings.media.max_bytes:
            raise HTTPException(413, f"the picture has {len(data):,} bytes; at most {ws.settings.media.max_bytes:,}")
        answered = await run_in_threadpool(
            engine.classify, environment, data, fields.work, name=name, session=fields.session
        )
        return PredictionAnswer.of(answered)

    @router.get(
        "/v1/predictions/{prediction_id}",
        response_model=PredictionAnswer,
        summary="A stored prediction",
        responses=_problems(404),
    )
    def stored(prediction_id: RecordId) -> PredictionAnswer:
        return PredictionAnswer.of(_found(ws, prediction_id))

    return router


async def _picture(request: Request) -> tuple[bytes, str | None, PredictionFields]:
    """The file, its name where it has one, and what came with it. Raises HTTPException 400, 415 or 422."""
    kind = _media_type(request)
    if kind == "application/json":
        body = _validated(PredictionRequest, await _json(request))
        try:
            return base64.b64decode(body.image_base64, validate=True), None, body
        except (binascii.Error, ValueError) as error:
            raise HTTPException(400, f"image_base64 is not base64: {error}") from error
    if kind != "multipart/form-data":
        raise HTTPException(415, f"send multipart/form-data or application/json, not {kind or 'nothing'}")
    async with request.form(max_files=1, max_fields=4, max_part_size=BESIDE_THE_PICTURE) as form:
        parts = dict(form.multi_items())
        image = parts.pop("image", None)
        if not isinstance(image, UploadFile):
            raise HTTPException(422, "image: a file is required")
        fields = _validated(PredictionFields, {k: v for k, v in parts.items() if isinstance(v, str)})
        return await image.read(), image.filename or None, fields


def _feedback(ws: Workspace) -> APIRouter:
    router = APIRouter(tags=["feedback"])

    @router.post(
        "/v1/feedback",
        status_code=201,
        response_model=FeedbackAnswer,
        summary="Say what is right, or take that back",
        responses=_problems(400, 404, 409, 413, 415, 422, 503),
        openapi_extra=_accepts(("application/json", FeedbackRequest.model_json_schema())),
    )
    async def feedback(request: Request) -> FeedbackAnswer:
        if _media_type(request) != "application/json":
            raise HTTPException(415, f"send application/json, not {_media_type(request) or 'nothing'}")
        body = _validated(FeedbackRequest, await _json(request))
        return await run_in_threadpool(_store_word, ws, body)

    return router


def _store_word(ws: Workspace, body: FeedbackRequest) -> FeedbackAnswer:
    about = _found(ws, body.prediction_id)
    if body.label is not None:
        return FeedbackAnswer.of(about.id, correct(ws, about.id, body.label, reason=body.reason))
    if standing_word(ws, about.example) is None:
        raise HTTPException(409, f"there is nothing to undo: nobody has answered prediction {about.id!r}")
    return FeedbackAnswer.of(about.id, undo(ws, about.id))


def _pictures_and_reports(ws: Workspace) -> APIRouter:
    router = APIRouter(tags=["pages"])

    @router.get(
        "/v1/media/{media_id}",
        response_class=Response,
        summary="A picture as it was normalised",
        responses={200: {"content": {"image/png": {}}}, **_problems(404)},
    )
    def picture(media_id: RecordId) -> Response:
        if ws.store.get(Media, media_id) is None:
            raise HTTPException(404, f"there is no picture {media_id!r} here")
        return Response(
            ws.library.data(media_id),
            media_type="image/png",
            headers={"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'"},
        )

    @router.get(
        "/v1/nights/{run_id}/report",
        response_class=HTMLResponse,
        summary="What a night learnt and why it was (not) promoted",
        responses=_problems(404),
    )
    def report(run_id: RecordId) -> HTMLResponse:
        # Only a night that is in the store names a folder.
        if ws.store.get(Run, run_id) is None:
            raise HTTPException(404, f"there was no night {run_id!r} here")
        try:
            page = night_report(ws, run_id)
        except NightshiftError as error:
            raise HTTPException(404, str(error)) from error
        return HTMLResponse(page, headers={"Content-Security-Policy": REPORT_POLICY})

    @router.get(
        "/v1/nights/{run_id}/steps",
        summary="Rewards, entropy, divergence and times of each optimiser step, also while a night trains",
        responses=_problems(404),
    )
    def steps(run_id: RecordId) -> list[dict[str, Any]]:
        if ws.store.get(Run, run_id) is None:
            raise HTTPException(404, f"there was no night {run_id!r} here")
        return training_steps(ws, run_id)

    return router


def _health(ws: Workspace, engine: Engine) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="The process lives")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/readyz", summary="The store can be reached and every champion is loaded", responses=_problems(503))
    def readyz() -> dict[str, Any]:
        for name in environments():
            try:
                champion = ws.store.champion(name)
            except NightshiftError as error:
                raise HTTPException(503, str(error), {"Retry-After": "5"}) from error
            if champion is None or engine.serving(name) is None:
                raise HTTPException(503, f"the champion of {name} is not loaded yet", {"Retry-After": "1"})
        serving = {name: engine.serving(name) for name in environments()}
        return {"status": "ready", "serving": serving, "latency_ms": engine.latency_ms()}

    return router


def _found(ws: Workspace, prediction_id: str) -> Prediction:
    try:
        return prediction(ws, prediction_id)
    except StoreBusy:
        raise
    except NightshiftError as error:
        raise HTTPException(404, str(error)) from error


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, f"the body is not JSON: {error}") from error


def _validated(model: type[Body], values: Any) -> Body:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        message = str(first["msg"]).removeprefix("Value error, ")
        raise HTTPException(422, f"{field}: {message}" if field else message) from error
