"""What a part of a page shows while it has nothing to show: not yet loaded, nothing there, not to be had."""

from collections.abc import Callable
from functools import wraps
from html import escape
from typing import Any

import gradio as gr

from app.console.language import fragment, say
from core.schema import NightshiftError

__all__ = ["LOADING", "failed", "nothing_yet", "safely"]

LOADING = fragment(
    "loading",
    lambda: (
        f'<section class="ns-card ns-loading" aria-busy="true"><p class="ns-hidden">{say("Loading…")}</p>'
        "<i></i><i></i><i></i></section>"
    ),
)
"""Stands in a part until the first answer of the server."""


def nothing_yet(text: str) -> str:
    """What to do where there is nothing to show; `text` is HTML already."""
    return f'<p class="ns-none-yet">{text}</p>'


def failed(error: NightshiftError) -> str:
    """Why a page could not be drawn; its timer tries again."""
    return (
        f'<section class="ns-card ns-failed" role="alert"><h3 class="ns-title">{say("This cannot be shown now")}</h3>'
        f'<p>{escape(str(error))}</p><p class="ns-fine">{say("The page tries again by itself.")}</p></section>'
    )


def safely(draw: Callable[..., list[Any]], parts: int) -> Callable[..., list[Any]]:
    """A handler whose first output says what is wrong where `draw` cannot; the other `parts - 1` stay as they were."""

    @wraps(draw)
    def drawn(*given: Any) -> list[Any]:
        try:
            return draw(*given)
        except NightshiftError as error:
            return [failed(error), *(gr.skip() for _ in range(parts - 1))]

    return drawn
