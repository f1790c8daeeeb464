"""The routes on which a challenger's trial is looked at, and approved or rejected."""

from typing import Any

from fastapi import APIRouter, HTTPException

from app.access import allow
from app.problems import known_environment, problems
from app.wire import ApprovalRequest
from core.schema import NightshiftError, Role, Unavailable
from core.services import Workspace, approve, rollout_state

__all__ = ["rollout_routes"]


def rollout_routes(ws: Workspace) -> APIRouter:
    """`GET` and `POST /v1/{environment}/rollout`."""
    router = APIRouter(tags=["rollout"])

    @router.get(
        "/v1/{environment}/rollout",
        summary="The newest trial of a challenger, step by step",
        responses=problems(404, 422),
    )
    @allow(Role.VIEWER)
    def state(environment: str) -> dict[str, Any]:
        known_environment(environment)
        return {"rollout": rollout_state(ws, environment)}

    @router.post(
        "/v1/{environment}/rollout",
        summary="Approve or reject the challenger that waits for a person",
        responses=problems(404, 409, 422),
    )
    @allow(Role.ENGINEER)
    def decide(environment: str, body: ApprovalRequest) -> dict[str, Any]:
        known_environment(environment)
        try:
            approve(ws, environment, approved=body.approve, reason=body.reason, release=body.release)
        except Unavailable:
            raise
        except NightshiftError as error:
            raise HTTPException(409, str(error)) from error
        return {"rollout": rollout_state(ws, environment)}

    return router
