"""The page on which a picture gets its verdict, and the verdict a person's word."""

from html import escape
from typing import Any

import gradio as gr

from app.access import allow
from app.console import pages
from app.console.classify_texts import TEXTS, WELCOME
from app.console.drawing import answer_title, elements_figure, figure_of, notice, tone, verdict_card, why_card
from app.console.keys import CLASSIFY
from app.console.language import fragment, label, say, within
from app.console.opinion import JudgeDesk
from app.console.shell import event, html, page_head
from core.access import acting
from core.environments import Environment
from core.schema import CANNOT_TELL, Correction, Example, Media, NightshiftError, Prediction, Role, new_id
from core.services import Workspace, correct, may_undo, prediction, standing_word, undo, verify_prediction

__all__ = ["classify_page"]

REMEMBERED = 6
RECENT_SCREENS, LOOKED_THROUGH = 8, 60
POLL_S = 1.0
BIND = """
const answered = (data) => trigger('answered', data);
const bind = () => window.nightshift ? (window.nightshift.intake.trigger = (name, data) => answered(data))
                                     : setTimeout(bind, 20);
bind();
"""
PICTURE_ICON = (
    '<svg viewBox="0 0 48 48" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2.4" '
    'stroke-linecap="round" stroke-linejoin="round"><rect x="5" y="9" width="38" height="26" rx="3"/>'
    '<path d="M17 42h14M24 35v7M24 28V16M18.5 21.5 24 16l5.5 5.5"/></svg>'
)


