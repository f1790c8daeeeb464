"""The page that says which model serves, how it came to, and how to go back."""

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from app.console.deciding import deciding
from app.console.drawing import badge, card, moment, notice, short_id, table
from app.console.keys import MODELS
from app.console.nights import gate_report, nights_table
from app.console.shell import event, html, page_head
from app.console.tonight import Tonight
from app.engine import Engine
from core.environments import Environment
from core.registry import former_champions
from core.schema import NightshiftError, Promotion
from core.services import Workspace, champion_card, history, nights, rollback

__all__ = ["models_page"]

IDLE_POLL_S = 20.0
AT_WORK_POLL_S = 2.0
SHOWN_NIGHTS = 20
ACTIONS = {"install": ("installed", "open"), "promote": ("promoted", "good"), "rollback": ("rolled back", "bad")}


def models_page(console: gr.Blocks, ws: Workspace, engine: Engine, environment: Environment) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    page = _Models(ws, engine, environment)
    page_head("models", environment.title, MODELS)
    asked = gr.State(None)
    champion_shown = gr.Textbox(visible=False)
    timer = gr.Timer(IDLE_POLL_S)
    with gr.Column(elem_classes="ns-page ns-models"), gr.Row(elem_classes="ns-split"):
        with gr.Column(scale=7, min_width=320, elem_classes="ns-stack"):
            report, past, changes = html(), html(), html()
        with gr.Column(scale=4, min_width=320, elem_id="ns-panel"):
            champion = html()
            going_back = gr.Button("Roll back…", elem_id="roll-back")
            with gr.Column(visible=False, elem_classes="ns-card ns-confirm", elem_id="confirm") as confirm:
                question = html()
                why = gr.Textbox(label="Reason", placeholder="Why? It stays in the history.", elem_id="rollback-reason")
                with gr.Row(elem_classes="ns-pair"):
                    yes = gr.Button("Roll back", variant="stop", elem_id="rollback-yes")
                    no = gr.Button("Keep it", elem_id="rollback-no")
            told = html()
            night = html()
            run_now = gr.Button("Run a night now", variant="primary", elem_id="run-now")
            deciding(console, ws, environment)

    facts = [report, past, changes, champion, champion_shown, going_back]
    live = [asked, night, run_now, timer]
    console.load(page.everything, [asked], [*facts, *live], **event())
    timer.tick(page.everything, [asked], [*facts, *live], **event())
    run_now.click(page.run_now, None, live, **event())
    going_back.click(page.ask_back, None, [confirm, question, told], **event())
    no.click(page.keep, None, [confirm, why], **event())
    yes.click(page.roll_back, [champion_shown, why], [confirm, why, told, *facts], **event())


class _Models:
    """The handlers. They show what the services say, and ask for what takes long; nothing long happens in them."""

    def __init__(self, ws: Workspace, engine: Engine, environment: Environment) -> None:
        self.ws = ws
        self.engine = engine
        self.environment = environment
        self.tonight = Tonight(ws, environment)

    def everything(self, asked: Any) -> list[Any]:
        """The page as things stand; asked for now and then, and often while a night is at work."""
        return [*self._facts(), *self._live(asked)]

    def run_now(self) -> list[Any]:
        """Asks for a night."""
        try:
            asked = self.tonight.start()
        except NightshiftError as error:
            asked, night, button, timer = self._live(None)
            return [asked, night + notice(f"No night was started: {error}.", "bad"), button, timer]
        return self._live(asked)

    def ask_back(self) -> list[Any]:
        """What rolling back would do."""
        target = self._target(self._history())
        if target is None:
            return [gr.Column(visible=False), "", notice("There is no earlier champion to go back to.", "open")]
        text = (
            f"<p>Make {short_id(target)} champion again? It answers from the next request on. The present champion "
            "stays in the history and can come back.</p>"
        )
        return [gr.Column(visible=True), text, ""]

    def keep(self) -> list[Any]:
        """Nothing happens."""
        return [gr.Column(visible=False), ""]

    def roll_back(self, champion_shown: Any, why: Any) -> list[Any]:
        """Rolls back, if the champion is still the one that was looked at and a reason was given."""
        try:
            change = self._rolled_back(str(champion_shown or ""), str(why or "").strip())
        except NightshiftError as error:
            return [gr.skip(), gr.skip(), notice(f"Not rolled back: {error}", "bad"), *self._facts()]
        return [gr.Column(visible=False), "", notice(f"{change.release[:10]} is champion again."), *self._facts()]

    def _rolled_back(self, champion_shown: str, why: str) -> Promotion:
        if not why:
            raise NightshiftError("please give a reason; it stays in the history")
        if self.ws.store.champion(self.environment.name) != champion_shown:
            raise NightshiftError("the champion changed since this page was shown; look again")
        target = self._target(self._history())
        return rollback(self.ws, self.environment.name, reason=why, by="local", to=target)

    def _facts(self) -> list[Any]:
        """Report, nights, history, champion, its id, and whether there is anything to go back to."""
        changes = self._history()
        known = champion_card(self.ws, self.environment.name)
        return [
            gate_report(self.ws, known["last_decision"]),
            nights_table(nights(self.ws, self.environment.name, SHOWN_NIGHTS)),
            _changes_table(changes),
            self._champion(known["release"], changes),
            known["release"] or "",
            gr.Button(interactive=self._target(changes) is not None),
        ]

    def _live(self, asked: Any) -> list[Any]:
        shown, is_at_work, still_asked = self.tonight.look(asked if isinstance(asked, str) else None)
        label = "A night is at work…" if is_at_work else "Run a night now"
        return [
            still_asked,
            shown,
            gr.Button(label, interactive=not is_at_work),
            gr.Timer(AT_WORK_POLL_S if is_at_work else IDLE_POLL_S),
        ]

    def _champion(self, release: str | None, changes: Sequence[Promotion]) -> str:
        if release is None or not changes:
            return card("Champion", '<p class="ns-none-yet">There is none; `nightshift doctor` says what to do.</p>')
        last, latency = changes[0], self.engine.latency_ms()
        speed = f"{latency['p50']:.0f} ms, the median since the start" if latency["n"] else "not asked since the start"
        serves = self.engine.serving(self.environment.name) == release
        state = badge("serving", "good") if serves else badge("serves from the next request", "open")
        facts = (
            ("Since", moment(last.at)),
            ("How", f"{badge(*ACTIONS[last.action])} by {escape(last.by)}"),
            ("Why", escape(last.reason) or "no reason given"),
            ("Answers in", speed),
        )
        listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
        return card("Champion", f'<p class="ns-headline">{short_id(release)} {state}</p><dl>{listed}</dl>')

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
            badge(*ACTIONS[change.action]),
            short_id(change.release),
            short_id(change.previous),
            escape(change.by),
            escape(change.reason),
        )
        for change in changes
    ]
    return card("Champions so far", table(("When", "What", "Release", "Before", "By", "Why"), rows))
