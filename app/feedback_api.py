"""The routes on which people say what is right."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool

from app.access import allow
from app.bodies import accepts, is_json, json_body, one_picture, refuse_too_large, validated, with_file
from app.problems import known_environment, problems
from app.wire import FeedbackAnswer, FeedbackRequest, ScreenFeedbackFields, ScreenFeedbackRequest, ScreenWord
from core.schema import Correction, Role, Scope
from core.services import Workspace, correct, correct_screen, undo

__all__ = ["feedback_routes"]

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="The same word under the same key is stored once, however often it is sent; another one gets 409.",
    ),
]


def feedback_routes(ws: Workspace) -> APIRouter:
    """`POST /v1/feedback` about a prediction, and `POST /v1/{environment}/feedback` about a screen."""
    router = APIRouter(tags=["feedback"])

    @router.post(
        "/v1/feedback",
        status_code=201,
        response_model=FeedbackAnswer,
        summary="Say what is right, or take that back",
        responses=problems(400, 404, 409, 413, 415, 422, 503),
        openapi_extra=accepts(("application/json", FeedbackRequest.model_json_schema())),
    )
    @allow(Role.OPERATOR, Scope.FEEDBACK)
    async def feedback(request: Request, key: Key = None) -> FeedbackAnswer:
        is_json(request)
        body = validated(FeedbackRequest, await json_body(request))
        word = await run_in_threadpool(_store_word, ws, body, key)
        return FeedbackAnswer.of(body.prediction_id, word)

    @router.post(
        "/v1/{environment}/feedback",
        status_code=201,
        response_model=ScreenWord,
        summary="Say what is right for a screen and a description of work",
        responses=problems(400, 404, 409, 413, 415, 422, 503),
        openapi_extra=accepts(
            ("multipart/form-data", with_file(ScreenFeedbackFields)),
            ("application/json", ScreenFeedbackRequest.model_json_schema()),
        ),
    )
    @allow(Role.OPERATOR, Scope.FEEDBACK)
    async def screen_feedback(environment: str, request: Request, key: Key = None) -> ScreenWord:
        known_environment(environment)
        data, name, fields = await one_picture(request, ScreenFeedbackFields, ScreenFeedbackRequest)
        refuse_too_large(data, ws.settings.media)
        word = await run_in_threadpool(
            correct_screen,
            ws,
            environment,
            data,
            fields.work,
            fields.label,
            name=name,
            session=fields.session,
            reason=fields.reason,
            key=key,
        )
        return ScreenWord.of(word)

    return router


def _store_word(ws: Workspace, body: FeedbackRequest, key: str | None) -> Correction:
    if body.label is None:
        return undo(ws, body.prediction_id, key=key)
    return correct(ws, body.prediction_id, body.label, reason=body.reason, key=key)
