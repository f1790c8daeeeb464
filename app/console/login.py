"""The door: signing in and out, and who one is. Plain pages that need no script, in the language of the browser."""

import logging
from html import escape
from typing import Annotated, Any
from urllib.parse import parse_qs, quote

import anyio
import anyio.to_thread
from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.access import Gate, allow, anybody
from app.console.language import later, say, spoken
from app.console.shell import MARK, static
from core.access import SignInRefused, TooManyTries, acting, as_actor, end_session, secret_id, sign_in
from core.schema import NightshiftError, Role, Unavailable
from core.services import Workspace

__all__ = ["login_routes"]

logger = logging.getLogger(__name__)

MOST_BYTES = 4096
SIGN_INS = 8
"At a time, by threads of their own: comparing a password is slow on purpose, and must not hold up anything else."
FULL_S = 2
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
CHOSEN_THEME = (
    "<script>try{const t=localStorage.getItem('nightshift-theme');if(t)document.documentElement.dataset.theme=t}"
    "catch(e){}</script>"
)

SIGN_IN = later("Sign in")


def login_routes(ws: Workspace, gate: Gate) -> APIRouter:
    """`/login`, `/logout` and `/v1/me`."""
    router = APIRouter(tags=["access"])
    places, threads = anyio.CapacityLimiter(SIGN_INS), anyio.CapacityLimiter(SIGN_INS)

    @router.get("/login", response_class=HTMLResponse, include_in_schema=False)
    @anybody
    def login(next: Annotated[str, Query(max_length=2000)] = "/") -> HTMLResponse:
        return _page(gate, next)

    @router.post("/login", response_class=HTMLResponse, include_in_schema=False)
    @anybody
    async def log_in(request: Request) -> Response:
        said = await _form(request)
        address = request.client.host if request.client else "unknown"
        name, there = said.get("name", ""), said.get("next", "/")
        try:
            places.acquire_nowait()
        except anyio.WouldBlock:
            return _door(_form_html(there, _too_early(FULL_S), name), 429, {"Retry-After": str(FULL_S)})
        try:
            secret = await anyio.to_thread.run_sync(
                sign_in, ws, name, said.get("password", ""), address, limiter=threads
            )
        except TooManyTries as error:
            wait = {"Retry-After": str(error.wait_s)}
            return await run_in_threadpool(_page, gate, there, _too_early(error.wait_s), name, 429, wait)
        except SignInRefused:
            told = say("The name or the password is not right.")
            return await run_in_threadpool(_page, gate, there, told, name, 401)
        except Unavailable as error:
            logger.warning("nobody can sign in: %s", error)
            told = "nobody can sign in now; the log of the server says why"
            raise HTTPException(503, told, {"Retry-After": "5"}) from error
        finally:
            places.release()
        answer = RedirectResponse(_own(there), 303)
        answer.set_cookie(
            gate.cookie,
            secret,
            max_age=round(ws.settings.access.session_hours * 3600),
            httponly=True,
            samesite="strict",
            # Whether a proxy speaks TLS with the browser, the browser says.
            secure=request.headers.get("origin", "").startswith("https://"),
        )
        return answer

    @router.post("/logout", include_in_schema=False)
    @anybody
    async def log_out(request: Request) -> Response:
        secret = gate.secret_in(request.scope)
        who = await gate.actor(request.scope)
        if secret is not None and who is not None:
            with as_actor(who):
                await run_in_threadpool(end_session, ws, secret_id(secret))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(gate.cookie, httponly=True, samesite="strict")
        return answer

    @router.get("/v1/me", summary="Who you are here, and what you may do")
    @allow(Role.VIEWER)
    def me() -> dict[str, Any]:
        who = acting()
        scopes = None if who.scopes is None else sorted(who.scopes)
        return {"name": who.name, "role": who.role, "scopes": scopes, "signed_in": who.grant is not None}

    return router


async def _form(request: Request) -> dict[str, str]:
    """The fields of a small form. Raises HTTPException 400, 413 or 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise HTTPException(415, f"send a form, not {kind or 'nothing'}")
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > MOST_BYTES:
            raise HTTPException(413, f"the form is larger than {MOST_BYTES} bytes")
    try:
        return {name: values[-1] for name, values in parse_qs(data.decode(), max_num_fields=8).items()}
    except (UnicodeDecodeError, ValueError) as error:
        raise HTTPException(400, f"the form cannot be read: {error}") from error


def _own(path: str) -> str:
    """`path` where it is one of this server, else its first page: nobody is sent elsewhere after signing in."""
    is_own = path.startswith("/") and not path.startswith(("//", "/\\", "/login", "/logout"))
    return path if is_own and path.isascii() and path.isprintable() else "/"


def _page(
    gate: Gate, there: str, problem: str = "", name: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> HTMLResponse:
    body = _form_html(there, problem, name) if _has_users(gate) else _nobody_yet(gate)
    return _door(body, status, headers)


def _door(body: str, status: int, headers: dict[str, str] | None = None) -> HTMLResponse:
    page = (
        f'<!doctype html><html lang="{spoken()}"><head><meta charset="utf-8"><title>{say(SIGN_IN)} · Nightshift</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<link rel="icon" href="{_icon()}"><style>{static("login.css")}</style>{CHOSEN_THEME}</head><body><main>'
        f'<p class="brand">{_mark()}<span>Nightshift</span></p>{body}</main></body></html>'
    )
    return HTMLResponse(page, status, {"Content-Security-Policy": POLICY, **(headers or {})})


def _form_html(there: str, problem: str, name: str) -> str:
    told = f'<p class="bad" role="alert">{escape(problem)}</p>' if problem else ""
    focus_name, focus_password = ("", " autofocus") if name else (" autofocus", "")
    return (
        f'<form method="post" action="/login"><h1>{say(SIGN_IN)}</h1>{told}'
        f'<input type="hidden" name="next" value="{escape(_own(there), quote=True)}">'
        f'<label for="name">{say("Name")}</label><input id="name" name="name" required '
        f'value="{escape(name[:64], quote=True)}" '
        f'maxlength="64" autocomplete="username" autocapitalize="none" spellcheck="false"{focus_name}>'
        f'<label for="password">{say("Password")}</label><input id="password" name="password" type="password" required '
        f'maxlength="512" autocomplete="current-password"{focus_password}><button>{say(SIGN_IN)}</button></form>'
        f'<p class="fine">{say("No way in? An admin can give you a new password.")}</p>'
    )


def _nobody_yet(gate: Gate) -> str:
    if gate.open_without_users:
        return (
            f'<div class="none"><h1>{say("No sign-in needed")}</h1><p>{say("There are no users here.")} '
            f'<a href="/">{say("Go on")}</a></p></div>'
        )
    first = say(
        "Add the first user on the machine that serves this: {command}",
        command="<code>nightshift users add NAME --role admin</code>",
    )
    return f'<div class="none"><h1>{say("Nobody can sign in yet")}</h1><p>{first}</p></div>'


def _too_early(wait_s: float) -> str:
    if wait_s < 120:
        return say("Too many tries. Please wait {n} seconds.", n=round(wait_s))
    return say("Too many tries. Please wait {n} minutes.", n=round(wait_s / 60))


def _has_users(gate: Gate) -> bool:
    try:
        return gate.directory.has_users()
    except NightshiftError:
        return True


def _icon() -> str:
    """Within the page: nobody who is not signed in fetches anything else."""
    return f"data:image/svg+xml,{quote(static('logo.svg'))}"


def _mark() -> str:
    return MARK.replace("var(--ns-", "var(--")
