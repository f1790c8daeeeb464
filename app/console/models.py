"""The page that says which model serves, how it came to, what would change with another, and how to go back."""

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from app.access import allow
from app.console import pages
from app.console.deciding import deciding
from app.console.drawing import badge, card, day, moment, notice, short_id, table
from app.console.keys import MODELS
from app.console.language import label, later, say
from app.console.lineage import lineage_part
from app.console.nights import gate_report
from app.console.pairing import pairing
from app.console.shell import event, html, page_head
from app.console.states import LOADING, nothing_yet, safely
from app.engine import Engine
from core.environments import Environment
from core.registry import former_champions
from core.schema import NightshiftError, Promotion, Role
from core.services import Workspace, champion_card, history, rollback
from core.services.metrics import Board

__all__ = ["models_page"]

POLL_S = 20.0
STAYS = later("Why? It stays in the history.")
ACTIONS = {
    "install": (later("installed"), "open", later("installed by {by}")),
    "promote": (later("promoted"), "good", later("promoted by {by}")),
    "rollback": (later("rolled back"), "bad", later("rolled back by {by}")),
}


def models_page(console: gr.Blocks, ws: Workspace, engine: Engine, environment: Environment) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    page = _Models(ws, engine, environment)
    page_head(pages.MODELS, environment, MODELS, ws)
    champion_shown = gr.Textbox(visible=False)
    with gr.Column(elem_classes="ns-page ns-models"), gr.Row(elem_classes="ns-split"):
        with gr.Column(scale=7, min_width=320, elem_classes="ns-stack"):
            report = html(LOADING)
            pairing(console, ws, environment, page.board)
            changes = html()
        with gr.Column(scale=4, min_width=320, elem_id="ns-panel", elem_classes="ns-stack"):
            champion = html(LOADING)
            going_back = gr.Button(label("Roll back…"), elem_id="roll-back")
            with gr.Column(visible=False, elem_classes="ns-card ns-confirm", elem_id="confirm") as confirm:
                question = html()
                why = gr.Textbox(label=label("Reason"), placeholder=label(STAYS), elem_id="rollback-reason")
                with gr.Row(elem_classes="ns-pair"):
                    yes = gr.Button(label("Roll back"), variant="stop", elem_id="rollback-yes")
                    no = gr.Button(label("Keep it"), elem_id="rollback-no")
            told = html()
            deciding(console, ws, environment)
            lineage_part(console, ws, environment)

    facts = [champion, report, changes, champion_shown, going_back]
    shown = safely(page.facts, len(facts))
    console.load(shown, None, facts, **event())
    gr.Timer(POLL_S).tick(shown, None, facts, **event())
    going_back.click(page.ask_back, None, [confirm, question, told], **event())
    no.click(page.keep, None, [confirm, why], **event())
    yes.click(page.roll_back, [champion_shown, why], [confirm, why, told, *facts], **event())


class _Models:
    """The handlers. They show what the services say, and ask for what takes long; nothing long happens in them."""

    def __init__(self, ws: Workspace, engine: Engine, environment: Environment) -> None:
        self.ws = ws
        self.engine = engine
        self.environment = environment
        self.board = Board(ws, environment.name)

    @allow(Role.VIEWER)
    def facts(self) -> list[Any]:
        """The page as things stand: champion, gates, history, the champion's id, whether there is a way back."""
        changes = self._history()
        known = champion_card(self.ws, self.environment.name)
        return [
            self._champion(known["release"], changes),
            gate_report(self.ws, known["last_decision"], self.board.taught(), title=say("The last night")),
            _changes_table(changes),
            known["release"] or "",
            gr.Button(interactive=self._target(changes) is not None),
        ]

    @allow(Role.VIEWER)
    def ask_back(self) -> list[Any]:
        """What rolling back would do."""
        target = self._target(self._history())
        if target is None:
            return [gr.Column(visible=False), "", notice(say("There is no earlier champion to go back to."), "open")]
        text = say(
            "Make {release} champion again? It answers from the next request on. The present champion stays in the "
            "history and can come back.",
            release=short_id(target),
        )
        return [gr.Column(visible=True), f"<p>{text}</p>", ""]

    @allow(Role.VIEWER)
    def keep(self) -> list[Any]:
        """Nothing happens."""
        return [gr.Column(visible=False), ""]

    @allow(Role.ENGINEER)
    def roll_back(self, champion_shown: Any, why: Any) -> list[Any]:
        """Rolls back, if the champion is still the one that was looked at and a reason was given."""
        try:
            change = self._rolled_back(str(champion_shown or ""), str(why or "").strip())
        except NightshiftError as error:
            told = notice(say("Not rolled back: {error}", error=error), "bad")
            return [gr.skip(), gr.skip(), told, *self.facts()]
        told = notice(say("{release} is champion again.", release=change.release[:10]))
        return [gr.Column(visible=False), "", told, *self.facts()]

    def _rolled_back(self, champion_shown: str, why: str) -> Promotion:
        if not why:
            raise NightshiftError(say("please give a reason; it stays in the history"))
        if self.ws.store.champion(self.environment.name) != champion_shown:
            raise NightshiftError(say("the champion changed since this page was shown; look again"))
        target = self._target(self._history())
        return rollback(self.ws, self.environment.name, reason=why, to=target)

    def _champion(self, release: str | None, changes: Sequence[Promotion]) -> str:
        title = say("Champion")
        if release is None or not changes:
            return card(title, nothing_yet(say("There is none; nightshift doctor says what to do.")))
        last, days = changes[0], self.board.live().days
        speed = say("nobody has asked yet")
        if days and days[-1].latency_ms_p50 is not None:
            speed = say("{ms} ms, the median of {day}", ms=f"{days[-1].latency_ms_p50:.0f}", day=day(days[-1].day))
        serves = self.engine.serving(self.environment.name) == release
        state = badge(say("serving"), "good") if serves else badge(say("serves from the next request"), "open")
        _, tone, how = ACTIONS[last.action]
        facts = (
            (say("Since"), moment(last.at)),
            (say("How"), badge(say(how, by=last.by), tone)),
            (say("Why"), escape(last.reason) or say("no reason given")),
            (say("Answers in"), speed),
        )
        listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
        return card(title, f'<p class="ns-headline">{short_id(release)} {state}</p><dl>{listed}</dl>')

    def _history(self) -> list[Promotion]:
        """Newest first."""
        return history(self.ws, self.environment.name)

    def _target(self, changes: Sequence[Promotion]) -> str | None:
        """The release that a rollback goes to."""
        stack = former_champions(list(reversed(changes)))
        barred = self.ws.registry.quarantined(self.environment.name)
        return next((release for release in stack[-2::-1] if release not in barred), None)


def _changes_table(changes: Sequence[Promotion]) -> str:
    rows = [
        (
            moment(change.at),
            badge(say(ACTIONS[change.action][0]), ACTIONS[change.action][1]),
            short_id(change.release),
            short_id(change.previous),
            escape(change.by),
            escape(change.reason),
        )
        for change in changes
    ]
    head = (say("When"), say("What"), say("Release"), say("Before"), say("By"), say("Why"))
    return card(say("Champions so far"), table(head, rows))
