"""How a fault is told: `{"detail": "..."}`, with a status that fits and, where trying again may help, when."""

from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from app.bodies import first_fault
from app.engine import DeadlinePassed, EngineBusy, EngineStopping
from app.observing import REQUEST_ID, SCOPE_KEY
from app.wire import Problem
from core.environments import environments
from core.schema import NightshiftError, Unavailable
from core.services.feedback import AnothersWord, KeyReused, NothingToUndo
from core.services.predictions import NoPrediction
from core.store import StoreBusy

__all__ = ["RecordId", "known_environment", "problems", "status_of", "tell_problems"]

RETRY_STORE_S, RETRY_MENDED_S = 5, 30
RecordId = Annotated[str, Path(description="An id as it was given out.")]


def tell_problems(app: FastAPI) -> None:
    """Has the application answer what goes wrong in this form."""
    app.add_exception_handler(NightshiftError, _as_problem)
    app.add_exception_handler(RequestValidationError, _as_refusal)
    app.add_exception_handler(Exception, _as_fault)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Documents that a route may answer so: in JSON, whatever else it answers in."""
    told = {"application/json": {"schema": Problem.model_json_schema()}}
    return {status: {"content": told} for status in statuses}


def status_of(error: NightshiftError) -> tuple[int, int | None]:
    """The status that tells of an error, and the seconds after which trying again may help."""
    match error:
        case EngineBusy():
            return 429, error.retry_after_s
        case DeadlinePassed():
            return 504, None
        case StoreBusy():
            return 503, RETRY_STORE_S
        case EngineStopping():
            return 503, 1
        case Unavailable():
            return 503, RETRY_MENDED_S
        case KeyReused() | NothingToUndo() | AnothersWord():
            return 409, None
        case NoPrediction():
            return 404, None
        case _:
            return 422, None


def known_environment(environment: str) -> None:
    """Raises HTTPException 404 where there is no environment of that name."""
    if environment not in environments():
        raise HTTPException(404, f"no environment {environment!r}; there are: {', '.join(environments())}")


def _as_problem(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, NightshiftError)
    status, retry_after_s = status_of(error)
    headers = None if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return JSONResponse({"detail": str(error)}, status_code=status, headers=headers)


def _as_refusal(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": first_fault(error.errors())}, status_code=422)


def _as_fault(request: Request, error: Exception) -> Response:  # noqa: ARG001
    id = request.scope.get(SCOPE_KEY)
    told = {"detail": "something went wrong here; the log of the server says what"}
    return JSONResponse(told, status_code=500, headers={REQUEST_ID: id} if id else None)
