"""The routes on which pictures are shown, and what nights made of them."""

from typing import Any

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import HTMLResponse

from app.access import allow
from app.problems import RecordId, problems
from core.schema import Media, NightshiftError, Role, Run
from core.services import Workspace, night_report, training_steps

__all__ = ["record_routes"]

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


def record_routes(ws: Workspace) -> APIRouter:
    """Pictures, reports of nights, and their steps."""
    router = APIRouter(tags=["pages"])

    @router.get(
        "/v1/media/{media_id}",
        response_class=Response,
        summary="A picture as it was normalised",
        responses={200: {"content": {"image/png": {}}}, **problems(404, 422)},
    )
    @allow(Role.VIEWER)
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
        responses=problems(404, 422),
    )
    @allow(Role.VIEWER)
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
        responses=problems(404, 422),
    )
    @allow(Role.VIEWER)
    def steps(run_id: RecordId) -> list[dict[str, Any]]:
        if ws.store.get(Run, run_id) is None:
            raise HTTPException(404, f"there was no night {run_id!r} here")
        return training_steps(ws, run_id)

    return router
