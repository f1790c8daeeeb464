"""The page on which a picture gets its verdict, and the verdict a person's word."""

from html import escape
from typing import Any

import gradio as gr

from app.console.drawing import answer_title, elements_figure, figure_of, notice, tone, verdict_card, why_card
from app.console.keys import CLASSIFY
from app.console.shell import event, html, page_head
from core.environments import Environment
from core.schema import CANNOT_TELL, Correction, Example, Media, NightshiftError, Prediction, new_id
from core.services import Workspace, correct, prediction, standing_word, undo, verify_prediction

__all__ = ["classify_page"]

REMEMBERED = 6
SHOW, HIDE = "Show elements", "Hide elements"
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
FORMATS = "PNG, JPEG or WebP"


def classify_page(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    page = _Classify(ws, environment)
    page_head("", environment.title, CLASSIFY)
    recents = gr.BrowserState([], storage_key=f"nightshift-recent-{environment.name}", secret="not a secret")
    shown = gr.Textbox(visible=False)
    with gr.Column(elem_classes="ns-page"):
        gr.Textbox(
            label=environment.ask_title,
            placeholder=environment.ask_placeholder,
            elem_id="work",
            lines=1,
            max_lines=4,
            max_length=environment.max_ask_characters,
        )
        chips = html()
        with gr.Row(elem_classes="ns-split"):
            with gr.Column(scale=7, min_width=320):
                intake = gr.HTML(
                    page.intake(), js_on_load=BIND, apply_default_css=False, elem_classes="ns-bare", elem_id="intake"
                )
                screen = html(elem_id="screen")
                layer = gr.Button(SHOW, elem_id="elements", visible=False, size="sm")
            with gr.Column(scale=4, min_width=320, elem_id="ns-panel"):
                panel = html(page.welcome())
                with gr.Column(visible=False, elem_classes="ns-word ns-once") as word:
                    agree = gr.Button("Agree", elem_id="agree", variant="primary")
                    with gr.Row(elem_classes="ns-pair"):
                        other = gr.Button("Correct", elem_id="correct")
                        unsure = gr.Button("Cannot tell", elem_id="unsure")
                    reason = gr.Textbox(
                        label="Reason (optional)",
                        placeholder="Why? It helps whoever reads this later.",
                        elem_id="reason",
                    )
                take_back = gr.Button("Undo", elem_id="undo", visible=False, elem_classes="ns-once")
                why = html()

    outputs = [panel, screen, why, word, agree, other, take_back, reason, layer]
    intake.answered(page.show, [recents], [*outputs, shown, recents, chips], **event()).then(
        None, js="() => window.nightshift.intake.answered()"
    )
    agree.click(page.agree, [shown, reason], outputs, **event())
    other.click(page.correct, [shown, reason], outputs, **event())
    unsure.click(page.unsure, [shown, reason], outputs, **event())
    take_back.click(page.undo, [shown], outputs, **event())
    layer.click(page.layer, [shown, layer], [screen, layer], **event())
    console.load(page.chips, [recents], [chips], **event())


class _Classify:
    """The handlers. Each checks what it is given: anybody on this machine can call it without the page."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws = ws
        self.environment = environment

    def intake(self) -> str:
        """Where pictures come in; the script moves it from state to state."""
        most = self.ws.settings.media.max_bytes
        bound = f"{most / 1e6:.0f} MB"
        asked = escape(f"Now write the {self.environment.ask_title.lower()} above, and press Enter.")
        return (
            f'<section id="ns-intake" data-state="empty" data-door="/v1/{self.environment.name}/predictions" '
            f'data-ask="{asked}" data-most="{most}" data-too-large="The file is larger than {bound}.">'
            '<div class="ns-frame"><img class="ns-preview" alt="The picture you gave" hidden>'
            f'<div class="ns-drop">{PICTURE_ICON}<p class="ns-how"><strong>Paste a picture</strong> with '
            f'<kbd>Ctrl V</kbd>, drop it here, or <label for="ns-file" class="ns-choose">choose a file</label></p>'
            f'<p class="ns-fine">{FORMATS}, up to {bound}. It stays on this machine.</p></div>'
            '<div class="ns-scan" aria-hidden="true"></div></div>'
            '<p class="ns-state" role="status"><span class="ns-working">Reading the picture…</span>'
            '<span class="ns-intake-message"></span></p>'
            f'<input id="ns-file" type="file" accept="image/png,image/jpeg,image/webp"></section>'
        )

    def welcome(self) -> str:
        """What to do, while there is no verdict."""
        return (
            f'<section class="ns-card ns-welcome"><h2>No verdict yet</h2><ol><li>Write the '
            f"{escape(self.environment.ask_title.lower())}.</li><li>Paste, drop or choose a picture.</li>"
            "<li>Agree or correct with one key. What you say is stored at once, and the next night learns from it."
            "</li></ol></section>"
        )

    def chips(self, recents: Any) -> str:
        """Buttons for the descriptions used last in this browser."""
        known = _texts(recents)
        chips = "".join(f'<button type="button" class="ns-chip">{escape(text)}</button>' for text in known)
        return f'<div class="ns-chips" aria-label="Used before">{chips}</div>' if chips else ""

    def show(self, recents: Any, event_data: gr.EventData) -> list[Any]:
        """A new verdict, by the id of its prediction."""
        given = event_data._data if isinstance(event_data._data, dict) else {}
        said = prediction(self.ws, str(given.get("prediction_id", "")))
        (example,) = self.ws.store.get_many(Example, [said.example])
        remembered = [example.ask, *(text for text in _texts(recents) if text != example.ask)][:REMEMBERED]
        return [*self._state(said, example), said.id, remembered, self.chips(remembered[1:])]

    def agree(self, shown: Any, reason: Any) -> list[Any]:
        """The verdict is right."""
        return self._say(shown, reason, lambda said: said.answer)

    def correct(self, shown: Any, reason: Any) -> list[Any]:
        """The other answer is right."""
        return self._say(shown, reason, self._other)

    def unsure(self, shown: Any, reason: Any) -> list[Any]:
        """Nobody can tell."""
        return self._say(shown, reason, lambda said: CANNOT_TELL)  # noqa: ARG005

    def undo(self, shown: Any) -> list[Any]:
        """Takes the last word back."""
        said = prediction(self.ws, str(shown))
        try:
            undo(self.ws, said.id)
        except NightshiftError as error:
            return self._state(said, note=notice(str(error), "bad"))
        return self._state(said, note=notice("Taken back. Nothing of it is learnt.", "open"))

    def _say(self, shown: Any, reason: Any, answer: Any) -> list[Any]:
        said = prediction(self.ws, str(shown))
        try:
            correct(self.ws, said.id, answer(said), reason=str(reason or ""))
        except NightshiftError as error:
            return self._state(said, note=notice(f"Not stored: {error}", "bad"))
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
                self.environment, media, () if said.from_person else said.evidence, alt=f"Classified: {example.ask}"
            ),
            why_card(self.environment, said),
            gr.Column(visible=word is None),
            gr.Button(f"Agree: {answer_title(self.environment, said.answer)}"),
            gr.Button(f"Correct: {other}"),
            gr.Button(visible=word is not None),
            "" if word is not None else gr.skip(),
            gr.Button(SHOW, visible=True),
        ]

    def layer(self, shown: Any, label: Any) -> list[Any]:
        """What the picture is made of and what decided it, drawn over it; or the picture as it was."""
        said = prediction(self.ws, str(shown))
        (example,) = self.ws.store.get_many(Example, [said.example])
        (media,) = self.ws.store.get_many(Media, example.media[:1])
        alt = f"Classified: {example.ask}"
        if label == HIDE:
            evidence = () if said.from_person else said.evidence
            return [figure_of(self.environment, media, evidence, alt=alt), gr.Button(SHOW)]
        try:
            found = verify_prediction(self.ws, said.id)
        except NightshiftError as error:
            return [f"{figure_of(self.environment, media, alt=alt)}{notice(str(error), 'bad')}", gr.Button(HIDE)]
        return [elements_figure(self.environment, media, found, alt=alt), gr.Button(HIDE)]

    def _acknowledgement(self, said: Prediction, word: Correction | None) -> str:
        if word is None:
            return ""
        title = escape(answer_title(self.environment, word.answer))
        if word.answer == CANNOT_TELL:
            told = "Kept as a word of its own, and not learnt from."
        elif word.answer == said.answer:
            told = "You agree with the verdict. The next night knows that it was right."
        else:
            told = "You corrected the verdict. The next night learns from it, and this screen answers so at once."
        because = f"<p>“{escape(word.reason)}”</p>" if word.reason else ""
        return (
            f'<div class="ns-ack {tone(self.environment, word.answer)}" role="status">'
            f"<strong>Stored: {title}</strong><p>{told}</p>{because}</div>"
        )


def _texts(recents: Any) -> list[str]:
    """What the browser kept, or nothing where it is not what was put there."""
    return (
        [text for text in recents if isinstance(text, str) and text][:REMEMBERED] if isinstance(recents, list) else []
    )
