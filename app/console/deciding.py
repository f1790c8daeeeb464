"""The part of the Models page on which a person decides: the challenger on trial, and any release by its name."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import gradio as gr

from app.console.drawing import badge, card, moment, notice, short_id, table
from app.console.shell import event, html
from core.environments import Environment
from core.schema import NightshiftError
from core.services import (
    Workspace,
    approve,
    compare_releases,
    promote_release,
    quarantine_release,
    reject_release,
    releases,
    rollout_state,
)

__all__ = ["deciding"]

POLL_S = 10.0
SHOWN_CHANGES = 30
STAGES = {"shadow": "Shadow", "approval": "Approval", "canary": "Canary", "promotion": "Promotion"}
FIGURES = {
    "answers": "screens answered",
    "agreement": "agreed with the champion",
    "latency_ms": "its median, ms",
    "champion_latency_ms": "the champion's, ms",
    "answers_of_champion": "by the champion",
    "contradicted": "contradicted by people",
    "against_canary": "of those its own",
    "evidence": "evidence of harm",
}


def deciding(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the cards and binds their events. Must be called inside a column of the page."""
    desk = _Desk(ws, environment)
    trial = html()
    on_trial = gr.Textbox(visible=False)
    with gr.Column(visible=False, elem_classes="ns-card ns-confirm", elem_id="approval") as asking:
        word = gr.Textbox(label="Reason", placeholder="Why? It stays in the history.", elem_id="approval-reason")
        with gr.Row(elem_classes="ns-pair"):
            yes = gr.Button("Approve", variant="primary", elem_id="approve")
            no = gr.Button("Reject", variant="stop", elem_id="reject")
    answered = html()
    with gr.Column(elem_classes="ns-card ns-desk", elem_id="releases"):
        gr.HTML("<h3>Releases</h3>", padding=False)
        chosen = gr.Dropdown(label="Release", choices=[], elem_id="release")
        why = gr.Textbox(label="Reason", placeholder="Why? It stays in the history.", elem_id="release-reason")
        with gr.Row(elem_classes="ns-pair"):
            compare = gr.Button("Compare", elem_id="compare")
            promote = gr.Button("Promote", elem_id="promote")
        with gr.Row(elem_classes="ns-pair"):
            reject = gr.Button("Reject", elem_id="reject-release")
            quarantine = gr.Button("Quarantine", variant="stop", elem_id="quarantine")
    told = html()

    shown = [trial, on_trial, asking]
    console.load(desk.shown, None, [*shown, chosen], **event())
    gr.Timer(POLL_S).tick(desk.trial, None, shown, **event())
    for button, approved in ((yes, True), (no, False)):
        button.click(desk.answering(approved), [on_trial, word], [answered, word, *shown], **event())
    compare.click(desk.compare, [chosen], [told], **event())
    for button, decide in ((promote, desk.promote), (reject, desk.reject), (quarantine, desk.quarantine)):
        button.click(decide, [chosen, why], [told, why, *shown, chosen], **event())


