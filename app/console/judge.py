"""The page that says how far the judge can be trusted, what it costs, and what it leaves to people."""

from collections.abc import Sequence
from html import escape

import gradio as gr

from app.console.drawing import answer_title, badge, card, moment, notice, table
from app.console.keys import MODELS
from app.console.shell import event, html, page_head
from core.environments import Environment
from core.evaluation.charts import Interval, interval_chart
from core.schema import Agreement, JudgeAudit, NightshiftError
from core.services import Workspace
from core.services.standing import (
    Rewarded,
    Standing,
    judges_standing,
    open_contradictions,
    rewards_of_last_night,
)

__all__ = ["judge_page"]

POLL_S = 20.0
NEVER = (
    '<p class="ns-none-yet">No audit has been made yet. One is made every day while Nightshift is up, and by '
    "<code>nightshift judge audit</code>.</p>"
)


def judge_page(console: gr.Blocks, ws: Workspace, environment: Environment) -> None:
    """Draws the page and binds its events. Must be called inside a Blocks context."""
    page = _Judge(ws, environment)
    page_head("judge", environment.title, MODELS)
    timer = gr.Timer(POLL_S)
    with gr.Column(elem_classes="ns-page ns-judge"), gr.Row(elem_classes="ns-split"):
        with gr.Column(scale=7, min_width=320, elem_classes="ns-stack"):
            agreement, categories, rewards = html(), html(), html()
        with gr.Column(scale=4, min_width=320, elem_id="ns-panel", elem_classes="ns-stack"):
            standing, contradictions = html(), html()
            audit_now = gr.Button("Audit now", variant="primary", elem_id="audit-now")
            told = html()
    facts = [agreement, categories, rewards, standing, contradictions]
    console.load(page.facts, None, facts, **event())
    timer.tick(page.facts, None, facts, **event())
    audit_now.click(page.audit_now, None, [told], **event())


class _Judge:
    """The handlers. They show what is stored; an audit is asked for, never made here."""

    def __init__(self, ws: Workspace, environment: Environment) -> None:
        self.ws = ws
        self.environment = environment

    def facts(self) -> list[str]:
        """The page as things stand."""
        standing = judges_standing(self.ws, self.environment.name)
        waiting = open_contradictions(self.ws, self.environment.name)
        return [
            _agreement(standing),
            _categories(standing),
            self._rewards(rewards_of_last_night(self.ws, self.environment.name)),
            "".join(_standing(each) for each in standing),
            _contradictions(waiting) if len(standing) > 1 else "",
        ]

    def audit_now(self) -> str:
        """Asks the Nightshift that is up for an audit."""
        from flows.client import start_audit

        try:
            start_audit(self.ws.home, self.environment.name)
        except NightshiftError as error:
            return notice(f"No audit was started: {error}.", "bad")
        return notice("Asked for. What it finds shows here when it is done.", "open")

    def _rewards(self, rewarded: Sequence[Rewarded]) -> str:
        if not rewarded:
            return ""
        names = list(dict.fromkeys(name for each in rewarded for of in each.rollouts for name in of.reward_parts))
        rows = []
        for each in rewarded:
            for place, rollout in enumerate(each.rollouts):
                ask = f'<span class="ns-clipped" title="{escape(each.example.ask)}">{escape(each.example.ask)}</span>'
                parts = [_figure(rollout.reward_parts.get(name)) for name in names]
                answer = escape(answer_title(self.environment, rollout.answer))
                rows.append(("" if place else ask, answer, *parts, _figure(rollout.reward)))
        head = (self.environment.ask_title, "Answer", *(name.replace("_", " ") for name in names), "reward")
        numbers = range(2, len(head))
        note = (
            '<p class="ns-fine">What each answer earned, part by part; a dash where a part had nothing to say. '
            "A person's word decides the reward alone.</p>"
        )
        return card("Rewards of the last night", f"{note}{table(head, rows, numbers=list(numbers))}")


