"""The gate: is the challenger better than the champion, and does it do harm?

One primary claim, harm checks that block only on evidence of harm (`core.evaluation.harm`), and integrity, which
fails closed. Nothing is promoted on missing evidence, and the same evaluations always give the same decision. The
claim about tonight's challenger is tested on all evidence, at a level that repeated looks use up
(`core.evaluation.looks`); the one about a frozen challenger on what was labelled since (`core.evaluation.waiting`).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from core.evaluation.harm import harm_checks
from core.evaluation.looks import Look, look
from core.evaluation.pairs import MIN_CLUSTERS, Pairs, pair, pairing_fault
from core.evaluation.selection import MIN_BLIND
from core.evaluation.statistics import examples_needed, sign_flip_p
from core.schema import Decision, Evaluation, GateResult, Outcome, content_id, now
from core.settings import GateSettings

__all__ = ["PRIMARY", "Claim", "Verdict", "conclude", "decide"]

PRIMARY = "better_overall"

MIN_UNCORRECTED_SHARE = 0.2
"Least share of the weight on examples nobody had to correct: without them a break can hardly show."


@dataclass(frozen=True)
class Verdict:
    """What follows from the gates."""

    outcome: Outcome
    reason: str
    more: int | None = None


@dataclass(frozen=True)
class Claim:
    """That the challenger is better, and what follows where that is not shown."""

    gate: GateResult
    otherwise: Callable[[], Verdict]


def decide(
    champion: Evaluation,
    challenger: Evaluation,
    *,
    settings: GateSettings,
    run: str,
    integrity: Sequence[GateResult],
    earlier: Decision | None = None,
    at: datetime | None = None,
) -> Decision:
    """Promoted, refused or undecided, with every figure.

    Both evaluations hold the same examples, labelled by people: the golden ones, answered by the challenger as saved,
    and feedback that is cross-fitted, each fold answered by a challenger that did not train on it. `integrity` are the
    results of checks of the saved challenger (finite weights, reloads from disk); none at all counts as failed.
    `earlier` is the last decision that looked at the evidence about this champion.
    The decision's id follows from run, releases, outcome and which gates passed, not from clocks.
    """
    fault = pairing_fault(champion, challenger)
    pairs = pair(champion, challenger) if fault is None else None
    looked = look(pairs, earlier, settings.alpha) if pairs and _obstacle(pairs) is None else None
    claim = _better_overall(pairs, looked, settings) if pairs else None
    spent, looks = (looked.spent, looked.number) if looked else (earlier.spent, earlier.looks) if earlier else (0.0, 0)
    decision = conclude(
        (champion, challenger), fault, pairs, claim, settings=settings, run=run, integrity=integrity, at=at
    )
    return decision.model_copy(update={"spent": spent, "looks": looks})


def conclude(
    sides: tuple[Evaluation, Evaluation],
    fault: str | None,
    pairs: Pairs | None,
    claim: Claim | None,
    *,
    settings: GateSettings,
    run: str,
    integrity: Sequence[GateResult],
    at: datetime | None = None,
) -> Decision:
    """The decision that integrity, a claim and the harm checks over all pairs come to."""
    champion, challenger = sides
    sound = _integrity(champion, fault, integrity)
    harm = harm_checks(pairs, settings) if pairs else []
    verdict = _verdict(sound, pairs, claim, harm)
    gates = (*sound, *([claim.gate] if claim else []), *harm)
    passed: list[JsonValue] = [[gate.name, gate.passed] for gate in gates]
    return Decision(
        id=content_id("decision", run, champion.release, challenger.release, verdict.outcome.value, passed),
        at=at or now(),
        environment=champion.environment,
        run=run,
        champion=champion.release,
        challenger=challenger.release,
        gates=gates,
        outcome=verdict.outcome,
        reason=verdict.reason,
        more_examples_needed=verdict.more,
    )


def _integrity(champion: Evaluation, fault: str | None, integrity: Sequence[GateResult]) -> list[GateResult]:
    """The given results, failed unless they passed with finite figures, and whether the evaluations can be paired."""
    given = [result.model_copy(update={"passed": _is_sound(result)}) for result in integrity]
    if not given:
        note = "no check of the saved challenger was reported"
        given = [GateResult(name="integrity", value=None, bound=None, passed=False, note=note)]
    note = fault or f"{len(champion.scores)} examples answered by both"
    return [*given, GateResult(name="pairing", value=None, bound=None, passed=fault is None, note=note)]


def _is_sound(result: GateResult) -> bool:
    return result.passed is True and all(math.isfinite(x) for x in (result.value, result.bound) if x is not None)


def _better_overall(pairs: Pairs, looked: Look | None, settings: GateSettings) -> Claim:
    """The claim about tonight's challenger: `value` is the one-sided p-value over clusters, `bound` tonight's level."""
    if looked is None:
        note = _obstacle(pairs) or ""
        gate = GateResult(name=PRIMARY, value=None, bound=settings.alpha, passed=None, note=note)
        return Claim(gate, lambda: _too_little(pairs, gate))
    p = sign_flip_p(pairs.all_sums, seed=pairs.seed)
    note = f"{_figures(pairs)}; {_p(p)}"
    gate = GateResult(name=PRIMARY, value=p, bound=looked.level, passed=p <= looked.level, note=note)
    return Claim(gate, lambda: _not_shown(pairs, gate, looked))


def _obstacle(pairs: Pairs) -> str | None:
    """Why the evidence cannot carry the claim however it looks; None where it can."""
    clusters = len(pairs.all_sums)
    if pairs.lacks_blind:
        return f"fewer than {MIN_BLIND} blind audits or imports say how often the champion is wrong; audit at random"
    if clusters < MIN_CLUSTERS:
        return f"only {clusters} independent examples; at least {MIN_CLUSTERS} are needed"
    if _uncorrected_share(pairs) < MIN_UNCORRECTED_SHARE:
        return "nearly all examples were chosen for having been wrong, so any change looks like a mend; audit at random"
    return None


def _uncorrected_share(pairs: Pairs) -> float:
    total = float(pairs.weights.sum())
    return 1.0 - float(pairs.weights[pairs.was_wrong].sum()) / total if total > 0 else 0.0


def _verdict(
    sound: Sequence[GateResult], pairs: Pairs | None, claim: Claim | None, harm: Sequence[GateResult]
) -> Verdict:
    unsound = [gate for gate in sound if gate.passed is not True]
    if unsound:
        return Verdict(Outcome.REFUSED, f"Not safe to serve: {_listed(unsound)}.")
    if not pairs or claim is None:
        reason = f"No evidence: no example labelled by a person was answered; at least {MIN_CLUSTERS} are needed."
        return Verdict(Outcome.UNDECIDED, reason, MIN_CLUSTERS)
    if pairs.champion == pairs.challenger or not _anything_changed(pairs):
        return Verdict(Outcome.UNDECIDED, f"Nothing changed: the same answers on all {len(pairs)} examples.")
    harmful = [gate for gate in harm if gate.passed is False]
    if harmful:
        return Verdict(Outcome.REFUSED, f"Harm found: {_listed(harmful)}. Overall the challenger {_figures(pairs)}.")
    if claim.gate.passed:
        return Verdict(Outcome.PROMOTED, f"Better on people's labels: it {claim.gate.note}. {_harmless(harm)}")
    return claim.otherwise()


def _too_little(pairs: Pairs, primary: GateResult) -> Verdict:
    missing = MIN_CLUSTERS - len(pairs.all_sums)
    blind = (MIN_UNCORRECTED_SHARE - _uncorrected_share(pairs)) * len(pairs) / (1 - MIN_UNCORRECTED_SHARE)
    more = max(1, missing, math.ceil(blind), MIN_BLIND if pairs.lacks_blind else 0)
    return Verdict(Outcome.UNDECIDED, f"Too little to go by: {primary.note}. The challenger {pairs.changes()}.", more)


def _not_shown(pairs: Pairs, primary: GateResult, looked: Look) -> Verdict:
    sums = pairs.all_sums
    worse_p = sign_flip_p(-sums, seed=pairs.seed)
    if worse_p <= looked.level:
        return Verdict(Outcome.REFUSED, f"Worse: the challenger {_figures(pairs)}; {_p(worse_p)} that this is chance.")
    if sums.mean < 0:
        return Verdict(Outcome.REFUSED, f"Rather worse than better: the challenger {_figures(pairs)}.")
    more = examples_needed(sums, alpha=looked.level)
    if more is None:
        reason = f"No difference so far: the challenger {_figures(pairs)}. More examples alone would not settle it."
        return Verdict(Outcome.UNDECIDED, reason)
    before = looked.number - 1
    why = f", as these examples were looked at {before} {'time' if before == 1 else 'times'} before" if before else ""
    needed = f"{primary.note}, at most {looked.level:.3f} is needed{why}"
    settled = f"About {more} more labelled examples would settle it if they go on like these"
    by_doubt = f", or about {_of_changed(pairs, more)} of those on which the two disagree"
    return Verdict(Outcome.UNDECIDED, f"Better so far, but that can be chance: it {needed}. {settled}{by_doubt}.", more)


def _of_changed(pairs: Pairs, more: int) -> int:
    """How many of `more` examples are among those that the two answer differently, which alone count."""
    seen = pairs.weights > 0
    share = float(pairs.weights[(pairs.differences != 0) & seen].sum()) / float(pairs.weights[seen].sum())
    return max(1, math.ceil(more * share))


def _anything_changed(pairs: Pairs) -> bool:
    return any(p.difference != 0 or p.champion.answer != p.challenger.answer for p in pairs.pairs)


def _figures(pairs: Pairs) -> str:
    interval = pairs.interval
    between = f" (95% between {pairs.amount(interval[0])} and {pairs.amount(interval[1])})" if interval else ""
    return f"{pairs.changes()}, {pairs.amount(pairs.all_sums.mean)}{between}"


def _harmless(harm: Sequence[GateResult]) -> str:
    unknown = sum(gate.passed is None for gate in harm)
    return f"No sign of harm; {unknown} of {len(harm)} checks had too little to say." if unknown else "No sign of harm."


def _listed(gates: Sequence[GateResult]) -> str:
    return "; ".join(f"{gate.name} ({gate.note})" if gate.note else gate.name for gate in gates)


def _p(value: float) -> str:
    return "p below 0.001" if value < 0.001 else f"p = {value:.3f}"
