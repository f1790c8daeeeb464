"""The words of the console in the reader's language: English stands in the source, each other one in a catalog.

What a handler draws is drawn in the language of the request (`say`). What Gradio draws itself, and fragments that are
the same for everybody, are put into words in the browser by Gradio's own i18n (`label`, `fragment`). Both follow one
cookie, which the page's script sets before anything is asked for; a request without it, as that for the door may be,
follows what its browser prefers. What stands in the store, a decision's reason for example, is shown as it was written.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from functools import cache
from http.cookies import CookieError, SimpleCookie
from importlib.resources import files
from typing import Any

import gradio as gr
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = [
    "COOKIE",
    "I18N",
    "LANGUAGES",
    "InTheirLanguage",
    "Texts",
    "catalog",
    "figure",
    "fragment",
    "label",
    "later",
    "say",
    "spoken",
    "within",
]

LANGUAGES = {"en": "English", "de": "Deutsch"}
COOKIE = "nightshift-language"
DECIMAL_COMMA = {"de": str.maketrans(".,", ",.")}
WEIGHT = re.compile(r"[01](\.\d{0,3})?")
_spoken: ContextVar[str] = ContextVar("spoken", default="en")


@cache
def catalog(language: str) -> dict[str, str]:
    """English to another language; empty for English."""
    if language == "en":
        return {}
    text = files(__package__).joinpath("languages", f"{language}.json").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text)
    return words


I18N = gr.I18n(**{language: dict(catalog(language)) for language in LANGUAGES})
"""What the browser is given; `fragment` adds to it."""


def spoken() -> str:
    """The language of the present request."""
    return _spoken.get()


def say(text: str, **figures: Any) -> str:
    """`text` in the language of the present request, with the figures filled in as `str.format` does."""
    words = catalog(spoken()).get(text, text)
    return words.format(**figures) if figures else words


def later(text: str) -> str:
    """`text` as it is; it is one that `say` is given elsewhere, so that it needs a translation."""
    return text


class Texts(Mapping[str, str]):
    """The sentences of a page by name, each in the language of the present request."""

    def __init__(self, in_english: Mapping[Any, str]) -> None:
        self.in_english = dict(in_english)

    def __getitem__(self, name: Any) -> str:
        return say(self.in_english[name])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.in_english)

    def __len__(self) -> int:
        return len(self.in_english)


def within(text: str) -> str:
    """A title as it stands within a sentence: small in English, as it is where nouns are written large."""
    return text.lower() if spoken() == "en" else say(text)


def figure(value: float, spec: str) -> str:
    """A number as `format` writes it, with the decimal sign of the language."""
    text = format(value, spec)
    return text.translate(DECIMAL_COMMA[spoken()]) if spoken() in DECIMAL_COMMA else text


def label(text: str) -> Any:
    """A text of one of Gradio's own parts, translated in the browser."""
    return I18N(text)


def fragment(name: str, draw: Callable[[], str]) -> Any:
    """HTML that is the same for everybody who speaks a language: drawn once in each, chosen in the browser."""
    for language in LANGUAGES:
        token = _spoken.set(language)
        try:
            I18N.translations[language][name] = draw()
        finally:
            _spoken.reset(token)
    return I18N(name)


class InTheirLanguage:
    """Lets what answers a request know the language that its cookie names, and begins pages with a script that sets it.

    Gradio's scripts ask the browser for its language before anything that is given to Gradio as `head` is there, so the
    script has to stand in the page itself.
    """

    def __init__(self, app: ASGIApp, pages: re.Pattern[str]) -> None:
        self.app = app
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        token = _spoken.set(_named(scope))
        try:
            if self.pages.fullmatch(scope["path"]):
                # What is to be written into must not come compressed.
                plain = [each for each in scope["headers"] if each[0] != b"accept-encoding"]
                await self.app({**scope, "headers": plain}, receive, _Begun(send))
            else:
                await self.app(scope, receive, send)
        finally:
            _spoken.reset(token)


class _Begun:
    """Sends a page with the script at the beginning of its head; anything that is no page goes as it is."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.start = message
            return
        self.body += message.get("body", b"")
        if message.get("more_body") or self.start is None:
            return
        headers = MutableHeaders(raw=list(self.start["headers"]))
        if self.body and headers.get("content-type", "").startswith("text/html"):
            self.body = self.body.replace(b"<head>", b"<head>" + _first_script(), 1)
            headers["content-length"] = str(len(self.body))
        await self.send({**self.start, "headers": headers.raw})
        await self.send({"type": "http.response.body", "body": self.body})


@cache
def _first_script() -> bytes:
    script = files(__package__).joinpath("static", "language.js").read_text(encoding="utf-8")
    told = script.replace("LANGUAGES", json.dumps(list(LANGUAGES))).replace("COOKIE", COOKIE)
    return f"<script>{told}</script>".encode()


def _named(scope: Scope) -> str:
    sent = b"; ".join(value for name, value in scope["headers"] if name == b"cookie")
    try:
        named = SimpleCookie(sent.decode("latin-1")).get(COOKIE)
    except CookieError:
        named = None
    if named is not None and named.value in LANGUAGES:
        return named.value
    return _preferred(
        b",".join(value for name, value in scope["headers"] if name == b"accept-language").decode("latin-1")
    )


def _preferred(accepted: str) -> str:
    """The language of ours that an Accept-Language header (RFC 9110, section 12.5.4) weighs most; else English."""
    weights: dict[str, float] = {}
    for wish in "".join(accepted.lower().split()).split(","):
        tag, _, weight = wish.partition(";q=")
        language = tag.partition("-")[0]
        if language in LANGUAGES:
            told = 1.0 if not weight else float(weight) if WEIGHT.fullmatch(weight) else 0.0
            weights[language] = max(told, weights.get(language, 0.0))
    best = max(weights, key=weights.__getitem__, default="en")
    return best if weights.get(best) else "en"