class _Desk:
    """The handlers; every one of them asks a service and shows what it said."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws, self.environment = ws, environment

    def shown(self) -> list[Any]:
        """The trial, and the releases there are to choose from."""
        return [*self.trial(), self._choices()]

    def trial(self) -> list[Any]:
        """The trial's card, whose it is, and whether it waits for a person."""
        state = rollout_state(self.ws, self.environment.name)
        waits = state is not None and state["stage"] == "approval"
        return [_trial_card(state), state["release"] if state is not None and waits else "", gr.Column(visible=waits)]

    def answering(self, approved: bool) -> Callable[[Any, Any], list[Any]]:
        """The handler of yes or no."""

        def answer(release: Any, reason: Any) -> list[Any]:
            try:
                seen = str(release or "no challenger")
                step = approve(
                    self.ws, self.environment.name, approved=approved, reason=str(reason or ""), release=seen
                )
            except NightshiftError as error:
                return [notice(f"Nothing was decided: {error}", "bad"), gr.skip(), *self.trial()]
            return [notice("Approved." if step.passed else "Rejected."), "", *self.trial()]

        return answer

    def compare(self, release: Any) -> str:
        """The champion and the release chosen on the golden examples, and every verdict that differs."""
        try:
            found = compare_releases(self.ws, self.environment.name, "champion", str(release or ""))
        except NightshiftError as error:
            return notice(f"Not compared: {error}", "bad")
        rows = [
            (badge(*_change(each)), escape(each["ask"]), *(escape(str(each[of]["answer"])) for of in ("a", "b")))
            for each in found["changed"][:SHOWN_CHANGES]
        ]
        said = (
            f"<p>Of {found['n']} golden examples the champion has {found['a']['right']} right and "
            f"{short_id(found['b']['release'])} {found['b']['right']}; {len(found['changed'])} verdicts differ.</p>"
        )
        return card("Comparison", said + (table(("", "Work", "Champion", "This one"), rows) if rows else ""))

    def promote(self, release: Any, reason: Any) -> list[Any]:
        return self._decided(promote_release, release, reason, "is champion now")

    def reject(self, release: Any, reason: Any) -> list[Any]:
        return self._decided(reject_release, release, reason, "is rejected")

    def quarantine(self, release: Any, reason: Any) -> list[Any]:
        return self._decided(quarantine_release, release, reason, "is quarantined and never serves again")

    def _decided(self, decide: Callable[..., Any], release: Any, reason: Any, became: str) -> list[Any]:
        try:
            done = decide(self.ws, self.environment.name, str(release or ""), reason=str(reason or ""))
        except NightshiftError as error:
            return [notice(f"Nothing was done: {error}", "bad"), gr.skip(), *self.trial(), gr.skip()]
        return [notice(f"{done.release[:10]} {became}."), "", *self.trial(), self._choices()]

    def _choices(self) -> gr.Dropdown:
        known = releases(self.ws, self.environment.name)
        return gr.Dropdown(choices=[(f"{each['release'][:10]} · {each['state']}", each["release"]) for each in known])


def _trial_card(state: Mapping[str, Any] | None) -> str:
    if state is None:
        return card("On trial", '<p class="ns-none-yet">No challenger is on trial; promotions take effect at once.</p>')
    ended = {step["stage"]: step for step in state["steps"]}
    steps = "".join(_step(stage, ended.get(stage), state["stage"] == stage) for stage in state["plan"])
    figures = "".join(
        f"<dt>{FIGURES[name]}</dt><dd>{_figure(name, value)}</dd>" for name, value in state["figures"].items()
    )
    until = f"<p>Rejected by itself at {moment(state['deadline'])}.</p>" if "deadline" in state else ""
    reasons = "".join(f"<p>{STAGES[s['stage']]}: {escape(s['reason'])} ({escape(s['by'])})</p>" for s in state["steps"])
    way = f'<ol class="ns-steps">{steps}</ol>'
    over = badge("under way", "now") if state["stage"] else badge("over", "open")
    head = f'<p class="ns-headline">{short_id(state["release"])} {over}</p>'
    return card("On trial", f"{head}{way}{until}<dl>{figures}</dl>{reasons}")


def _step(stage: str, ended: Mapping[str, Any] | None, now: bool) -> str:
    kind = "now" if now else "done" if ended and ended["passed"] else "later"
    said = "passed" if ended and ended["passed"] else "failed" if ended else "…" if now else ""
    return f'<li class="ns-{kind}"{" aria-current=step" if now else ""}><b>{STAGES[stage]}</b><span>{said}</span></li>'


def _figure(name: str, value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if name == "agreement" else f"{value:g}"


def _change(each: Mapping[str, Any]) -> tuple[str, str]:
    return {"fixed": ("mended", "good"), "broken": ("broken", "bad")}.get(each["change"], ("differs", "open"))
