"""What is shown of nights: their stages, why they promoted or did not, and the list of them."""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.console.drawing import badge, card, moment, short_id, table
from app.console.language import figure, later, say
from app.console.states import nothing_yet
from core.evaluation import PRIMARY, SINCE_FROZEN
from core.evaluation.charts import Change, change_chart
from core.evaluation.report import GATE_NAMES
from core.schema import Decision, GateResult, Outcome
from core.services import Workspace
from core.services.metrics import Taught
from core.services.night import STAGES, night_remarks

__all__ = ["gate_report", "night_outcome", "night_steps", "nights_table", "seconds_in_words"]

COMMAND = re.compile("`([^`]+)`")

STAGE_TITLES = {
    "retention": later("Let go of old screens"),
    "ingest": later("Take in feedback"),
    "variants": later("Make variants"),
    "judge": later("Ask the judge"),
    "train": later("Train"),
    "evaluate": later("Compare"),
    "gate": later("Decide"),
    "frozen": later("Look again"),
    "promote": later("Promote"),
    "report": later("Report"),
}
OUTCOMES = {
    Outcome.PROMOTED: (later("promoted"), "good", later("The challenger beat the champion and took its place")),
    Outcome.REFUSED: (later("refused"), "bad", later("The challenger was refused")),
    Outcome.UNDECIDED: (later("undecided"), "open", later("Not enough evidence: the champion stays")),
}
STATES = {
    "running": (later("at work"), "now"),
    "finished": (later("finished"), "good"),
    "abandoned": (later("given up"), "bad"),
}
GROUPS = {"class": later("Answer: {name}"), "domain": later("Kind of work: {name}")}
SHOWN_DOMAINS = 8


def night_steps(night: Mapping[str, Any]) -> str:
    """The stages of a night as a row of steps: done, at work, to come."""
    steps = []
    for stage in STAGES:
        seconds = night["seconds"].get(stage)
        state = "done" if seconds is not None else "now" if night["stage"] == stage else "later"
        told = seconds_in_words(seconds) if seconds is not None else "…" if state == "now" else ""
        steps.append(
            f'<li class="ns-{state}"{" aria-current=step" if state == "now" else ""}><b>{say(STAGE_TITLES[stage])}</b>'
            f"<span>{told}</span></li>"
        )
    return f'<ol class="ns-steps">{"".join(steps)}</ol>'


def nights_table(nights: Sequence[Mapping[str, Any]], runs: str) -> str:
    """Every night in a line, newest first; each leads to itself on the page at the address `runs`."""
    title = say("Nights")
    if not nights:
        return card(title, nothing_yet(say("No night has run yet.")))
    rows = [
        (
            f'<a href="{runs}?night={escape(night["run_id"])}">{moment(night["at"])}</a>',
            night_outcome(night),
            seconds_in_words(sum(night["seconds"].values())),
        )
        for night in nights
    ]
    return card(title, table((say("Started"), say("Outcome"), say("Took")), rows))


def gate_report(ws: Workspace, decision: Decision | None, taught: Taught | None, *, title: str) -> str:
    """Why a night promoted its challenger, or did not: in words, gate by gate, and how many examples changed."""
    if decision is None:
        text = say("No night has compared a challenger with the champion yet. Correct a few verdicts, then run one.")
        return card(title, nothing_yet(text))
    word, tone, headline = OUTCOMES[decision.outcome]
    about = say(
        "challenger {challenger} against champion {champion}",
        challenger=short_id(decision.challenger),
        champion=short_id(decision.champion),
    )
    return card(
        title,
        f'<p class="ns-headline">{say(headline)} {badge(say(word), tone)}</p><p>{escape(decision.reason)}</p>'
        f'<p class="ns-fine">{moment(decision.at)} · {about} · <a href="/v1/nights/{escape(decision.run)}/report" '
        f'target="_blank">{say("the whole report")}</a></p>{_remarks(ws, decision)}{_changes(taught)}'
        f"{_gates(decision.gates)}",
    )


