"""The part of the Models page on which a person decides: the challenger on trial, and any release by its name."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import gradio as gr

from app.access import allow
from app.console.comparing import Comparisons
from app.console.drawing import answer_title, badge, card, moment, notice, short_id, table
from app.console.language import fragment, label, later, say
from app.console.lineage import STATES
from app.console.shell import event, html
from app.console.states import nothing_yet
from core.environments import Environment
from core.schema import NightshiftError, Role
from core.services import (
    Workspace,
    approve,
    promote_release,
    quarantine_release,
    reject_release,
    releases,
    rollout_state,
)

__all__ = ["deciding"]

POLL_S = 10.0
COMPARING_POLL_S = 1.0
SHOWN_CHANGES = 30
STAGES = {
    "shadow": later("Shadow"),
    "approval": later("Approval"),
    "canary": later("Canary"),
    "promotion": later("Promotion"),
}
FIGURES = {
    "answers": later("screens answered"),
    "agreement": later("agreed with the champion"),
    "latency_ms": later("its median, ms"),
    "champion_latency_ms": later("the champion's, ms"),
    "answers_of_champion": later("by the champion"),
    "contradicted": later("contradicted by people"),
    "against_canary": later("of those its own"),
    "evidence": later("evidence of harm"),
}


def deciding(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the cards and binds their events. Must be called inside a column of the page."""
    desk = _Desk(ws, environment)
    trial = html()
    on_trial = gr.Textbox(visible=False)
    with gr.Column(visible=False, elem_classes="ns-card ns-confirm", elem_id="approval") as asking:
        word = gr.Textbox(
            label=label("Reason"), placeholder=label("Why? It stays in the history."), elem_id="approval-reason"
        )
        with gr.Row(elem_classes="ns-pair"):
            yes = gr.Button(label("Approve"), variant="primary", elem_id="approve")
            no = gr.Button(label("Reject"), variant="stop", elem_id="reject")
    answered = html()
    with gr.Column(elem_classes="ns-card ns-desk", elem_id="releases"):
        html(fragment("releases", lambda: f"<h3>{say('Releases')}</h3>"))
        chosen = gr.Dropdown(label=label("Release"), choices=[], elem_id="release")
        why = gr.Textbox(
            label=label("Reason"), placeholder=label("Why? It stays in the history."), elem_id="release-reason"
        )
        with gr.Row(elem_classes="ns-pair"):
            compare = gr.Button(label("Compare"), elem_id="compare")
            promote = gr.Button(label("Promote"), elem_id="promote")
        with gr.Row(elem_classes="ns-pair"):
            reject = gr.Button(label("Reject"), elem_id="reject-release")
            quarantine = gr.Button(label("Quarantine"), variant="stop", elem_id="quarantine")
    told = html()
    comparing = gr.Timer(COMPARING_POLL_S, active=False)

    shown = [trial, on_trial, asking]
    console.load(desk.shown, None, [*shown, chosen], **event())
    gr.Timer(POLL_S).tick(desk.trial, None, shown, **event())
    for button, approved in ((yes, True), (no, False)):
        button.click(desk.answering(approved), [on_trial, word], [answered, word, *shown], **event())
    compare.click(desk.compare, [chosen], [told, comparing], **event())
    comparing.tick(desk.compared, [chosen], [told, comparing], **event())
    for button, decide in ((promote, desk.promote), (reject, desk.reject), (quarantine, desk.quarantine)):
        button.click(decide, [chosen, why], [told, why, *shown, chosen], **event())


