"""What is shown of nights: the one that runs, the last one's evidence, and the ones before."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.console.drawing import badge, card, moment, short_id, table
from app.console.learning import learning_curves
from core.evaluation import PRIMARY, SINCE_FROZEN
from core.evaluation.charts import Change, change_chart
from core.evaluation.pairs import Pairs, pair, pairing_fault
from core.evaluation.report import GATE_NAMES
from core.schema import Decision, Evaluation, GateResult, Outcome
from core.services import Workspace, training_steps
from core.services.night import STAGES, night_remarks

__all__ = ["gate_report", "night_steps", "nights_table"]

STAGE_TITLES = {
    "retention": "Let go of old screens",
    "ingest": "Take in feedback",
    "variants": "Make variants",
    "judge": "Ask the judge",
    "train": "Train",
    "evaluate": "Compare",
    "gate": "Decide",
    "frozen": "Look again",
    "promote": "Promote",
    "report": "Report",
}
OUTCOMES = {
    Outcome.PROMOTED: ("promoted", "good", "The challenger beat the champion and took its place"),
    Outcome.REFUSED: ("refused", "bad", "The challenger was refused"),
    Outcome.UNDECIDED: ("undecided", "open", "Not enough evidence: the champion stays"),
}
SHOWN_DOMAINS = 8


def night_steps(night: Mapping[str, Any]) -> str:
    """The stages of a night as a row of steps: done, at work, to come."""
    steps = []
    for stage in STAGES:
        seconds = night["seconds"].get(stage)
        state = "done" if seconds is not None else "now" if night["stage"] == stage else "later"
        told = _seconds(seconds) if seconds is not None else "…" if state == "now" else ""
        steps.append(
            f'<li class="ns-{state}"{" aria-current=step" if state == "now" else ""}><b>{STAGE_TITLES[stage]}</b>'
            f"<span>{told}</span></li>"
        )
    return f'<ol class="ns-steps">{"".join(steps)}</ol>'


def nights_table(nights: Sequence[Mapping[str, Any]]) -> str:
    """Every night in a line, newest first, with its report."""
    if not nights:
        return card("Nights", '<p class="ns-none-yet">No night has run yet.</p>')
    rows = [
        (
            moment(night["at"]),
            _outcome(night),
            escape(str(night["trigger"])),
            _seconds(sum(night["seconds"].values())),
            f'<a href="/v1/nights/{escape(night["run_id"])}/report" target="_blank">report</a>'
            if night["state"] == "finished"
            else escape(str(night.get("why") or "")),
        )
        for night in nights
    ]
    return card("Nights", table(("Started", "Outcome", "Asked by", "Took", ""), rows))


def gate_report(ws: Workspace, decision: Decision | None) -> str:
    """Why the last night promoted its challenger, or did not: in words, gate by gate, and example by example."""
    if decision is None:
        return card(
            "The last night",
            '<p class="ns-none-yet">No night has compared a challenger with the champion yet. '
            "Correct a few verdicts, then run one.</p>",
        )
    word, tone, headline = OUTCOMES[decision.outcome]
    return card(
        "The last night",
        f'<p class="ns-headline">{headline} {badge(word, tone)}</p><p>{escape(decision.reason)}</p>'
        f'<p class="ns-fine">{moment(decision.at)} · challenger {short_id(decision.challenger)} against champion '
        f'{short_id(decision.champion)} · <a href="/v1/nights/{escape(decision.run)}/report" target="_blank">'
        f"the whole report</a></p>{_remarks(ws, decision)}{_changes(ws, decision)}{_gates(decision.gates)}"
        f"{_learning(ws, decision)}",
    )


def _remarks(ws: Workspace, decision: Decision) -> str:
    """Audits that are missing, and challengers that wait for evidence."""
    told = night_remarks(ws, decision.run)
    return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in told)}</ul>" if told else ""


def _learning(ws: Workspace, decision: Decision) -> str:
    curves = learning_curves(training_steps(ws, decision.run))
    return f"<details><summary>How it learnt</summary>{curves}</details>" if curves else ""


def _gates(gates: Sequence[GateResult]) -> str:
    """The primary claim, then what failed, then the rest; what had too little to say can be unfolded."""
    assessed = sorted(
        (gate for gate in gates if gate.passed is not None),
        key=lambda gate: (gate.name != PRIMARY, gate.passed is not False),
    )
    silent = [gate for gate in gates if gate.passed is None]
    unfold = ""
    if silent:
        unfold = (
            f"<details><summary>{len(silent)} more had too little data to say</summary>{_gate_rows(silent)}</details>"
        )
    return f'<div class="ns-gates">{_gate_rows(assessed) if assessed else ""}{unfold}</div>'


def _gate_rows(gates: Sequence[GateResult]) -> str:
    rows = [
        (_gate_name(gate), badge(*_gate_status(gate)), _number(gate.value), _number(gate.bound), escape(gate.note))
        for gate in gates
    ]
    return table(("Check", "Result", "Figure", "Bound", "In words"), rows, numbers=(2, 3))


def _changes(ws: Workspace, decision: Decision) -> str:
    """Mended and broken examples, all together and by domain."""
    by_release = {each.release: each for each in ws.store.find(Evaluation, run=decision.run)}
    champion, challenger = by_release.get(decision.champion), by_release.get(decision.challenger)
    if champion is None or challenger is None or pairing_fault(champion, challenger) is not None:
        return ""
    both = pair(champion, challenger)
    if not len(both):
        return ""
    drawn = change_chart(_by_domain(both), title="Examples broken (left) and mended (right) by the challenger")
    unchanged = len(both) - both.fixes - both.breaks
    return (
        f'<figure class="ns-chart">{drawn}<figcaption>Broken (left) and mended (right) by the challenger, of '
        f"{len(both)} examples labelled by people; {unchanged} did not change.</figcaption></figure>"
    )


def _by_domain(both: Pairs) -> list[Change]:
    changes = {"all examples": [0, 0]}
    for each in both.pairs:
        for group in ("all examples", (each.champion.domain or "other").replace("_", " ")):
            counted = changes.setdefault(group, [0, 0])
            counted[0] += each.difference > 0
            counted[1] += each.difference < 0
    moved = sorted(changes.items(), key=lambda group: (group[0] != "all examples", -sum(group[1])))
    return [Change(name, better, worse) for name, (better, worse) in moved if better + worse or name == "all examples"][
        : SHOWN_DOMAINS + 1
    ]


def _gate_name(gate: GateResult) -> str:
    kind, _, of = gate.name.partition(":")
    if of:
        return escape(f"{'Answer' if kind == 'class' else kind.capitalize()}: {of.replace('_', ' ')}")
    return escape(GATE_NAMES.get(gate.name, gate.name.replace("_", " ").capitalize()))


def _gate_status(gate: GateResult) -> tuple[str, str]:
    if gate.passed is None:
        return "not assessable", "open"
    if gate.name in (PRIMARY, SINCE_FROZEN):
        return ("shown", "good") if gate.passed else ("not shown", "open")
    return ("passed", "good") if gate.passed else ("failed", "bad")


def _outcome(night: Mapping[str, Any]) -> str:
    if night["state"] == "finished" and night["outcome"]:
        return badge(*OUTCOMES[Outcome(night["outcome"])][:2])
    return badge(str(night["state"]), "now" if night["state"] == "running" else "open")


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if abs(value) >= 0.001 or value == 0 else "<0.001"


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"
