"""The page on which nights are watched, started and cancelled."""

from typing import Any

import gradio as gr

from app.access import allow
from app.console import pages
from app.console.drawing import card, notice
from app.console.keys import MODELS
from app.console.language import fragment, label, say
from app.console.lessons import lessons_card
from app.console.night_cards import judge_card, learning_card, log_card, night_card, reward_card, variants_card
from app.console.nights import gate_report, nights_table
from app.console.shell import event, html, page_head
from app.console.states import LOADING, nothing_yet, safely
from app.console.tonight import Tonight
from core.environments import Environment
from core.schema import NightshiftError, Role
from core.services import Workspace, night, nights
from core.services.standing import rewards_of
from core.services.watching import NightFacts, night_facts

__all__ = ["runs_page"]

IDLE_POLL_S = 20.0
AT_WORK_POLL_S = 2.0
SHOWN_NIGHTS = 30
PARTS = 14
"What the page is made of: eight cards of a night, the list of nights, and five that are live."
CHOSEN = "(...given) => [new URLSearchParams(location.search).get('night') || '', ...given.slice(1)]"
"""The night that the address names; none is the newest."""


def runs_page(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    page = _Runs(ws, environment)
    page_head(pages.RUNS, environment, MODELS, ws)
    chosen, asked = gr.Textbox(visible=False), gr.State(None)
    timer = gr.Timer(IDLE_POLL_S)
    with gr.Column(elem_classes="ns-page ns-runs"), gr.Row(elem_classes="ns-split"):
        with gr.Column(scale=7, min_width=320, elem_classes="ns-stack"):
            head, gates, lessons, learning, rewards, log = html(LOADING), html(), html(), html(), html(), html()
        with gr.Column(scale=4, min_width=320, elem_id="ns-panel", elem_classes="ns-stack"):
            tonight = html(LOADING)
            run_now = gr.Button(label("Run a night now"), variant="primary", elem_id="run-now")
            cancel = gr.Button(label("Cancel this night…"), elem_id="cancel-night", visible=False)
            with gr.Column(visible=False, elem_classes="ns-card ns-confirm", elem_id="confirm-cancel") as confirm:
                html(fragment("cancel-night", _question))
                with gr.Row(elem_classes="ns-pair"):
                    yes = gr.Button(label("Cancel the night"), variant="stop", elem_id="cancel-yes")
                    no = gr.Button(label("Let it run"), elem_id="cancel-no")
            told = html()
            past, variants, judged = html(), html(), html()
    of_night = [head, gates, lessons, learning, rewards, log, variants, judged]
    live = [asked, tonight, run_now, cancel, timer]
    parts = [*of_night, past, *live]
    shown = safely(page.shown, PARTS)
    console.load(page.begin, [chosen, asked], [chosen, *parts], js=CHOSEN, **event())
    timer.tick(shown, [chosen, asked], parts, **event())
    run_now.click(page.run_now, None, [told, *live], **event())
    cancel.click(page.ask_cancel, None, [confirm], **event())
    no.click(page.let_run, None, [confirm], **event())
    yes.click(page.cancel, [asked], [told, confirm, *live], **event())


def _question() -> str:
    return f"<p>{say('Cancel the night? What it has done stays, and the next night goes on from there.')}</p>"


class _Runs:
    """The handlers. Nothing runs in them: nights are asked for, watched and cancelled through Prefect."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws, self.environment = ws, environment
        self.tonight = Tonight(ws, environment)

    @allow(Role.VIEWER)
    def begin(self, chosen: Any, asked: Any) -> list[Any]:
        """The same for a page that was just opened, with the night that its address names."""
        return [chosen, *safely(self.shown, PARTS)(chosen, asked)]

    @allow(Role.VIEWER)
    def ask_cancel(self) -> gr.Column:
        """The question comes up."""
        return gr.Column(visible=True)

    @allow(Role.VIEWER)
    def let_run(self) -> gr.Column:
        """Nothing happens."""
        return gr.Column(visible=False)

    @allow(Role.VIEWER)
    def shown(self, chosen: Any, asked: Any) -> list[Any]:
        """The night, the list of nights, and what can be done now."""
        return [*self._night(str(chosen or "") or None), self._list(), *self._live(asked)]

    @allow(Role.ENGINEER)
    def run_now(self) -> list[Any]:
        """Asks for a night."""
        try:
            asked = self.tonight.start()
        except NightshiftError as error:
            return [notice(say("No night was started: {error}.", error=error), "bad"), *self._live(None)]
        return ["", *self._live(asked)]

    @allow(Role.ENGINEER)
    def cancel(self, asked: Any) -> list[Any]:
        """Asks Prefect to end the night."""
        try:
            self.tonight.cancel()
        except NightshiftError as error:
            told = notice(say("Nothing was cancelled: {error}.", error=error), "bad")
            return [told, gr.Column(visible=False), *self._live(asked)]
        told = notice(say("Asked to end. What is done stays; the next night goes on from there."), "open")
        return [told, gr.Column(visible=False), *self._live(None)]

    def _night(self, chosen: str | None) -> list[Any]:
        facts = night_facts(self.ws, self.environment.name, chosen)
        if facts is None:
            text = say("No night has run yet. Correct a few verdicts, then run one; or wait for the schedule.")
            return [card(say("Night"), nothing_yet(text)), *[""] * 7]
        return [
            night_card(facts),
            self._decided(facts),
            lessons_card(self.ws, self.environment, facts.taught) if facts.taught is not None else "",
            learning_card(facts, self.ws.of(self.environment.name).settings.learning.steps),
            reward_card(self.environment, rewards_of(self.ws, facts.run.id)),
            self._log(facts),
            variants_card(facts),
            judge_card(facts),
        ]

    def _decided(self, facts: NightFacts) -> str:
        if facts.decision is None:
            return ""
        return gate_report(self.ws, facts.decision, facts.taught, title=say("What was decided"))

    def _log(self, facts: NightFacts) -> str:
        from flows.client import flow_page, night_log

        flow_runs = night.flow_runs_of(self.ws, facts.run.id)
        try:
            lines = night_log(self.ws.home, flow_runs)
        except NightshiftError:
            return log_card(None, None)
        return log_card(lines, flow_page(self.ws.home, flow_runs[-1]) if flow_runs else None)

    def _list(self) -> str:
        found = nights(self.ws, self.environment.name, SHOWN_NIGHTS)
        return nights_table(found, pages.address(pages.RUNS, self.environment, self.ws))

    def _live(self, asked: Any) -> list[Any]:
        look = self.tonight.look(asked if isinstance(asked, str) else None)
        text = say("A night is at work…") if look.is_at_work else say("Run a night now")
        return [
            look.asked,
            look.card,
            gr.Button(text, interactive=not look.is_at_work),
            gr.Button(visible=look.is_at_work),
            gr.Timer(AT_WORK_POLL_S if look.is_at_work else IDLE_POLL_S),
        ]
