"""The page that says whether the model gets better."""

from typing import Any

import gradio as gr

from app.access import allow
from app.console import pages
from app.console.drawing import short_id
from app.console.keys import MODELS
from app.console.language import figure, say
from app.console.lessons import lessons_card
from app.console.missions import missions_card
from app.console.quality import confusion_card, domains_card, golden_card, interval, percent, reliability_card
from app.console.shell import event, html, page_head
from app.console.states import LOADING, safely
from app.console.traffic import agreement_card, drift_card, kappa_word, tiles, traffic_card
from core.environments import Environment
from core.schema import Role
from core.services import Workspace
from core.services.metrics import Board

__all__ = ["metrics_page"]

POLL_S = 15.0
LATELY_DAYS = 7


def metrics_page(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    page = _Metrics(ws, environment)
    page_head(pages.FIGURES, environment, MODELS, ws)
    with gr.Column(elem_classes="ns-page ns-metrics"):
        head = html(LOADING)
        with gr.Row(elem_classes="ns-split"):
            with gr.Column(scale=7, min_width=320, elem_classes="ns-stack"):
                missions, golden, lessons = html(), html(LOADING), html()
                domains, traffic = html(), html()
            with gr.Column(scale=5, min_width=320, elem_classes="ns-stack"):
                confusion, reliability, drift, agreement = html(LOADING), html(), html(), html()
    parts = [head, missions, golden, lessons, domains, traffic, confusion, reliability, drift, agreement]
    shown = safely(page.shown, len(parts))
    console.load(shown, None, parts, **event())
    gr.Timer(POLL_S).tick(shown, None, parts, **event())


class _Metrics:
    """The handler: it shows what the board knows, which computes nothing anew while the store stands as it did."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws, self.environment = ws, environment
        self.board = Board(ws, environment.name)

    @allow(Role.VIEWER)
    def shown(self) -> list[Any]:
        """Every card, as the store stands."""
        quality, live = self.board.quality(), self.board.live()
        return [
            self._head(),
            missions_card(self.board.missions()) if self.environment.takes_groups else "",
            golden_card(self.board.golden()),
            lessons_card(self.ws, self.environment, self.board.taught()),
            domains_card(quality),
            traffic_card(self.environment, live),
            confusion_card(self.environment, quality),
            reliability_card(quality),
            drift_card(self.board.drifts()),
            agreement_card(self.board.people(), self.board.judges()),
        ]

    def _head(self) -> str:
        golden, quality, live = self.board.golden().points, self.board.quality(), self.board.live()
        last = golden[-1].golden if golden else None
        lately = live.days[-LATELY_DAYS:]
        judges = [each for each in self.board.judges() if each.overall.kappa is not None]
        kappa = judges[0].overall.kappa if judges else None
        facts = [
            (
                say("Golden accuracy"),
                percent(last.accuracy if last else None),
                interval(last.ci95) if last else say("no night yet"),
            ),
            (
                say("Right, of all evidence"),
                percent(quality.overall.accuracy if quality else None),
                say("on {n} examples", n=quality.overall.n) if quality else say("not measured yet"),
            ),
            (
                say("Calibration error"),
                percent(quality.overall.ece if quality else None),
                say("champion {release}", release=short_id(quality.release)) if quality else "",
            ),
            (
                say("Verdicts"),
                f"{sum(each.predictions for each in lately):,}",
                say("on the last {n} days with any", n=len(lately)) if lately else say("none yet"),
            ),
            (say("Judge and people"), "–" if kappa is None else figure(kappa, ".2f"), self._judged(kappa)),
        ]
        return tiles(facts)

    def _judged(self, kappa: float | None) -> str:
        return say("no audit yet") if kappa is None else say("kappa: {word}", word=kappa_word(kappa))
