"""What every page shares: the head of the page, colours, and how a handler answers."""

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import gradio as gr

from app.console.keys import Key, bindings, caps_css, key_sheet

__all__ = ["PAGES", "event", "head", "html", "page_head", "theme"]

PAGES = (("", "Classify"), ("review", "Review"), ("models", "Models"), ("judge", "Judge"))
MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="21" r="6" fill="var(--ns-dawn)"/>'
    '<path d="M3 22h26v3H3z" fill="var(--ns-page)"/><path d="M3 22.6h26" stroke="var(--ns-dawn)" stroke-width="2.2" '
    'stroke-linecap="round"/><path d="M21 3.6a6.6 6.6 0 1 0 5.8 9.2A5.4 5.4 0 0 1 21 3.6z" fill="currentColor"/></svg>'
)
MOON = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3a9 9 0 1 0 0 18z" fill="currentColor"/>'
    '<circle cx="12" cy="12" r="8.2" fill="none" stroke="currentColor" stroke-width="1.6"/></svg>'
)


@cache
def static(name: str) -> str:
    """A text file that belongs to the console."""
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def head(keys: Sequence[Key]) -> str:
    """Script and style of every page; `keys` are drawn on their buttons.

    The style stands in the head because Gradio rewrites the selectors of what it is given as `css`.
    """
    return f"<style>{static('console.css')}{caps_css(keys)}</style><script>{static('console.js')}</script>"


def theme() -> gr.themes.Base:
    """Gradio's own parts in our colours; the fonts come with Gradio, so nothing is fetched from elsewhere."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.indigo,
        neutral_hue=gr.themes.colors.stone,
        # Of these fonts only the regular and the bold cuts that Gradio ships hold the whole alphabet.
        font=[gr.themes.LocalFont("IBM Plex Sans", (400, 700)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", (400, 700)), "ui-monospace", "monospace"],
    ).set(
        body_background_fill="var(--ns-page)",
        body_background_fill_dark="var(--ns-page)",
        body_text_color="var(--ns-ink)",
        body_text_color_dark="var(--ns-ink)",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_padding="0px",
        block_shadow="none",
        block_shadow_dark="none",
        block_title_text_color="var(--ns-soft)",
        block_title_text_color_dark="var(--ns-soft)",
        input_background_fill="var(--ns-card)",
        input_background_fill_dark="var(--ns-card)",
        input_border_color="var(--ns-line)",
        input_border_color_dark="var(--ns-line)",
        input_border_color_focus="var(--ns-dusk)",
        input_border_color_focus_dark="var(--ns-dusk)",
        input_border_width="1px",
        input_border_width_dark="1px",
        input_placeholder_color="var(--ns-faint)",
        input_placeholder_color_dark="var(--ns-faint)",
        input_radius="10px",
        panel_background_fill="transparent",
        panel_background_fill_dark="transparent",
    )


def page_head(page: str, environment_title: str, keys: Sequence[Key]) -> None:
    """Draws the bar on top of a page, with its key sheet and the frame in which a picture is shown in full."""
    links = "".join(
        f'<a href="/{path}"{" aria-current=page" if path == page else ""}>{title}</a>' for path, title in PAGES
    )
    html(
        f"<header class=\"ns-top\" data-keys='{escape(bindings(keys), quote=True)}'>"
        f'<a class="ns-brand" href="/">{MARK}<span>Nightshift</span></a><nav aria-label="Pages">{links}</nav>'
        f'<span class="ns-environment">{escape(environment_title)}</span>'
        '<button type="button" id="ns-keys" title="Keys" aria-label="Show the keys"><kbd>?</kbd></button>'
        f'<button type="button" id="ns-theme" title="Light or dark" aria-label="Light or dark">{MOON}</button></header>'
        f'{key_sheet(keys)}<dialog id="ns-zoom" aria-label="The picture in full"></dialog>'
    )


def html(value: str = "", **placing: Any) -> gr.HTML:
    """A place for a fragment of ours, shown as it is."""
    return gr.HTML(value, js_on_load=None, apply_default_css=False, elem_classes="ns-bare", **placing)


def event() -> dict[str, Any]:
    """How every event is bound: quiet, at once, and in no public list of endpoints."""
    return {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
