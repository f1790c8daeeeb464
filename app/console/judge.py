"""The page that says how far the judge can be trusted, what it costs, and what it leaves to people."""

from collections.abc import Sequence
from html import escape

import gradio as gr

from app.access import allow
from app.console import pages
from app.console.drawing import badge, card, day, moment, notice, table
from app.console.keys import MODELS
from app.console.language import figure, label, later, say
from app.console.quality import chart
from app.console.settling import settling
from app.console.shell import event, html, page_head
from app.console.states import LOADING, nothing_yet, safely
from core.access import entry
from core.environments import Environment
from core.evaluation.charts import Interval, interval_chart
from core.schema import Agreement, JudgeAudit, NightshiftError, Role
from core.services import Workspace
from core.services.standing import (
    Standing,
    judges_standing,
)

__all__ = ["judge_page"]

POLL_S = 20.0
NEVER = later(
    "No audit has been made yet. One is made every day while Nightshift is up, and by nightshift judge audit."
)


def judge_page(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    page = _Judge(ws, environment)
    page_head(pages.JUDGE, environment, MODELS, ws)
    timer = gr.Timer(POLL_S)
    with gr.Column(elem_classes="ns-page ns-judge"), gr.Row(elem_classes="ns-split"):
        with gr.Column(scale=7, min_width=320, elem_classes="ns-stack"):
            agreement, disagreements, categories = html(LOADING), html(), html()
        with gr.Column(scale=4, min_width=320, elem_id="ns-panel", elem_classes="ns-stack"):
            standing = html(LOADING)
            audit_now = gr.Button(label("Audit now"), variant="primary", elem_id="audit-now")
            told = html()
    facts = [agreement, disagreements, categories, standing]
    shown = safely(page.facts, len(facts))
    console.load(shown, None, facts, **event())
    timer.tick(shown, None, facts, **event())
    audit_now.click(page.audit_now, None, [told], **event())


class _Judge:
    """The handlers. They show what is stored; an audit is asked for, never made here."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws = ws
        self.environment = environment

    @allow(Role.VIEWER)
    def facts(self) -> list[str]:
        """The page as things stand."""
        standing = judges_standing(self.ws, self.environment.name)
        return [
            _agreement(standing),
            settling(self.ws, self.environment),
            _categories(standing),
            "".join(_standing(each) for each in standing),
        ]

    @allow(Role.ENGINEER)
    def audit_now(self) -> str:
        """Asks the Nightshift that is up for an audit."""
        from flows.client import start_audit

        try:
            start_audit(self.ws.home, self.environment.name)
            self.ws.store.add(entry("judge_audit.asked", self.environment.name))
        except NightshiftError as error:
            return notice(say("No audit was started: {error}.", error=error), "bad")
        return notice(say("Asked for. What it finds shows here when it is done."), "open")


def _agreement(standing: Sequence[Standing]) -> str:
    drawn = ""
    for each in standing:
        measured = [audit for audit in each.audits if audit.overall.kappa is not None]
        if not measured:
            continue
        points = [_interval(audit.overall, day(audit.at.astimezone())) for audit in measured]
        name = say("Kappa of {judge}, audit by audit", judge=each.judge)
        told = say(
            "{judge}: kappa with its 95% interval, on {n} examples in the last audit; 0 is chance, 1 is perfect "
            "agreement.",
            judge=f"<strong>{escape(each.judge)}</strong>",
            n=measured[-1].overall.scored,
        )
        drawn += chart(interval_chart(points, title=name), told, _audits(measured))
    return card(say("Agreement with people"), drawn or nothing_yet(say(NEVER)))


def _interval(overall: Agreement, at: str) -> Interval:
    kappa = overall.kappa or 0.0
    low, high = overall.kappa_ci95 or (kappa, kappa)
    return Interval(at, kappa, low, high)


def _audits(audits: Sequence[JudgeAudit]) -> str:
    rows = []
    for audit in reversed(audits):
        low, high = audit.overall.kappa_ci95 or (None, None)
        bounds = f"{_figure(low)} – {_figure(high)}"
        rows.append((moment(audit.at), _figure(audit.overall.kappa), bounds, str(audit.overall.scored)))
    return table((say("Audit"), say("Kappa"), say("95% interval"), "n"), rows, numbers=(1, 2, 3))


def _categories(standing: Sequence[Standing]) -> str:
    last = [each.audits[-1] for each in standing if each.audits]
    if not last:
        return ""
    names = sorted({name for audit in last for name in audit.by_category})
    empty = Agreement(n=0, scored=0)
    rows = []
    for name in names:
        of_each = [audit.by_category.get(name, empty) for audit in last]
        most = max(of.n for of in of_each)
        rows.append((escape(name.replace("_", " ")), str(most), *(_right_of(of) for of in of_each)))
    of_judges = (say("{judge}, right of scored", judge=audit.judge) for audit in last)
    head = (say("Kind of work"), "n", *of_judges)
    return card(say("By kind of work"), table(head, rows, numbers=list(range(1, len(head)))))


def _right_of(of: Agreement) -> str:
    if of.accuracy is None:
        return "–"
    return say("{share} of {n}", share=figure(of.accuracy, ".0%"), n=of.scored)


def _standing(standing: Standing) -> str:
    title = say("Judge: {name}", name=standing.judge)
    last = standing.audits[-1] if standing.audits else None
    if last is None:
        return card(title, nothing_yet(say(NEVER)) + _budget(standing))
    share = figure(last.share, ".0%")
    earned = badge(say("earns {share} of its weight", share=share), "good" if last.share > 0 else "open")
    against = say(
        "alone right {wins} times, alone wrong {losses}, of {n}", wins=last.wins, losses=last.losses, n=last.compared
    )
    facts = [
        (say("Last audit"), moment(last.at)),
        (say("Against the champion"), against),
        (say("Abstains on"), _share_of(last.overall.n - last.overall.scored, last.overall.n)),
        (say("Calibration error"), _figure(last.ece)),
        (say("Position bias"), _figure(last.position_bias)),
        (say("From the store"), _share_of(last.cached, last.cached + max(0, last.overall.n - last.cached))),
    ]
    if last.usd_per_judgment is not None and last.usd_per_judgment > 0:
        facts.append((say("A judgment costs"), say("{usd} dollars", usd=figure(last.usd_per_judgment, ".5f"))))
    if last.left_out:
        facts.append((say("Left out"), say("{n} answers from before its words or settings changed", n=last.left_out)))
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    kappa = say("no kappa yet")
    if last.overall.kappa is not None:
        kappa = say("kappa {value}", value=_figure(last.overall.kappa))
    return card(title, f'<p class="ns-headline">{kappa} {earned}</p><dl>{listed}</dl>{_budget(standing)}')


def _budget(standing: Standing) -> str:
    """The tokens since the last night began, against the most that a night may take; nothing for a judge without."""
    limit = standing.limits.hard_tokens if standing.limits else None
    if not standing.spent.tokens or not limit:
        return ""
    share = min(1.0, standing.spent.tokens / limit)
    told = say(
        "{tokens} of {limit} tokens since the last night began", tokens=f"{standing.spent.tokens:,}", limit=f"{limit:,}"
    )
    usd = f", {say('{usd} dollars', usd=figure(standing.spent.usd, '.4f'))}" if standing.spent.usd else ""
    return (
        f'<div class="ns-bar ns-quiet" role="meter" aria-label="{say("Tokens spent")}" aria-valuemin="0" '
        f'aria-valuemax="{limit}" aria-valuenow="{standing.spent.tokens}"><i style="width:{share:.1%}"></i></div>'
        f'<p class="ns-fine">{told}{usd}</p>'
    )


def _share_of(part: int, whole: int) -> str:
    return say("{share} of {n}", share=figure(part / whole, ".0%"), n=whole) if whole else say("nothing to say")


def _figure(value: float | None) -> str:
    return "–" if value is None else figure(value, ".2f")
