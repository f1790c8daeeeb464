"""The part of the Models page that sets champion and challenger side by side, and says why a verdict changed."""

import threading
from html import escape
from typing import Any

import gradio as gr

from app.access import allow
from app.console.drawing import badge, card, figure_of, notice, short_id, table
from app.console.language import figure, label, say
from app.console.lessons import CHANGES, lessons_table, said
from app.console.quality import interval, percent
from app.console.shell import event, html
from app.console.states import LOADING, nothing_yet, safely
from core.environments import Environment
from core.schema import NightshiftError, Role
from core.services import Classifier, Workspace
from core.services.comparing import Explained, explain_apart
from core.services.metrics import Board, Lesson, Taught

__all__ = ["pairing"]

SHOWN = 40
SHOWN_LINES = 8
KEPT = 3
"Classifiers kept in memory for explanations."


def pairing(console: gr.Blocks, ws: Workspace, environment: Environment, board: Board) -> None:
    """Draws the cards and binds their events. Must be called inside a column of the page."""
    beside = _Pairing(ws, environment, board)
    sides = html(LOADING)
    with gr.Column(elem_classes="ns-card ns-desk", elem_id="why", visible=False) as asking:
        changed = gr.Dropdown(label=label("Why did this verdict change?"), choices=[], elem_id="changed")
        why = html(elem_id="why-shown")
    parts = [sides, asking, changed]
    console.load(safely(beside.shown, len(parts)), None, parts, **event())
    changed.input(beside.why, [changed], [why], **event())


class _Pairing:
    """The handlers. Sides and changes are those that the night stored; only an explanation asks the models again."""

    def __init__(self, ws: Workspace, environment: Environment, board: Board) -> None:
        self.ws, self.environment, self.board = ws, environment, board
        self._loaded: dict[str, Classifier] = {}
        self._turn = threading.Lock()

    @allow(Role.VIEWER)
    def shown(self) -> list[Any]:
        """The last night's two sides, and which verdicts can be asked about."""
        taught = self.board.taught()
        lessons = taught.lessons[:SHOWN] if taught else []
        choices = [(_name(each), each.example.id) for each in lessons]
        return [self._sides(taught), gr.Column(visible=bool(choices)), gr.Dropdown(choices=choices, value=None)]

    @allow(Role.ENGINEER)
    def why(self, example: Any) -> str:
        """Both verdicts with what weighed in them, and which lines weigh otherwise now."""
        taught = self.board.taught()
        if taught is None or not example:
            return ""
        decision = taught.decision
        lesson = next((each for each in taught.lessons if each.example.id == str(example)), None)
        if lesson is None:
            return notice(say("This night changed no such verdict; look at the page again."), "bad")
        try:
            with self._turn:
                champion, challenger = self._classifier(decision.champion), self._classifier(decision.challenger)
                told = explain_apart(self.ws, champion, challenger, str(example))
        except NightshiftError as error:
            return notice(say("Not explained: {error}", error=error), "bad")
        return self._explained(lesson, told)

    def _classifier(self, release: str) -> Classifier:
        if release not in self._loaded:
            while len(self._loaded) >= KEPT:
                self._loaded.pop(next(iter(self._loaded)))
            self._loaded[release] = Classifier.load(self.ws, self.environment.name, release)
        return self._loaded[release]

    def _sides(self, taught: Taught | None) -> str:
        title = say("Champion and challenger side by side")
        if taught is None or not taught.n:
            return card(title, nothing_yet(say("No night has put both before the same examples yet.")))
        sides = "".join(
            f'<div class="ns-side"><h4>{name} {short_id(release)}</h4><strong>{percent(of.accuracy)}</strong>'
            f'<p class="ns-fine">{interval(of.ci95)}</p>{_side_facts(of.ece, latency)}</div>'
            for name, release, of, latency in (
                (say("Champion"), taught.decision.champion, taught.champion, taught.latency_ms[0]),
                (say("Challenger"), taught.decision.challenger, taught.challenger, taught.latency_ms[1]),
            )
        )
        shown = lessons_table(self.ws, self.environment, taught.lessons[:8]) if taught.lessons else ""
        told = say(
            "On the same {n} examples labelled by people; {changed} verdicts differ.",
            n=taught.n,
            changed=len(taught.lessons),
        )
        return card(title, f'<div class="ns-pairing">{sides}</div><p class="ns-fine">{told}</p>{shown}')

    def _explained(self, lesson: Lesson, told: Explained) -> str:
        word, tone = CHANGES[lesson.change]
        sides = "".join(
            f'<div class="ns-side"><h4>{name}</h4>{said(self.environment, str(of.answer), of.confidence)}'
            f"{figure_of(self.environment, told.media, of.evidence, alt=told.example.ask)}</div>"
            for name, of in ((say("Champion"), told.a), (say("Challenger"), told.b))
        )
        rows = [
            (
                f'<span class="ns-clipped">{escape(text)}</span>',
                _weight(a),
                _weight(b),
                f"<strong>{_weight(b - a)}</strong>",
            )
            for text, a, b in told.moved[:SHOWN_LINES]
        ]
        head = (say("What stands there"), say("Champion"), say("Challenger"), say("Moved"))
        note = ""
        if not lesson.golden:
            note = say(
                "The night judged this example by a challenger trained without it; here answers the one that was "
                "trained with it."
            )
        right = say("Right is {answer}.", answer=said(self.environment, lesson.expected, None))
        return (
            f"<p>{escape(told.example.ask)} {badge(say(word), tone)} {right}</p>"
            f'<div class="ns-pairing">{sides}</div>{table(head, rows, numbers=(1, 2, 3))}'
            f'<p class="ns-fine">{self._toward()} {note}</p>'
        )

    def _toward(self) -> str:
        first = (self.environment.answers or ("",))[0]
        return say("Weights are log-odds toward {answer}.", answer=said(self.environment, first, None))


def _name(lesson: Lesson) -> str:
    ask = lesson.example.ask
    return f"{ask if len(ask) <= 70 else f'{ask[:69]}…'} · {say(CHANGES[lesson.change][0])}"


def _side_facts(ece: float | None, latency_ms: float | None) -> str:
    facts = [(say("Calibration error"), percent(ece))]
    if latency_ms is not None:
        facts.append((say("A verdict takes"), f"{figure(latency_ms, '.1f')} ms"))
    return f"<dl>{''.join(f'<dt>{name}</dt><dd>{value}</dd>' for name, value in facts)}</dl>"


def _weight(value: float) -> str:
    return figure(value, "+.2f")
