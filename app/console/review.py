"""The page on which a person works through the queue with a few keys."""

from functools import partial
from html import escape
from typing import Any

import gradio as gr

from app.console.drawing import answer_title, card, figure_of, notice, tone, verdict_card, why_card
from app.console.keys import review_keys
from app.console.reviewing import SKIPPED, Reviewing
from app.console.shell import event, html, page_head
from core.environments import Environment
from core.schema import CANNOT_TELL, ChosenBy, Media, NightshiftError, new_id
from core.services import ReviewItem, Workspace

__all__ = ["review_page"]

SESSION_S = 12 * 3600
BLIND = (
    '<article class="ns-card ns-verdict ns-blind" data-turn="{turn}"><p class="ns-kicker">Blind audit</p>'
    '<h2>What do you say?</h2><p class="ns-sure">This one was drawn at random, and the model\'s answer stays hidden '
    "so that yours is your own. Such answers are what the gate trusts most.</p></article>"
)
FLIPS = "This verdict stands for one screen only: before and after it in the same session it was the other."
APART = (
    '<article class="ns-card ns-verdict ns-blind" data-turn="{turn}"><p class="ns-kicker">Tie-break</p>'
    '<h2>What do you say?</h2><p class="ns-sure">The champion and a challenger that waits for evidence disagree here. '
    "Few answers like this one decide between them; neither model's answer is shown, so that yours is your own.</p>"
    "</article>"
)


