"""The routes on which a challenger's trial is looked at, and approved or rejected."""

from typing import Any

from fastapi import APIRouter, HTTPException

from app.wire import ApprovalRequest, Problem
from core.environments import environments
from core.schema import NightshiftError
from core.services import Workspace, approve, rollout_state
from core.store import StoreBusy

__all__ = ["rollout_routes"]


def rollout_routes(ws: Workspace) -> APIRouter:
    """`GET` and `POST /v1/{environment}/rollout`."""
    router = APIRouter(tags=["rollout"])

    @router.get("/v1/{environment}/rollout", summary="The newest trial of a challenger, step by step")
    def state(environment: str) -> dict[str, Any]:
        _known(environment)
        return {"rollout": rollout_state(ws, environment)}

    @router.post(
        "/v1/{environment}/rollout",
        summary="Approve or reject the challenger that waits for a person",
        responses={404: {"model": Problem}, 409: {"model": Problem}},
    )
    def decide(environment: str, body: ApprovalRequest) -> dict[str, Any]:
        _known(environment)
        try:
            approve(ws, environment, approved=body.approve, reason=body.reason, by="api", release=body.release)
        except StoreBusy:
            raise
        except NightshiftError as error:
            raise HTTPException(409, str(error)) from error
        return {"rollout": rollout_state(ws, environment)}

    return router


def _known(environment: str) -> None:
    if environment not in environments():
        raise HTTPException(404, f"no environment {environment!r}; there are: {', '.join(environments())}")
