"""The page a person reads in the morning, and the same in a few lines of markdown.

The page stands alone: no script, no font, no picture from elsewhere. Whatever comes from data is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from importlib.resources import files

from pydantic import JsonValue

from core.evaluation.charts import Change, Share, change_chart, share_chart
from core.evaluation.gate import PRIMARY
from core.evaluation.metrics import Summary, summarise
from core.evaluation.pairs import Pair, Pairs, pair, pairing_fault
from core.evaluation.waiting import SINCE_FROZEN
from core.schema import Decision, Evaluation, GateResult, Outcome, Run, StageResult

__all__ = ["render_report", "render_summary"]

LISTED_CHANGES = 200
HEADLINES = {
    Outcome.PROMOTED: ("The challenger beat the champion", "good"),
    Outcome.REFUSED: ("The challenger was refused", "bad"),
    Outcome.UNDECIDED: ("The champion stays for now", "open"),
}
GATE_NAMES = {
    PRIMARY: "Better overall",
    SINCE_FROZEN: "Better since it was frozen",
    "pairing": "Same examples on both sides",
    "forgetting": "Old corrections kept",
    "calibration": "Stated confidence fits",
    "abstention": "Dares as many verdicts",
    "hostile": "Text on screens turns no verdict",
    "latency": "Speed",
    "memory": "Memory",
}


@dataclass(frozen=True)
class Night:
    """Everything the page is made of."""

    run: Run
    decision: Decision
    champion: Evaluation
    challenger: Evaluation
    stages: Sequence[StageResult] = ()
    describe: Mapping[str, str] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    "What else a person should know in the morning, a sentence or two each."

    @cached_property
    def pairs(self) -> Pairs | None:
        """The pairs, or None where the evaluations cannot be paired or are empty."""
        if pairing_fault(self.champion, self.challenger) is not None or not self.champion.scores:
            return None
        return pair(self.champion, self.challenger)

    @cached_property
    def changed(self) -> list[Pair]:
        """Pairs with another answer or score: breaks first, then mends, then the rest."""
        moved = [
            p for p in (self.pairs.pairs if self.pairs else ()) if p.difference or _answers(p)[0] != _answers(p)[1]
        ]
        return sorted(moved, key=lambda p: (p.difference == 0, p.difference, p.champion.example))

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)

    def about(self, example: str) -> str:
        return self.describe.get(example, example[:12])


def render_report(
    run: Run,
    decision: Decision,
    champion: Evaluation,
    challenger: Evaluation,
    stages: Sequence[StageResult] = (),
    *,
    describe: Mapping[str, str] | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """A self-contained HTML page for light and dark. `describe` says in words what an example id is about, `remarks`
    what else there is to know."""
    night = Night(run, decision, champion, challenger, stages, describe or {}, remarks)
    style = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    title = escape(f"{run.environment}: {decision.outcome.value}, {decision.at:%d %B %Y}")
    body = "".join(
        (
            _head(night),
            _tiles(night),
            _remarks(night),
            _figures(night),
            _gates(decision),
            _changes(night),
            _stages(night),
            _foot(night),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head><body><main>{body}</main></body></html>\n"
    )


def render_summary(
    run: Run,
    decision: Decision,
    champion: Evaluation,
    challenger: Evaluation,
    stages: Sequence[StageResult] = (),
    *,
    describe: Mapping[str, str] | None = None,
    remarks: Sequence[str] = (),
) -> str:
    """The same in short, as markdown that also reads as plain text."""
    night = Night(run, decision, champion, challenger, stages, describe or {}, remarks)
    before, after = summarise(champion.scores), summarise(challenger.scores)
    lines = [
        f"# {HEADLINES[decision.outcome][0]} ({_plain(run.environment)}, {decision.at:%Y-%m-%d %H:%M} UTC)",
        "",
        _plain(decision.reason),
        "",
        f"- Champion {_share(before)}, challenger {_share(after)}, on {after.n} examples labelled by people",
        f"- It took {_duration(night.seconds)}: "
        + (", ".join(f"{_plain(s.stage)} {_duration(s.seconds)}" for s in stages) or "no stage was timed"),
        *(f"- {_plain(remark)}" for remark in night.remarks),
        *(f"- {_plain(stage.stage)}: {_plain(_told(stage))}" for stage in stages if _told(stage)),
        "",
        "| check | result | figures |",
        "| --- | --- | --- |",
        *(f"| {_plain(_gate_name(g))} | {_status(g)[0]} | {_plain(g.note or _bounded(g))} |" for g in decision.gates),
    ]
    changed = night.changed
    if changed:
        lines += ["", f"{len(changed)} verdicts changed:", ""]
        lines += [f"- {_plain(_change_in_words(night, p))}" for p in changed[:20]]
        lines += [f"- and {len(changed) - 20} more"] if len(changed) > 20 else []
    return "\n".join(lines) + "\n"


def _head(night: Night) -> str:
    headline, tone = HEADLINES[night.decision.outcome]
    return (
        f'<header><p class="kicker">Night report · {escape(night.run.environment)} · '
        f"{night.decision.at:%A %d %B %Y, %H:%M} UTC</p>"
        f'<h1>{headline} <span class="badge {tone}">{night.decision.outcome.value}</span></h1>'
        f'<p class="reason">{escape(night.decision.reason)}</p></header>'
    )


def _tiles(night: Night) -> str:
    before, after = summarise(night.champion.scores), summarise(night.challenger.scores)
    measure = "right" if night.pairs is None or night.pairs.right_or_wrong else "mean score"
    tiles = [(f"champion {measure}", _share(before)), (f"challenger {measure}", _share(after))]
    if night.pairs:
        tiles += [("mended", str(night.pairs.fixes)), ("broken", str(night.pairs.breaks))]
    tiles.append(("examples labelled by people", str(after.n)))
    if night.decision.more_examples_needed is not None:
        tiles.append(("more would settle it, about", str(night.decision.more_examples_needed)))
    tiles.append(("the night took", _duration(night.seconds)))
    drawn = (f'<div class="tile"><b>{escape(value)}</b><span>{label}</span></div>' for label, value in tiles)
    return f'<div class="tiles">{"".join(drawn)}</div>'


def _remarks(night: Night) -> str:
    if not night.remarks:
        return ""
    lines = "".join(f"<li>{escape(remark)}</li>" for remark in night.remarks)
    return f"<section><h2>For you to know</h2><ul>{lines}</ul></section>"


def _figures(night: Night) -> str:
    if night.pairs is None or not night.pairs.right_or_wrong:
        return ""
    shares = [
        _as_share("champion", summarise(night.champion.scores), better=None),
        _as_share("challenger", summarise(night.challenger.scores), better=night.pairs.fixes >= night.pairs.breaks),
    ]
    groups = _groups(night.pairs)
    left = share_chart([s for s in shares if s], title="Share right of champion and challenger, 95% intervals")
    right = change_chart(groups, title="Examples broken and mended")
    return (
        "<section><h2>Right on people's labels</h2>"
        f"<figure>{left}<figcaption>Every example counts once here, with 95% intervals over near-duplicates; "
        "the gate also weighs examples by how they were chosen.</figcaption></figure>"
        "</section>"
        f"<section><h2>Broken (left) and mended (right)</h2><figure>{right}</figure></section>"
    )


def _gates(decision: Decision) -> str:
    rows = []
    for gate in decision.gates:
        status, tone = _status(gate)
        rows.append(
            f'<tr><td>{escape(_gate_name(gate))}</td><td><span class="badge {tone}">{status}</span></td>'
            f'<td class="number">{_number(gate.value)}</td><td class="number">{_number(gate.bound)}</td>'
            f'<td class="wide">{escape(gate.note)}</td></tr>'
        )
    head = '<th>check</th><th>result</th><th class="number">figure</th><th class="number">bound</th><th>in words</th>'
    return f"<section><h2>What the gate checked</h2>{_table(head, rows)}</section>"


def _changes(night: Night) -> str:
    changed = night.changed
    if not changed:
        return "<section><h2>Verdicts that changed</h2><p>None.</p></section>"
    rows = []
    for p in changed[:LISTED_CHANGES]:
        word, tone = _change_word(p)
        before, after = _answers(p)
        rows.append(
            f'<tr><td><span class="badge {tone}">{word}</span></td>'
            f'<td class="wide">{escape(night.about(p.champion.example))}</td><td>{escape(before)}</td>'
            f"<td>{escape(after)}</td><td>{escape(_answer(p.champion.expected))}</td>"
            f"<td>{escape(p.champion.domain or '')}</td></tr>"
        )
    head = "<th></th><th>example</th><th>champion said</th><th>challenger says</th><th>right is</th><th>domain</th>"
    rest = len(changed) - LISTED_CHANGES
    aside = f'<p class="aside">And {rest} more.</p>' if rest > 0 else ""
    return f"<section><h2>Verdicts that changed ({len(changed)})</h2>{_table(head, rows)}{aside}</section>"


def _stages(night: Night) -> str:
    if not night.stages:
        return ""
    rows = [
        f'<tr><td>{escape(stage.stage)}</td><td class="number">{_duration(stage.seconds)}</td>'
        f'<td class="wide">{escape(_told(stage))}</td></tr>'
        for stage in night.stages
    ]
    head = '<th>stage</th><th class="number">time</th><th>what came of it</th>'
    return f"<section><h2>What was learnt, and what it cost</h2>{_table(head, rows)}</section>"


def _foot(night: Night) -> str:
    run, decision = night.run, night.decision
    versions = ", ".join(f"{name} {version}" for name, version in sorted(run.versions.items()))
    facts = [
        ("run", run.id),
        ("seed", str(run.seed)),
        ("champion", decision.champion),
        ("challenger", decision.challenger),
        ("decision", decision.id),
        ("libraries", versions),
    ]
    lines = "<br>".join(f"{name} <code>{escape(value)}</code>" for name, value in facts if value)
    return f"<footer>{lines}</footer>"


def _groups(pairs: Pairs) -> list[Change]:
    """All examples, then the domains in which anything changed, most changes first, at most 15."""
    domains: dict[str, list[Pair]] = {}
    for p in pairs.pairs:
        domains.setdefault(p.champion.domain or "", []).append(p)
    named = [_change(name, members) for name, members in sorted(domains.items()) if name]
    moved = sorted((c for c in named if c.better or c.worse), key=lambda c: -(c.better + c.worse))
    return [_change("all examples", pairs.pairs), *moved[:15]]


def _change(label: str, members: Iterable[Pair]) -> Change:
    differences = [p.difference for p in members]
    return Change(label, sum(d > 0 for d in differences), sum(d < 0 for d in differences))


def _as_share(label: str, summary: Summary, *, better: bool | None) -> Share | None:
    if summary.accuracy is None or summary.ci95 is None:
        return None
    return Share(
        label, summary.accuracy, *summary.ci95, tone="plain" if better is None else "better" if better else "worse"
    )


def _change_word(p: Pair) -> tuple[str, str]:
    if p.difference == 0:
        return "changed", "open"
    return ("mended", "good") if p.difference > 0 else ("broken", "bad")


def _change_in_words(night: Night, p: Pair) -> str:
    before, after = _answers(p)
    right = _answer(p.champion.expected)
    return f"{_change_word(p)[0]}: {night.about(p.champion.example)} ({before} -> {after}; right is {right})"


def _status(gate: GateResult) -> tuple[str, str]:
    """The result in words, and its tone. Not showing the primary claim is no failure."""
    if gate.passed is None:
        return "not assessable", "open"
    if gate.name in (PRIMARY, SINCE_FROZEN):
        return ("shown", "good") if gate.passed else ("not shown", "open")
    return ("passed", "good") if gate.passed else ("failed", "bad")


def _gate_name(gate: GateResult) -> str:
    kind, _, of = gate.name.partition(":")
    if of:
        return f"{'Answer' if kind == 'class' else kind.capitalize()}: {of}"
    return GATE_NAMES.get(gate.name, gate.name.replace("_", " ").capitalize())


def _told(stage: StageResult) -> str:
    """The stage's plain figures; ids and lists stay in the store."""
    short = {name: value for name, value in stage.result.items() if isinstance(value, (bool, int, float))}
    return ", ".join(f"{name.replace('_', ' ')} {_answer(value)}" for name, value in short.items())


def _answers(p: Pair) -> tuple[str, str]:
    return _answer(p.champion.answer), _answer(p.challenger.answer)


def _answer(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    return "-" if value is None else str(value)


def _bounded(gate: GateResult) -> str:
    return "" if gate.value is None else f"{_number(gate.value)} (bound {_number(gate.bound)})"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    if value == round(value) or abs(value) >= 1:
        return f"{value:.5g}"
    return f"{value:.3f}" if abs(value) >= 0.001 else "<0.001" if value > 0 else ">-0.001"


def _share(summary: Summary) -> str:
    return "–" if summary.accuracy is None else f"{summary.accuracy:.1%}"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def _table(head: str, rows: Iterable[str]) -> str:
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _plain(text: str) -> str:
    """Text on one line that markdown takes for text."""
    one_line = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\|<>`*_[]" else c for c in one_line)
