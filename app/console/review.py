"""The page on which a person works through the queue with a few keys.

It is drawn once, and the script `static/review.js` puts one item after the other into it: a person who answers does
not wait for the server, and is told when the answer is stored.
"""

import json
from html import escape

import gradio as gr

from app.console import pages
from app.console.drawing import answer_title, tone
from app.console.keys import review_keys
from app.console.language import fragment
from app.console.review_texts import EMPTY, ORDERS, SCRIPT, TEXTS
from app.console.shell import html, page_head
from core.environments import Environment
from core.schema import CANNOT_TELL
from core.services import Workspace

__all__ = ["REVIEW_BUTTONS", "review_page"]

REVIEW_BUTTONS = ("answer-1", "answer-2", "answer-3", "skip", "undo")
"Their element ids."

SOUGHT = ("work", "domain", "session", "reviewer", "verdict", "since", "until")


def review_page(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:  # noqa: ARG001
    """Draws the page. Must be called inside a Blocks context."""
    titles = [answer_title(environment, answer) for answer in environment.answers or ()]
    page_head(pages.REVIEW, environment, review_keys(titles), ws)
    with gr.Column(elem_classes="ns-page ns-review"):
        html(fragment("review", lambda: _desk(environment)))


def _desk(environment: Environment) -> str:
    answers = (*(environment.answers or ()), CANNOT_TELL)
    told = {
        "door": f"/console/{environment.name}/review",
        "answers": [{"answer": answer, "title": answer_title(environment, answer)} for answer in answers],
        "texts": dict(SCRIPT),
        "empty": dict(EMPTY),
    }
    return (
        f"<div id='ns-review' data-state='loading' data-turn='0' data-told='{escape(json.dumps(told), quote=True)}'>"
        f"{_progress()}{_queue(environment)}"
        '<div class="ns-split ns-desk-split"><div class="ns-stage" id="screen" aria-live="off"></div>'
        f'<div id="ns-panel"><div id="ns-words" aria-live="polite"></div>{_answers(environment, answers)}{_reason()}'
        '<div id="ns-why"></div></div></div>'
        f'<div id="ns-instead" role="status"><div class="ns-card ns-skeleton"><p>{TEXTS["loading"]}</p></div></div>'
        f'<button type="button" id="again" class="lg secondary" hidden>{TEXTS["again"]}</button></div>'
    )


def _progress() -> str:
    return (
        '<div class="ns-progress"><div><p id="ns-done">&nbsp;</p>'
        '<p class="ns-told" id="ns-told" role="status" aria-live="polite"></p><p id="ns-pace"></p></div>'
        f'<div class="ns-bar ns-quiet" role="progressbar" aria-label="{TEXTS["progress"]}" aria-valuenow="0" '
        'aria-valuemin="0" aria-valuemax="100"><i style="width:0"></i></div></div>'
    )


def _queue(environment: Environment) -> str:
    """What is looked for: the order, filters, and whether verdicts are hidden."""
    orders = "".join(f'<option value="{order}">{escape(title)}</option>' for order, title in ORDERS.items())
    verdicts = "".join(
        f'<option value="{escape(answer)}">{escape(answer_title(environment, answer))}</option>'
        for answer in environment.answers or ()
    )
    fields = {
        "work": '<input type="search" name="work" maxlength="200">',
        "domain": f'<select name="domain"><option value="">{TEXTS["any"]}</option></select>',
        "session": f'<select name="session"><option value="">{TEXTS["any"]}</option></select>',
        "reviewer": f'<select name="reviewer"><option value="">{TEXTS["any"]}</option></select>',
        "verdict": f'<select name="verdict"><option value="">{TEXTS["any"]}</option>{verdicts}</select>',
        "since": '<input type="date" name="since">',
        "until": '<input type="date" name="until">',
    }
    filters = "".join(f"<label><span>{TEXTS[name]}</span>{fields[name]}</label>" for name in SOUGHT)
    return (
        f'<form class="ns-queue" id="ns-queue" aria-label="{TEXTS["queue_label"]}">'
        f'<label><span>{TEXTS["order"]}</span><select name="order" id="ns-order">{orders}</select></label>'
        f'<label class="ns-check"><input type="checkbox" name="blind" id="ns-blind"><span>{TEXTS["blind_mode"]}</span>'
        f'</label><details id="ns-filters"><summary>{TEXTS["filters"]}<b id="ns-filtered" hidden></b></summary>'
        f'<div class="ns-fields">{filters}<button type="reset" class="ns-plain">{TEXTS["clear"]}</button></div>'
        "</details></form>"
    )


def _answers(environment: Environment, answers: tuple[str, ...]) -> str:
    said = "".join(
        f'<button type="button" class="lg secondary ns-toned {tone(environment, answer)}" id="answer-{place}" '
        f'data-answer="{place - 1}">{escape(answer_title(environment, answer))}</button>'
        for place, answer in enumerate(answers[:-1], start=1)
    )
    more = (
        f'<button type="button" class="lg secondary" id="answer-{len(answers)}" data-answer="{len(answers) - 1}">'
        f'{TEXTS["cannot_tell"]}</button><button type="button" class="lg secondary" id="skip">{TEXTS["skip"]}</button>'
        f'<button type="button" class="lg secondary" id="undo" disabled>{TEXTS["undo"]}</button>'
    )
    return (
        f'<div class="ns-word ns-dock" role="group" aria-label="{TEXTS["answers_label"]}">'
        f'<div class="ns-pair">{said}</div><div class="ns-pair">{more}</div></div>'
    )


def _reason() -> str:
    return (
        f'<div id="reason"><label><span>{TEXTS["reason"]}</span>'
        f'<input type="text" maxlength="2000" placeholder="{TEXTS["reason_hint"]}"></label></div>'
    )