def review_page(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    answers = (*(environment.answers or ()), CANNOT_TELL)
    page = _Review(ws, environment, answers)
    page_head("review", environment.title, review_keys([answer_title(environment, a) for a in answers[:-1]]))
    session = gr.State(None, time_to_live=SESSION_S)
    shown = gr.Textbox(visible=False)
    with gr.Column(elem_classes="ns-page ns-review"):
        progress = html()
        with gr.Row(elem_classes="ns-split"):
            with gr.Column(scale=7, min_width=320):
                screen = html(elem_id="screen")
            with gr.Column(scale=4, min_width=320, elem_id="ns-panel"):
                panel = html()
                with gr.Column(visible=False, elem_classes="ns-word ns-once ns-dock") as word:
                    with gr.Row(elem_classes="ns-pair"):
                        buttons = [
                            gr.Button(
                                answer_title(environment, answer),
                                elem_id=f"answer-{place}",
                                elem_classes=f"ns-toned {tone(environment, answer)}",
                            )
                            for place, answer in enumerate(answers[:-1], start=1)
                        ]
                    with gr.Row(elem_classes="ns-pair"):
                        buttons.append(gr.Button("Cannot tell", elem_id=f"answer-{len(answers)}"))
                        skip = gr.Button("Skip", elem_id="skip")
                take_back = gr.Button("Undo", elem_id="undo", visible=False, elem_classes="ns-once")
                reason = gr.Textbox(
                    label="Reason (optional)",
                    placeholder="Why? It helps whoever reads this later.",
                    elem_id="reason",
                    visible=False,
                )
                why = html()
        again = gr.Button("Look again", elem_id="again", visible=False)

    outputs = [session, progress, screen, panel, why, word, reason, take_back, again, shown]
    for button, answer in zip(buttons, answers, strict=True):
        button.click(partial(page.answer, answer), [session, shown, reason], outputs, **event())
    skip.click(page.skip, [session, shown], outputs, **event())
    take_back.click(page.undo, [session], outputs, **event())
    again.click(page.begin, None, outputs, **event())
    console.load(page.begin, None, outputs, **event())


class _Review:
    """The handlers. The session says what was shown and how it was chosen; a page that says otherwise is ignored."""

    def __init__(self, ws: Workspace, environment: Environment, answers: tuple[str, ...]) -> None:
        self.ws = ws
        self.environment = environment
        self.answers = answers

    def begin(self) -> list[Any]:
        """The queue as it stands now."""
        return self._state(Reviewing.begin(self.ws, self.environment.name))

    def answer(self, answer: str, session: Any, shown: Any, reason: Any) -> list[Any]:
        """A person's answer to the item that is shown."""
        if not isinstance(session, Reviewing):
            return self._lost()
        try:
            stored = session.answer(str(shown), answer, reason=str(reason or ""))
        except NightshiftError as error:
            return self._state(session, notice(f"Not stored: {error}", "bad"))
        return self._state(session, self._stored(session) if stored else "")

    def skip(self, session: Any, shown: Any) -> list[Any]:
        """The item comes back when nothing else is left."""
        if not isinstance(session, Reviewing):
            return self._lost()
        return self._state(session, notice("Skipped for now.", "open") if session.skip(str(shown)) else "")

    def undo(self, session: Any) -> list[Any]:
        """The last step, taken back."""
        if not isinstance(session, Reviewing):
            return self._lost()
        try:
            step = session.undo()
        except NightshiftError as error:
            return self._state(session, notice(str(error), "bad"))
        took_back = "Here it is again." if step.was is SKIPPED else "Taken back. Here it is again."
        return self._state(session, notice(took_back, "open"))

    def _lost(self) -> list[Any]:
        session = Reviewing.begin(self.ws, self.environment.name)
        return self._state(
            session, notice("The server was restarted. What you stored is safe; please answer this.", "open")
        )

    def _stored(self, session: Reviewing) -> str:
        step = session.steps[-1]
        return notice(f"Stored: {answer_title(self.environment, step.was)}.")

    def _state(self, session: Reviewing, note: str = "") -> list[Any]:
        """Every part of the page for the item that is before the person now."""
        with session.lock:
            item, coming = session.current, session.coming
            progress = _progress(session, note)
            can_undo = bool(session.steps)
        wanted = [each for each in (item, *coming) if each is not None]
        pictures = self.ws.store.get_many(Media, [each.example.media[0] for each in wanted])
        if item is None:
            parts = [_empty(self.environment), "", "", gr.Column(visible=False)]
        else:
            parts = [self._picture(item, pictures), self._words(item), self._why(item), gr.Column(visible=True)]
        return [
            session,
            progress,
            *parts,
            gr.Textbox("", visible=item is not None),
            gr.Button(visible=can_undo),
            gr.Button(visible=item is None),
            item.prediction.id if item else "",
        ]

    def _picture(self, item: ReviewItem, pictures: list[Media]) -> str:
        evidence = () if item.blind else item.prediction.evidence
        soon = "".join(f'<img src="/v1/media/{escape(media.id)}" alt="">' for media in pictures[1:])
        figure = figure_of(self.environment, pictures[0], evidence, alt=f"To review: {item.example.ask}")
        return f'{figure}<div class="ns-soon" aria-hidden="true">{soon}</div>'

    def _words(self, item: ReviewItem) -> str:
        turn = new_id()
        hidden = APART if item.chosen_by is ChosenBy.DISAGREEMENT else BLIND
        verdict = hidden.format(turn=turn) if item.blind else verdict_card(self.environment, item.prediction, turn=turn)
        if item.flips:
            verdict = f"{notice(FLIPS, 'open')}{verdict}"
        return (
            f'<section class="ns-ask"><p class="ns-kicker">{escape(self.environment.ask_title)}</p>'
            f"<p>{escape(item.example.ask)}</p></section>{verdict}"
        )

    def _why(self, item: ReviewItem) -> str:
        if item.blind:
            return ""
        return self._contradiction(item) + why_card(self.environment, item.prediction)

    def _contradiction(self, item: ReviewItem) -> str:
        """Why this one comes first, where the judges contradict each other on it."""
        if not item.contradicting:
            return ""
        said = []
        for judgment in item.contradicting:
            best = max(judgment.scores, key=lambda each: each.score)
            title = answer_title(self.environment, best.answer)
            said.append(f"<dt>{escape(judgment.judge)}</dt><dd>{escape(title)}, {best.score:.0%}</dd>")
        return card("The judges contradict each other", f"<p>Your word settles it.</p><dl>{''.join(said)}</dl>")


def _empty(environment: Environment) -> str:
    return (
        '<section class="ns-card ns-empty" data-turn="empty"><h2>Nothing waits for you</h2>'
        '<p>Every verdict has been looked at. New ones come in from the <a href="/">Classify page</a>, from the API '
        f"(<code>POST /v1/{escape(environment.name)}/predictions</code>) and from <code>nightshift import</code>.</p>"
        "</section>"
    )


def _progress(session: Reviewing, note: str) -> str:
    done, waiting = session.done_today, len(session.items)
    more = "+" if session.has_more else ""
    share = done / (done + waiting) if done + waiting else 1.0
    return (
        f'<div class="ns-progress"><div><p><strong>{done}</strong> of {done + waiting}{more} today</p>{note}'
        f"<p>{waiting}{more} waiting</p></div>"
        f'<div class="ns-bar ns-quiet" role="progressbar" aria-label="Reviewed today" aria-valuenow="{done}" '
        f'aria-valuemin="0" aria-valuemax="{done + waiting}"><i style="width:{share:.1%}"></i></div></div>'
    )
