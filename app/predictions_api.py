"""The routes on which pictures are classified, and verdicts looked at again."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query, Request

from app.access import allow
from app.bodies import (
    accepts,
    decoded,
    form_of,
    is_json,
    json_body,
    one_picture,
    pictures_of,
    refuse_too_large,
    texts_of,
    validated,
    with_file,
)
from app.engine import DeadlinePassed, Engine, Wanted
from app.problems import RecordId, known_environment, problems, status_of
from app.wire import (
    MOST_PICTURES,
    BatchAnswer,
    BatchFields,
    BatchItem,
    BatchRequest,
    ExplanationAnswer,
    PredictionAnswer,
    PredictionFields,
    PredictionPage,
    PredictionRequest,
)
from core.schema import NightshiftError, Prediction, Role, Scope
from core.services import Workspace, explanation, prediction, prediction_page, standing_word

__all__ = ["prediction_routes"]

Deadline = Annotated[
    int | None,
    Header(alias="X-Deadline-Ms", ge=1, le=600_000, description="What is not answered by then is given up with 504."),
]
MOST_ON_A_PAGE = 200


def prediction_routes(ws: Workspace, engine: Engine) -> APIRouter:
    """`/v1/{environment}/predictions`, several at once, and what is stored of them."""
    router = APIRouter(tags=["predictions"])
    _classifying(router, ws, engine)
    _looking_back(router, ws)
    return router


def _classifying(router: APIRouter, ws: Workspace, engine: Engine) -> None:
    @router.post(
        "/v1/{environment}/predictions",
        response_model=PredictionAnswer,
        summary="Classify a picture",
        responses=problems(400, 404, 413, 415, 422, 429, 503, 504),
        openapi_extra=accepts(
            ("multipart/form-data", with_file(PredictionFields)),
            ("application/json", PredictionRequest.model_json_schema()),
        ),
    )
    @allow(Role.OPERATOR, Scope.PREDICT)
    async def predict(environment: str, request: Request, deadline_ms: Deadline = None) -> PredictionAnswer:
        known_environment(environment)
        data, name, fields = await one_picture(request, PredictionFields, PredictionRequest)
        refuse_too_large(data, ws.settings.media)
        wanted = Wanted(data, fields.work, name, fields.session)
        (future,) = engine.submit(environment, [wanted], deadline_s=_seconds(deadline_ms))
        return PredictionAnswer.of(await _in_time(ws, future, deadline_ms))

    @router.post(
        "/v1/{environment}/predictions/batch",
        response_model=BatchAnswer,
        summary="Classify several pictures",
        description="Each is answered or refused on its own; 429 refuses all of them.",
        responses=problems(400, 404, 413, 415, 422, 429, 503),
        openapi_extra=accepts(
            ("multipart/form-data", with_file(BatchFields, several=True)),
            ("application/json", BatchRequest.model_json_schema()),
        ),
    )
    @allow(Role.OPERATOR, Scope.PREDICT)
    async def predict_several(environment: str, request: Request, deadline_ms: Deadline = None) -> BatchAnswer:
        known_environment(environment)
        wanted = await _several(request)
        for each in wanted:
            refuse_too_large(each.data, ws.settings.media)
        futures = engine.submit(environment, wanted, deadline_s=_seconds(deadline_ms))
        return BatchAnswer(answers=await asyncio.gather(*(_item(ws, future, deadline_ms) for future in futures)))


async def _several(request: Request) -> list[Wanted]:
    if is_json(request, also="multipart/form-data"):
        told = validated(BatchRequest, await json_body(request))
        return [Wanted(decoded(each.image_base64), each.work, None, each.session) for each in told.pictures]
    async with form_of(request, most=MOST_PICTURES) as form:
        files, texts = pictures_of(form), texts_of(form)
        sessions = texts.pop("session", [])
        fields = validated(BatchFields, {**texts, **({"session": sessions[-1]} if sessions else {})})
        works: Sequence[str] = fields.work * len(files) if len(fields.work) == 1 else fields.work
        if len(works) != len(files):
            raise HTTPException(422, f"work: {len(works)} for {len(files)} pictures; give one for all, or one for each")
        return [
            Wanted(await file.read(), work, file.filename or None, fields.session)
            for file, work in zip(files, works, strict=True)
        ]


def _seconds(deadline_ms: int | None) -> float | None:
    return None if deadline_ms is None else deadline_ms / 1000


async def _in_time(ws: Workspace, future: "Future[Prediction]", deadline_ms: int | None) -> Prediction:
    """The answer. One that does not come in time is called off, unless it is just being stored."""
    given_s = _seconds(deadline_ms) or ws.settings.engine.deadline_s
    answer = asyncio.wrap_future(future)
    await asyncio.wait([answer], timeout=given_s)
    if not answer.done() and future.cancel():
        raise DeadlinePassed(given_s)
    return await answer


async def _item(ws: Workspace, future: "Future[Prediction]", deadline_ms: int | None) -> BatchItem:
    try:
        return BatchItem(prediction=PredictionAnswer.of(await _in_time(ws, future, deadline_ms)))
    except NightshiftError as error:
        return BatchItem(status=status_of(error)[0], detail=str(error))


def _looking_back(router: APIRouter, ws: Workspace) -> None:
    @router.get(
        "/v1/predictions",
        response_model=PredictionPage,
        summary="Stored predictions, the newest first",
        responses=problems(422),
    )
    @allow(Role.VIEWER)
    def page(
        environment: Annotated[str | None, Query(max_length=64)] = None,
        session: Annotated[str | None, Query(max_length=200)] = None,
        release: Annotated[str | None, Query(max_length=64, description="The id of a release, in full.")] = None,
        from_person: Annotated[bool | None, Query(description="Whether a person's word answered.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ON_A_PAGE)] = 50,
        before: Annotated[int | None, Query(ge=1, le=2**53, description="As the page before this one gave it.")] = None,
    ) -> PredictionPage:
        equals = {"environment": environment, "session": session, "release": release, "from_person": from_person}
        wanted = {name: value for name, value in equals.items() if value is not None}
        predictions, before = prediction_page(ws, limit, before=before, **wanted)
        return PredictionPage(predictions=[PredictionAnswer.of(each) for each in predictions], before=before)

    @router.get(
        "/v1/predictions/{prediction_id}",
        response_model=PredictionAnswer,
        summary="A stored prediction",
        responses=problems(404, 422),
    )
    @allow(Role.VIEWER)
    def stored(prediction_id: RecordId) -> PredictionAnswer:
        return PredictionAnswer.of(prediction(ws, prediction_id))

    @router.get(
        "/v1/predictions/{prediction_id}/explanation",
        response_model=ExplanationAnswer,
        summary="Why a prediction says what it says",
        responses=problems(404, 422),
    )
    @allow(Role.VIEWER)
    def explained(prediction_id: RecordId) -> ExplanationAnswer:
        why = explanation(ws, prediction_id)
        return ExplanationAnswer.of(why.prediction, why.example, why.probabilities, standing_word(ws, why.example.id))
