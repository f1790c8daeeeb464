"""The part of the Classify page on which the judge is asked what it thinks of a verdict."""

from html import escape
from typing import Any

import gradio as gr

from app.access import allow
from app.console.classify_texts import TEXTS
from app.console.drawing import answer_title, badge, card, notice
from app.opinions import Opinion, Opinions
from core.environments import Environment
from core.schema import Judgment, NightshiftError, Role
from core.services import Workspace, prediction

__all__ = ["JudgeDesk"]


class JudgeDesk:
    """The handlers: each answers at once, and a timer of the page looks again while something is waited for.

    All of them give the card, the button, and the timer.
    """

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self._ws, self._environment = ws, environment
        self._opinions = Opinions(ws, environment.name)

    @allow(Role.VIEWER)
    def begin(self) -> list[Any]:
        """A new verdict, about which nobody has asked yet."""
        return ["", gr.Button(visible=True), gr.Timer(active=False)]

    @allow(Role.OPERATOR)
    def ask(self, shown: Any) -> list[Any]:
        """Has the judge asked."""
        try:
            prediction(self._ws, str(shown))
        except NightshiftError as error:
            return self._state(str(shown), Opinion(problem=str(error)))
        return self._state(str(shown), self._opinions.ask(str(shown)))

    @allow(Role.VIEWER)
    def look(self, shown: Any) -> list[Any]:
        """How far it is."""
        return self._state(str(shown), self._opinions.look(str(shown)))

    def _state(self, shown: str, opinion: Opinion) -> list[Any]:
        asked = opinion.waits or opinion.judgment is not None
        return [self._card(shown, opinion), gr.Button(visible=not asked), gr.Timer(active=opinion.waits)]

    def _card(self, shown: str, opinion: Opinion) -> str:
        if opinion.problem is not None:
            return notice(TEXTS["judge_problem"].format(detail=opinion.problem), "bad")
        if opinion.judgment is not None:
            return self._said(shown, opinion.judgment)
        return notice(TEXTS["judge_waits"], "open") if opinion.waits else ""

    def _said(self, shown: str, judgment: Judgment) -> str:
        if judgment.unscored is not None:
            return notice(TEXTS["judge_unscored"].format(detail=judgment.unscored), "open")
        best = max(judgment.scores, key=lambda each: each.score)
        agrees = best.answer == prediction(self._ws, shown).answer
        verdict = badge(answer_title(self._environment, best.answer), "good" if agrees else "bad")
        scores = "".join(
            f"<dt>{escape(answer_title(self._environment, each.answer))}</dt><dd>{each.score:.0%}</dd>"
            for each in judgment.scores
        )
        why = f"<p>{escape(judgment.rationale)}</p>" if judgment.rationale else ""
        told = TEXTS["judge_agrees"] if agrees else TEXTS["judge_contradicts"]
        foot = (
            f'<p class="ns-fine">{escape(TEXTS["judge_cost"].format(judge=judgment.judge, cost=_cost(judgment)))}</p>'
        )
        return card(TEXTS["judge"], f'<p class="ns-headline">{verdict}</p><p>{told}</p>{why}<dl>{scores}</dl>{foot}')


def _cost(judgment: Judgment) -> str:
    if judgment.cost_usd is None:
        return TEXTS["judge_unknown"]
    return f"${judgment.cost_usd:.4f}" if judgment.cost_usd else TEXTS["judge_free"]