def _agreement(standing: Sequence[Standing]) -> str:
    drawn = ""
    for each in standing:
        measured = [audit for audit in each.audits if audit.overall.kappa is not None]
        if not measured:
            continue
        points = [_interval(audit.overall, f"{audit.at.astimezone():%d %b}") for audit in measured]
        name = f"Kappa of {each.judge}, audit by audit"
        drawn += (
            f'<figure class="ns-chart">{interval_chart(points, title=name)}<figcaption><strong>{escape(each.judge)}'
            f"</strong>: kappa with its 95% interval, on {measured[-1].overall.scored} examples in the last audit; "
            "0 is chance, 1 is perfect agreement.</figcaption></figure>"
        )
    return card("Agreement with people", drawn or NEVER)


def _interval(overall: Agreement, label: str) -> Interval:
    kappa = overall.kappa or 0.0
    low, high = overall.kappa_ci95 or (kappa, kappa)
    return Interval(label, kappa, low, high)


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
    head = ("Kind of work", "n", *(f"{audit.judge}, right of scored" for audit in last))
    return card("By kind of work", table(head, rows, numbers=list(range(1, len(head)))))


def _right_of(of: Agreement) -> str:
    if of.accuracy is None:
        return "–"
    return f"{of.accuracy:.0%} of {of.scored}"


def _standing(standing: Standing) -> str:
    last = standing.audits[-1] if standing.audits else None
    if last is None:
        return card(f"Judge: {standing.judge}", NEVER)
    earned = badge(f"earns {last.share:.0%} of its weight", "good" if last.share > 0 else "open")
    facts = [
        ("Last audit", moment(last.at)),
        ("Against the champion", f"alone right {last.wins} times, alone wrong {last.losses}, of {last.compared}"),
        ("Abstains on", _share_of(last.overall.n - last.overall.scored, last.overall.n)),
        ("Calibration error", _figure(last.ece)),
        ("Position bias", _figure(last.position_bias)),
        ("From the store", _share_of(last.cached, last.cached + max(0, last.overall.n - last.cached))),
    ]
    if last.usd_per_judgment is not None and last.usd_per_judgment > 0:
        facts.append(("A judgment costs", f"{last.usd_per_judgment:.5f} dollars"))
    if last.left_out:
        facts.append(("Left out", f"{last.left_out} answers from before its words or settings changed"))
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    kappa = "no kappa yet" if last.overall.kappa is None else f"kappa {last.overall.kappa:.2f}"
    return card(
        f"Judge: {standing.judge}",
        f'<p class="ns-headline">{kappa} {earned}</p><dl>{listed}</dl>{_budget(standing, last)}',
    )


def _budget(standing: Standing, last: JudgeAudit) -> str:
    """The tokens since the last night began, against the most that a night may take; nothing for a judge without."""
    limit = standing.limits.hard_tokens if standing.limits else None
    if not last.tokens or not limit:
        return ""
    share = min(1.0, standing.spent.tokens / limit)
    usd = f", {standing.spent.usd:.4f} dollars" if standing.spent.usd else ""
    return (
        f'<div class="ns-bar ns-quiet" role="meter" aria-label="Tokens spent" aria-valuemin="0" '
        f'aria-valuemax="{limit}" aria-valuenow="{standing.spent.tokens}"><i style="width:{share:.1%}"></i></div>'
        f'<p class="ns-fine">{standing.spent.tokens:,} of {limit:,} tokens{usd} since the last night began</p>'
    )


def _contradictions(waiting: int) -> str:
    if not waiting:
        return card("To be settled", "<p>The judges contradict each other on nothing that waits for a person.</p>")
    things = "one example" if waiting == 1 else f"{waiting} examples"
    return card(
        "To be settled",
        f"<p>The judges contradict each other on <strong>{things}</strong>. "
        'They come first in <a href="/review">Review</a>.</p>',
    )


def _share_of(part: int, whole: int) -> str:
    return f"{part / whole:.0%} of {whole}" if whole else "nothing to say"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
