"""What every page shares: the head of the page, colours, and how a handler answers."""

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

import gradio as gr

from app.console.keys import Key, bindings, caps_css, key_sheet
from app.console.language import LANGUAGES, fragment, say, spoken
from app.console.pages import PAGES, Page, address, environments_of, sibling
from core.environments import Environment
from core.schema import Role
from core.services import Workspace

__all__ = ["event", "head", "heading", "html", "page_head", "theme"]

SETTINGS = "/settings"
MARK = (
    '<svg viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="21" r="6" fill="var(--ns-dawn)"/>'
    '<path d="M3 22h26v3H3z" fill="var(--ns-page)"/><path d="M3 22.6h26" stroke="var(--ns-dawn)" stroke-width="2.2" '
    'stroke-linecap="round"/><path d="M21 3.6a6.6 6.6 0 1 0 5.8 9.2A5.4 5.4 0 0 1 21 3.6z" fill="currentColor"/></svg>'
)
MOON = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M12 3a9 9 0 1 0 0 18z" fill="currentColor"/>'
    '<circle cx="12" cy="12" r="8.2" fill="none" stroke="currentColor" stroke-width="1.6"/></svg>'
)

PERSON = (
    '<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.7">'
    '<circle cx="12" cy="8.2" r="4.1"/><path d="M3.9 20.6a8.3 8.3 0 0 1 16.2 0" stroke-linecap="round"/></svg>'
)


@cache
def static(name: str) -> str:
    """A text file that belongs to the console."""
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


def head(keys: Sequence[Key], needs: Mapping[str, Role]) -> str:
    """Script and style of every page; `keys` are drawn on their buttons, and of those what a role may not do hides.

    The style stands in the head because Gradio rewrites the selectors of what it is given as `css`.
    """
    style = "".join(static(name) for name in ("console.css", "people.css", "review.css", "figures.css"))
    script = "".join(
        static(name) for name in ("console.js", "people.js", "keys.js", "post.js", "review_queue.js", "review.js")
    )
    return f"<style>{style}{caps_css(keys)}{_hidden_css(needs)}</style><script>{script}</script>"


def _hidden_css(needs: Mapping[str, Role]) -> str:
    """Rules that hide from each role the elements, by id, that need a larger one."""
    return "\n".join(
        f":is({', '.join(f':root[data-role={role}]' for role in Role if not role.reaches(needed))}) #{id} "
        "{ display: none !important; }"
        for id, needed in needs.items()
        if needed is not Role.VIEWER
    )


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
        block_info_text_color="var(--ns-soft)",
        block_info_text_color_dark="var(--ns-soft)",
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


def page_head(page: Page | None, environment: Environment | None, keys: Sequence[Key], ws: Workspace) -> None:
    """Draws the bar on top of a page, with its key sheet and the frame in which a picture is shown in full.

    The links lead to pages of the same environment, and a switch to the same page of the others. The settings, which
    are of the whole installation, are no page and of no environment.
    """
    here = SETTINGS if page is None or environment is None else address(page, environment, ws)
    html(fragment(f"head{here}", lambda: _head(here, page, environment, keys, ws)))


def heading(text: str) -> gr.HTML:
    """The title of a card that is drawn once; `text` is one that went through `later`."""
    return html(fragment(f"heading/{text}", lambda: f'<h3 class="ns-title">{say(text)}</h3>'))


def _switch(here: str, page: Page | None, environment: Environment | None, ws: Workspace) -> str:
    """What the page is about; where it is there for several environments, links to each."""
    if page is None or environment is None:
        return '<span class="ns-environment"></span>'
    having = environments_of(page, ws)
    if len(having) == 1:
        return f'<span class="ns-environment">{escape(say(environment.title))}</span>'
    links = "".join(_link(address(page, each, ws), each.title, here) for each in having)
    return f'<nav class="ns-environment ns-switch" aria-label="{say("What this page is about")}">{links}</nav>'


def _link(leads_to: str, title: str, here: str) -> str:
    return f'<a href="{leads_to}"{" aria-current=page" if leads_to == here else ""}>{escape(say(title))}</a>'


def _head(here: str, page: Page | None, environment: Environment | None, keys: Sequence[Key], ws: Workspace) -> str:
    there = ((sibling(each, environment, ws), each.title) for each in PAGES)
    links = "".join(_link(leads_to, title, here) for leads_to, title in there if leads_to)
    signed_in = escape(say("Settings · signed in as {name}, {role}"), quote=True)
    others = [code for code in LANGUAGES if code != spoken()]
    languages = "".join(
        f'<button type="button" data-language="{code}" lang="{code}" title="{LANGUAGES[code]}" '
        f'aria-label="{LANGUAGES[code]}">{code.upper()}</button>'
        for code in others
    )
    return (
        f"<header class=\"ns-top\" data-keys='{escape(bindings(keys), quote=True)}'>"
        f'<a class="ns-brand" href="/">{MARK}<span>Nightshift</span></a><nav aria-label="{say("Pages")}">{links}</nav>'
        f"{_switch(here, page, environment, ws)}{languages}"
        f'<a id="ns-who" href="{SETTINGS}" title="{say("Settings")}" aria-label="{say("Settings")}"'
        f'{" aria-current=page" if here == SETTINGS else ""} data-signed-in="{signed_in}">{PERSON}<span></span></a>'
        f'<button type="button" id="ns-keys" title="{say("Keys")}" aria-label="{say("Show the keys")}"><kbd>?</kbd>'
        f'</button><button type="button" id="ns-theme" title="{say("Light or dark")}" '
        f'aria-label="{say("Light or dark")}">{MOON}</button></header>'
        f'{key_sheet(keys)}<dialog id="ns-zoom" aria-label="{say("The picture in full")}"></dialog>'
    )


def html(value: Any = "", **placing: Any) -> gr.HTML:
    """A place for HTML of ours, shown as it is; a `fragment` is shown in the reader's language."""
    return gr.HTML(value, js_on_load=None, apply_default_css=False, elem_classes="ns-bare", **placing)


def event() -> dict[str, Any]:
    """How every event is bound: quiet, at once, and in no public list of endpoints."""
    return {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