def classify_page(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    page = _Classify(ws, environment)
    opinions = JudgeDesk(ws, environment)
    page_head(pages.CLASSIFY, environment, CLASSIFY, ws)
    recents = gr.BrowserState([], storage_key=f"nightshift-recent-{environment.name}", secret="not a secret")
    shown = gr.Textbox(visible=False)
    with gr.Column(elem_classes="ns-page"):
        gr.Textbox(
            label=label(environment.ask_title),
            placeholder=label(environment.ask_placeholder),
            elem_id="work",
            lines=1,
            max_lines=4,
            max_length=environment.max_ask_characters,
        )
        chips = html()
        with gr.Row(elem_classes="ns-split"):
            with gr.Column(scale=7, min_width=320):
                intake = gr.HTML(
                    fragment("intake", page.intake),
                    js_on_load=BIND,
                    apply_default_css=False,
                    elem_classes="ns-bare",
                    elem_id="intake",
                )
                screen = html(elem_id="screen")
                layer = gr.Button(label(TEXTS["show_elements"]), elem_id="elements", visible=False, size="sm")
                screens = html(elem_id="recent")
            with gr.Column(scale=4, min_width=320, elem_id="ns-panel"):
                panel = html(fragment("welcome", page.welcome))
                with gr.Column(visible=False, elem_classes="ns-word ns-once") as word:
                    agree = gr.Button(label(TEXTS["agree"]), elem_id="agree", variant="primary")
                    with gr.Row(elem_classes="ns-pair"):
                        other = gr.Button(label(TEXTS["correct"]), elem_id="correct")
                        unsure = gr.Button(label(TEXTS["cannot_tell"]), elem_id="unsure")
                    reason = gr.Textbox(
                        label=label(TEXTS["reason"]),
                        placeholder=label(TEXTS["reason_hint"]),
                        elem_id="reason",
                    )
                take_back = gr.Button(label(TEXTS["undo"]), elem_id="undo", visible=False, elem_classes="ns-once")
                why = html()
                ask_judge = gr.Button(label(TEXTS["ask_judge"]), elem_id="judge", visible=False)
                opinion = html(elem_id="opinion")
    poll = gr.Timer(POLL_S, active=False)

    outputs = [panel, screen, why, word, agree, other, take_back, reason, layer]
    judged = [opinion, ask_judge, poll]
    intake.answered(page.show, [recents], [*outputs, shown, recents, chips], **event()).then(
        None, js="() => window.nightshift.intake.answered()"
    ).then(opinions.begin, None, judged, **event()).then(page.screens, None, [screens], **event())
    ask_judge.click(opinions.ask, [shown], judged, **event())
    poll.tick(opinions.look, [shown], judged, **event())
    agree.click(page.agree, [shown, reason], outputs, **event())
    other.click(page.correct, [shown, reason], outputs, **event())
    unsure.click(page.unsure, [shown, reason], outputs, **event())
    take_back.click(page.undo, [shown], outputs, **event())
    layer.click(page.layer, [shown, layer], [screen, layer], **event())
    console.load(page.chips, [recents], [chips], **event())
    console.load(page.screens, None, [screens], **event())


class _Classify:
    """The handlers. Each checks what it is given: anybody on this machine can call it without the page."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws = ws
        self.environment = environment

    def intake(self) -> str:
        """Where pictures come in; the script moves it from state to state."""
        most = self.ws.settings.media.max_bytes
        bound = f"{most / 1e6:.0f} MB"
        asked = escape(TEXTS["ask_first"].format(ask=within(self.environment.ask_title)))
        too_large = escape(TEXTS["too_large"].format(bound=bound))
        return (
            f'<section id="ns-intake" data-state="empty" data-door="/v1/{self.environment.name}/predictions" '
            f'data-ask="{asked}" data-most="{most}" data-too-large="{too_large}" data-gone="{TEXTS["gone"]}">'
            f'<div class="ns-frame"><img class="ns-preview" alt="{TEXTS["given"]}" hidden>'
            f'<div class="ns-drop">{PICTURE_ICON}<p class="ns-how"><strong>{TEXTS["paste"]}</strong>'
            f'<span class="ns-by-key"> {TEXTS["with"]} <kbd>Ctrl V</kbd></span>, {TEXTS["drop"]} '
            f'<label for="ns-file" class="ns-choose">{TEXTS["choose"]}</label></p>'
            f'<p class="ns-fine">{TEXTS["formats"].format(bound=bound)}</p></div>'
            '<div class="ns-scan" aria-hidden="true"></div></div>'
            f'<p class="ns-state" role="status"><span class="ns-working">{TEXTS["reading"]}</span>'
            '<span class="ns-intake-message"></span></p>'
            f'<input id="ns-file" type="file" aria-label="{TEXTS["choose"]}" '
            'accept="image/png,image/jpeg,image/webp"></section>'
        )

    def welcome(self) -> str:
        """What to do, while there is no verdict."""
        steps = "".join(f"<li>{escape(say(step, ask=within(self.environment.ask_title)))}</li>" for step in WELCOME)
        return f'<section class="ns-card ns-welcome"><h2>{TEXTS["welcome_title"]}</h2><ol>{steps}</ol></section>'

    @allow(Role.VIEWER)
    def chips(self, recents: Any) -> str:
        """Buttons for the descriptions used last in this browser, and for those that are offered to everybody."""
        known = dict.fromkeys([*_texts(recents), *self.ws.settings.console.works])
        chips = "".join(f'<button type="button" class="ns-chip">{escape(text)}</button>' for text in known)
        return f'<div class="ns-chips" role="group" aria-label="{TEXTS["used_before"]}">{chips}</div>' if chips else ""

    @allow(Role.VIEWER)
    def screens(self) -> str:
        """The last screens that were classified here, to be held against other work."""
        latest = self.ws.store.find(
            Prediction, environment=self.environment.name, limit=LOOKED_THROUGH, newest_first=True
        )
        examples = self.ws.store.get_many(Example, [each.example for each in latest])
        newest: dict[str, str] = {}
        for example in examples:
            newest.setdefault(example.media[0], example.ask)
        taken = "".join(
            f'<button type="button" class="ns-recent" data-media="{escape(media)}" '
            f'title="{escape(ask)}" aria-label="{escape(TEXTS["take_recent"].format(ask=ask))}">'
            f'<img src="/v1/media/{escape(media)}" alt="" loading="lazy"></button>'
            for media, ask in list(newest.items())[:RECENT_SCREENS]
        )
        if not taken:
            return ""
        title = f'<h3 class="ns-title">{TEXTS["recent"]}</h3>'
        return f'<section class="ns-recents" aria-label="{TEXTS["recent"]}">{title}<div>{taken}</div></section>'

    @allow(Role.VIEWER)
    def show(self, recents: Any, event_data: gr.EventData) -> list[Any]:
        """A new verdict, by the id of its prediction."""
        given = event_data._data if isinstance(event_data._data, dict) else {}
        said = prediction(self.ws, str(given.get("prediction_id", "")))
        (example,) = self.ws.store.get_many(Example, [said.example])
        remembered = [example.ask, *(text for text in _texts(recents) if text != example.ask)][:REMEMBERED]
        return [*self._state(said, example), said.id, remembered, self.chips(remembered[1:])]

    @allow(Role.OPERATOR)
    def agree(self, shown: Any, reason: Any) -> list[Any]:
        """The verdict is right."""
        return self._say(shown, reason, lambda said: said.answer)

    @allow(Role.OPERATOR)
    def correct(self, shown: Any, reason: Any) -> list[Any]:
        """The other answer is right."""
        return self._say(shown, reason, self._other)

    @allow(Role.OPERATOR)
    def unsure(self, shown: Any, reason: Any) -> list[Any]:
        """Nobody can tell."""
        return self._say(shown, reason, lambda said: CANNOT_TELL)  # noqa: ARG005

    @allow(Role.OPERATOR)
    def undo(self, shown: Any) -> list[Any]:
        """Takes the last word back."""
        said = prediction(self.ws, str(shown))
        try:
            undo(self.ws, said.id)
        except NightshiftError as error:
            return self._state(said, note=notice(str(error), "bad"))
        return self._state(said, note=notice(TEXTS["taken_back"], "open"))

    def _say(self, shown: Any, reason: Any, answer: Any) -> list[Any]:
        said = prediction(self.ws, str(shown))
        try:
            correct(self.ws, said.id, answer(said), reason=str(reason or ""))
        except NightshiftError as error:
            return self._state(said, note=notice(TEXTS["not_stored"].format(detail=error), "bad"))
        return self._state(said)

    def _other(self, said: Prediction) -> str:
        answers = self.environment.answers or ()
        return next(answer for answer in answers if answer != said.answer)

    def _state(self, said: Prediction, example: Example | None = None, note: str = "") -> list[Any]:
        """Every part of the page, as the store has it."""
        if example is None:
            (example,) = self.ws.store.get_many(Example, [said.example])
        (media,) = self.ws.store.get_many(Media, example.media[:1])
        word = standing_word(self.ws, said.example)
        card = verdict_card(self.environment, said, turn=new_id())
        other = answer_title(self.environment, self._other(said))
        return [
            f"{card}{note}{self._acknowledgement(said, word)}",
            figure_of(
                self.environment,
                media,
                () if said.from_person else said.evidence,
                alt=TEXTS["alt"].format(ask=example.ask),
            ),
            why_card(self.environment, said),
            gr.Column(visible=word is None or word.reviewer != acting().name),
            gr.Button(TEXTS["agree_with"].format(answer=answer_title(self.environment, said.answer))),
            gr.Button(TEXTS["correct_to"].format(answer=other)),
            gr.Button(visible=word is not None and may_undo(word)),
            "" if word is not None else gr.skip(),
            gr.Button(TEXTS["show_elements"], visible=True),
        ]

    @allow(Role.VIEWER)
    def layer(self, shown: Any, shown_as: Any) -> list[Any]:
        """What the picture is made of and what decided it, drawn over it; or the picture as it was."""
        said = prediction(self.ws, str(shown))
        (example,) = self.ws.store.get_many(Example, [said.example])
        (media,) = self.ws.store.get_many(Media, example.media[:1])
        alt = TEXTS["alt"].format(ask=example.ask)
        if shown_as == TEXTS["hide_elements"]:
            evidence = () if said.from_person else said.evidence
            return [figure_of(self.environment, media, evidence, alt=alt), gr.Button(TEXTS["show_elements"])]
        try:
            found = verify_prediction(self.ws, said.id)
        except NightshiftError as error:
            return [
                f"{figure_of(self.environment, media, alt=alt)}{notice(str(error), 'bad')}",
                gr.Button(TEXTS["hide_elements"]),
            ]
        return [elements_figure(self.environment, media, found, alt=alt), gr.Button(TEXTS["hide_elements"])]

    def _acknowledgement(self, said: Prediction, word: Correction | None) -> str:
        if word is None:
            return ""
        title = escape(TEXTS["stored"].format(answer=answer_title(self.environment, word.answer)))
        if word.answer == CANNOT_TELL:
            told = TEXTS["kept"]
        elif word.answer == said.answer:
            told = TEXTS["agreed"]
        else:
            told = TEXTS["corrected"]
        because = f"<p>“{escape(word.reason)}”</p>" if word.reason else ""
        return (
            f'<div class="ns-ack {tone(self.environment, word.answer)}" role="status">'
            f"<strong>{title}</strong><p>{told}</p>{because}</div>"
        )


def _texts(recents: Any) -> list[str]:
    """What the browser kept, or nothing where it is not what was put there."""
    return (
        [text for text in recents if isinstance(text, str) and text][:REMEMBERED] if isinstance(recents, list) else []
    )
