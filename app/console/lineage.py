"""The part of the Models page that leads from a model to the words it learnt from, and back."""

from html import escape
from typing import Any

import gradio as gr

from app.access import allow
from app.console import pages
from app.console.drawing import answer_title, badge, moment, notice, short_id, table
from app.console.language import label, later, say
from app.console.shell import event, html
from core.environments import Environment
from core.schema import NightshiftError, Role
from core.services import Workspace, releases
from core.services.ancestry import Generation, ancestry, learnt_by

__all__ = ["STATES", "lineage_part"]

STATES = {
    "champion": (later("champion"), "good"),
    "former champion": (later("former champion"), "open"),
    "promoted": (later("promoted"), "good"),
    "refused": (later("refused"), "bad"),
    "undecided": (later("undecided"), "open"),
    "quarantined": (later("quarantined"), "bad"),
    "rejected": (later("rejected"), "bad"),
    "removed": (later("removed"), "open"),
    "missing": (later("missing"), "bad"),
    "not compared": (later("not compared"), "open"),
}


def lineage_part(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the card and binds its events. Must be called inside a column of the page."""
    tree = _Lineage(ws, environment)
    with gr.Column(elem_classes="ns-card ns-desk", elem_id="lineage"):
        of = gr.Dropdown(label=label("Where a model comes from"), choices=[], elem_id="lineage-of")
        shown = html(elem_id="lineage-shown")
        word = gr.Dropdown(label=label("Which models learnt from this word?"), choices=[], elem_id="lineage-word")
        back = html(elem_id="lineage-back")
    console.load(tree.begin, None, [of, shown, word], **event())
    of.input(tree.of, [of], [shown, word, back], **event())
    word.input(tree.back, [word], [back], **event())


class _Lineage:
    """The handlers."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws, self.environment = ws, environment

    @allow(Role.VIEWER)
    def begin(self) -> list[Any]:
        """The champion's lineage, and every release to choose from."""
        known = releases(self.ws, self.environment.name)
        choices = [(f"{each['release'][:10]} · {say(STATES[each['state']][0])}", each["release"]) for each in known]
        champion = next((each["release"] for each in known if each["state"] == "champion"), None)
        shown, word, _ = self.of(champion) if champion else ["", gr.skip(), ""]
        return [gr.Dropdown(choices=choices, value=champion), shown, word]

    @allow(Role.VIEWER)
    def of(self, release: Any) -> list[Any]:
        """A release's generations, and the words in them."""
        try:
            generations = ancestry(self.ws, self.environment.name, str(release or ""))
        except NightshiftError as error:
            return [notice(str(error), "bad"), gr.skip(), ""]
        steps = "".join(self._generation(each) for each in generations)
        words = [word for each in generations for word in each.words]
        choices = [(f"{word.example.ask[:70]} · {self._title(word.label.answer)}", word.example.id) for word in words]
        return [f'<ol class="ns-lineage">{steps}</ol>', gr.Dropdown(choices=choices, value=None), ""]

    @allow(Role.VIEWER)
    def back(self, example: Any) -> str:
        """Every release that learnt from a word."""
        found = learnt_by(self.ws, self.environment.name, str(example or ""))
        if not found:
            return notice(say("No model has learnt from it yet."), "open")
        states = {each["release"]: each["state"] for each in releases(self.ws, self.environment.name)}
        rows = [(short_id(each.id), badge(*_state(states.get(each.id))), moment(each.at)) for each in found]
        return table((say("Release"), say("State"), say("Made")), rows)

    def _generation(self, generation: Generation) -> str:
        name = short_id(generation.release or generation.checkpoint)
        state = badge(*_state(generation.state)) if generation.state else ""
        if generation.run is None:
            return f"<li><p><strong>{name}</strong> {state}</p><p class='ns-fine'>{say('the untrained model')}</p></li>"
        when = moment(generation.at) if generation.at else ""
        runs = pages.address(pages.RUNS, self.environment, self.ws)
        night = f'<a href="{runs}?night={escape(generation.run)}">{say("the night that made it")}</a>'
        told = say("learnt {n} examples that its parent had not", n=generation.learnt)
        return (
            f'<li><p><strong>{name}</strong> {state}</p><p class="ns-fine">{when} · {night} · {told}</p>'
            f"{self._words(generation)}</li>"
        )

    def _words(self, generation: Generation) -> str:
        if not generation.words:
            return ""
        rows = [
            (
                f'<span class="ns-clipped">{escape(word.example.ask)}</span>',
                escape(self._title(word.label.answer)),
                escape(word.label.reviewer),
                moment(word.label.at),
            )
            for word in generation.words
        ]
        head = (say(self.environment.ask_title), say("Word"), say("By"), say("When"))
        one, more = later("one word"), later("{n} words")
        told = say(one if len(rows) == 1 else more, n=len(rows))
        return f'<details class="ns-data"><summary>{told}</summary>{table(head, rows)}</details>'

    def _title(self, answer: object) -> str:
        return answer_title(self.environment, answer)


def _state(state: str | None) -> tuple[str, str]:
    word, tone = STATES.get(state or "", (state or "", "open"))
    return say(word), tone