def night_outcome(night: Mapping[str, Any]) -> str:
    """How a night stands, in a word."""
    if night["state"] == "finished" and night["outcome"]:
        word, tone, _ = OUTCOMES[Outcome(night["outcome"])]
        return badge(say(word), tone)
    word, tone = STATES[night["state"]]
    return badge(say(word), tone)


def seconds_in_words(seconds: float) -> str:
    """A duration."""
    if seconds < 60:
        return f"{figure(seconds, '.1f')} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def _remarks(ws: Workspace, decision: Decision) -> str:
    """Audits that are missing, and challengers that wait for evidence."""
    told = night_remarks(ws, decision.run)
    items = (COMMAND.sub(r"<code>\1</code>", escape(each)) for each in told)
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f'<ul class="ns-remarks">{listed}</ul>' if told else ""


def _gates(gates: Sequence[GateResult]) -> str:
    """The primary claim, then what failed, then the rest; what had too little to say can be unfolded."""
    assessed = sorted(
        (gate for gate in gates if gate.passed is not None),
        key=lambda gate: (gate.name != PRIMARY, gate.passed is not False),
    )
    silent = [gate for gate in gates if gate.passed is None]
    unfold = ""
    if silent:
        told = say("{n} more had too little data to say", n=len(silent))
        unfold = f"<details><summary>{told}</summary>{_gate_rows(silent)}</details>"
    return f'<div class="ns-gates">{_gate_rows(assessed) if assessed else ""}{unfold}</div>'


def _gate_rows(gates: Sequence[GateResult]) -> str:
    rows = [
        (_gate_name(gate), badge(*_gate_status(gate)), _number(gate.value), _number(gate.bound), escape(gate.note))
        for gate in gates
    ]
    return table((say("Check"), say("Result"), say("Figure"), say("Bound"), say("In words")), rows, numbers=(2, 3))


def _changes(taught: Taught | None) -> str:
    """Mended and broken examples, all together and by domain."""
    if taught is None or not taught.n:
        return ""
    drawn = change_chart(_by_domain(taught), title=say("Examples broken (left) and mended (right) by the challenger"))
    told = say(
        "Broken (left) and mended (right) by the challenger, of {n} examples labelled by people; {unchanged} did not "
        "change.",
        n=taught.n,
        unchanged=taught.n - sum(each.mended + each.broken for each in taught.groups),
    )
    return f'<figure class="ns-chart">{drawn}<figcaption>{told}</figcaption></figure>'


def _by_domain(taught: Taught) -> list[Change]:
    mended, broken = (sum(getattr(each, name) for each in taught.groups) for name in ("mended", "broken"))
    moved = sorted((each for each in taught.groups if each.mended + each.broken), key=lambda g: -(g.mended + g.broken))
    groups = [Change(_plain(each.domain), each.mended, each.broken) for each in moved[:SHOWN_DOMAINS]]
    return [Change(say("all examples"), mended, broken), *groups]


def _gate_name(gate: GateResult) -> str:
    kind, _, of = gate.name.partition(":")
    if of:
        return escape(say(GROUPS.get(kind, "{name}"), name=_plain(of)))
    return escape(say(GATE_NAMES.get(gate.name, _plain(gate.name).capitalize())))


def _gate_status(gate: GateResult) -> tuple[str, str]:
    if gate.passed is None:
        return say("not assessable"), "open"
    if gate.name in (PRIMARY, SINCE_FROZEN):
        return (say("shown"), "good") if gate.passed else (say("not shown"), "open")
    return (say("passed"), "good") if gate.passed else (say("failed"), "bad")


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return figure(value, ".4g") if abs(value) >= 0.001 or value == 0 else f"<{figure(0.001, 'g')}"


def _plain(name: str) -> str:
    return (name or say("other")).replace("_", " ")