class _Desk:
    """The handlers; every one of them asks a service and shows what it said."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws, self.environment = ws, environment
        self.comparisons = Comparisons(ws, environment.name)

    @allow(Role.VIEWER)
    def shown(self) -> list[Any]:
        """The trial, and the releases there are to choose from."""
        return [*self.trial(), self._choices()]

    @allow(Role.VIEWER)
    def trial(self) -> list[Any]:
        """The trial's card, whose it is, and whether it waits for a person."""
        state = rollout_state(self.ws, self.environment.name)
        waits = state is not None and state["stage"] == "approval"
        return [_trial_card(state), state["release"] if state is not None and waits else "", gr.Column(visible=waits)]

    def answering(self, approved: bool) -> Callable[[Any, Any], list[Any]]:
        """The handler of yes or no."""

        @allow(Role.ENGINEER)
        def answer(release: Any, reason: Any) -> list[Any]:
            try:
                seen = str(release or "no challenger")
                step = approve(
                    self.ws, self.environment.name, approved=approved, reason=str(reason or ""), release=seen
                )
            except NightshiftError as error:
                return [notice(say("Nothing was decided: {error}", error=error), "bad"), gr.skip(), *self.trial()]
            return [notice(say("Approved.") if step.passed else say("Rejected.")), "", *self.trial()]

        return answer

    @allow(Role.ENGINEER)
    def compare(self, release: Any) -> list[Any]:
        """Has the champion and the release chosen answer the golden examples."""
        try:
            self.comparisons.ask(str(release or ""))
        except NightshiftError as error:
            return [notice(say("Not compared: {error}", error=error), "bad"), gr.Timer(active=False)]
        return self.compared(release)

    @allow(Role.ENGINEER)
    def compared(self, release: Any) -> list[Any]:
        """What that found, and every verdict that differs; while it is at work, that it is."""
        asked = str(release or "")
        if self.comparisons.is_at_work(asked):
            return [notice(say("Both answer the golden examples…"), "open"), gr.Timer(active=True)]
        try:
            found = self.comparisons.found(asked)
        except NightshiftError as error:
            return [notice(say("Not compared: {error}", error=error), "bad"), gr.Timer(active=False)]
        return [self._comparison(found) if found else "", gr.Timer(active=False)]

    def _comparison(self, found: Mapping[str, Any]) -> str:
        rows = [
            (
                badge(*_change(each)),
                escape(each["ask"]),
                *(escape(answer_title(self.environment, each[of]["answer"])) for of in ("a", "b")),
            )
            for each in found["changed"][:SHOWN_CHANGES]
        ]
        told = say(
            "Of {n} golden examples the champion has {champion} right and {release} has {right}; {changed} verdicts "
            "differ.",
            n=found["n"],
            champion=found["a"]["right"],
            release=short_id(found["b"]["release"]),
            right=found["b"]["right"],
            changed=len(found["changed"]),
        )
        head = ("", say(self.environment.ask_title), say("Champion"), say("This one"))
        return card(say("Comparison"), f"<p>{told}</p>{table(head, rows) if rows else ''}")

    @allow(Role.ENGINEER)
    def promote(self, release: Any, reason: Any) -> list[Any]:
        return self._decided(promote_release, release, reason, later("{release} is champion now."))

    @allow(Role.ENGINEER)
    def reject(self, release: Any, reason: Any) -> list[Any]:
        return self._decided(reject_release, release, reason, later("{release} is rejected."))

    @allow(Role.ENGINEER)
    def quarantine(self, release: Any, reason: Any) -> list[Any]:
        return self._decided(
            quarantine_release, release, reason, later("{release} is quarantined and never serves again.")
        )

    def _decided(self, decide: Callable[..., Any], release: Any, reason: Any, became: str) -> list[Any]:
        try:
            done = decide(self.ws, self.environment.name, str(release or ""), reason=str(reason or ""))
        except NightshiftError as error:
            return [notice(say("Nothing was done: {error}", error=error), "bad"), gr.skip(), *self.trial(), gr.skip()]
        return [notice(say(became, release=done.release[:10])), "", *self.trial(), self._choices()]

    def _choices(self) -> gr.Dropdown:
        known = releases(self.ws, self.environment.name)
        return gr.Dropdown(
            choices=[(f"{each['release'][:10]} · {say(STATES[each['state']][0])}", each["release"]) for each in known]
        )


def _trial_card(state: Mapping[str, Any] | None) -> str:
    if state is None:
        return card(say("On trial"), nothing_yet(say("No challenger is on trial; promotions take effect at once.")))
    ended = {step["stage"]: step for step in state["steps"]}
    steps = "".join(_step(stage, ended.get(stage), state["stage"] == stage) for stage in state["plan"])
    figures = "".join(
        f"<dt>{say(FIGURES[name])}</dt><dd>{_figure(name, value)}</dd>" for name, value in state["figures"].items()
    )
    until = f"<p>{say('Rejected by itself at {at}.', at=moment(state['deadline']))}</p>" if "deadline" in state else ""
    reasons = "".join(
        f"<p>{say(STAGES[s['stage']])}: {escape(s['reason'])} ({escape(s['by'])})</p>" for s in state["steps"]
    )
    way = f'<ol class="ns-steps">{steps}</ol>'
    over = badge(say("under way"), "now") if state["stage"] else badge(say("over"), "open")
    head = f'<p class="ns-headline">{short_id(state["release"])} {over}</p>'
    return card(say("On trial"), f"{head}{way}{until}<dl>{figures}</dl>{reasons}")


def _step(stage: str, ended: Mapping[str, Any] | None, now: bool) -> str:
    kind = "now" if now else "done" if ended and ended["passed"] else "later"
    said = say("passed") if ended and ended["passed"] else say("failed") if ended else "…" if now else ""
    current = " aria-current=step" if now else ""
    return f'<li class="ns-{kind}"{current}><b>{say(STAGES[stage])}</b><span>{said}</span></li>'


def _figure(name: str, value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if name == "agreement" else f"{value:g}"


def _change(each: Mapping[str, Any]) -> tuple[str, str]:
    word, tone = {"fixed": (later("mended"), "good"), "broken": (later("broken"), "bad")}.get(
        each["change"], (later("differs"), "open")
    )
    return say(word), tone
