"""The gate: is the challenger better than the champion, and does it do harm?

One primary claim, harm checks that block only on evidence of harm (`core.evaluation.harm`), and integrity, which
fails closed. Nothing is promoted on missing evidence, and the same evaluations always give the same decision.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from core.evaluation.harm import harm_checks
from core.evaluation.pairs import MIN_CLUSTERS, Pairs, pair, pairing_fault
from core.evaluation.statistics import difference_ci95, examples_needed, sign_flip_p
from core.schema import Decision, Evaluation, GateResult, Outcome, content_id, now
from core.settings import GateSettings

__all__ = ["PRIMARY", "decide"]

PRIMARY = "better_overall"

MIN_UNCORRECTED_SHARE = 0.2
"Least share of the weight on examples nobody had to correct: without them a break can hardly show."


@dataclass(frozen=True)
class Verdict:
    """What follows from the gates."""

    outcome: Outcome
    reason: str
    more: int | None = None


def decide(
    champion: Evaluation,
    challenger: Evaluation,
    *,
    settings: GateSettings,
    run: str,
    integrity: Sequence[GateResult],
    at: datetime | None = None,
) -> Decision:
    """Promoted, refused or undecided, with every figure.

    Both evaluations hold the same examples, labelled by people: the golden ones, answered by the challenger as saved,
    and feedback that is cross-fitted, each fold answered by a challenger that did not train on it. `integrity` are the
    results of checks of the saved challenger (finite weights, reloads, hash matches); none at all counts as failed.
    The decision's id follows from run, releases, outcome and which gates passed, not from clocks.
    """
    sound = _integrity(champion, challenger, integrity)
    pairs = pair(champion, challenger) if pairing_fault(champion, challenger) is None else None
    evidence = _evidence(pairs, settings) if pairs else []
    verdict = _verdict(sound, evidence, pairs, settings)
    gates = (*sound, *evidence)
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


def _integrity(champion: Evaluation, challenger: Evaluation, integrity: Sequence[GateResult]) -> list[GateResult]:
    """The given results, failed unless they passed with finite figures, and whether the evaluations can be paired."""
    given = [result.model_copy(update={"passed": _is_sound(result)}) for result in integrity]
    if not given:
        note = "no check of the saved challenger was reported"
        given = [GateResult(name="integrity", value=None, bound=None, passed=False, note=note)]
    fault = pairing_fault(champion, challenger)
    note = fault or f"{len(champion.scores)} examples answered by both"
    return [*given, GateResult(name="pairing", value=None, bound=None, passed=fault is None, note=note)]


def _is_sound(result: GateResult) -> bool:
    return result.passed is True and all(math.isfinite(x) for x in (result.value, result.bound) if x is not None)


def _evidence(pairs: Pairs, settings: GateSettings) -> list[GateResult]:
    """The primary claim first, then the harm checks."""
    return [_better_overall(pairs, settings), *harm_checks(pairs, settings)]


def _better_overall(pairs: Pairs, settings: GateSettings) -> GateResult:
    """The primary claim: `value` is the one-sided p-value over clusters, `bound` the level it must not exceed."""
    obstacle = _obstacle(pairs)
    if obstacle is not None:
        return GateResult(name=PRIMARY, value=None, bound=settings.alpha, passed=None, note=obstacle)
    p = sign_flip_p(pairs.sums(), seed=pairs.seed)
    note = f"{_figures(pairs)}; {_p(p)}"
    return GateResult(name=PRIMARY, value=p, bound=settings.alpha, passed=p <= settings.alpha, note=note)


def _obstacle(pairs: Pairs) -> str | None:
    """Why the evidence cannot carry the claim however it looks; None where it can."""
    clusters = len(pairs.sums())
    if clusters < MIN_CLUSTERS:
        return f"only {clusters} independent examples; at least {MIN_CLUSTERS} are needed"
    if _uncorrected_share(pairs) < MIN_UNCORRECTED_SHARE:
        return "nearly all examples were chosen for having been wrong, so any change looks like a mend; audit at random"
    return None


def _uncorrected_share(pairs: Pairs) -> float:
    total = float(pairs.weights.sum())
    corrected = pairs.where(lambda pair: pair.champion.was_wrong)
    return 1.0 - float(pairs.weights[corrected].sum()) / total if total > 0 else 0.0


def _verdict(
    sound: Sequence[GateResult], evidence: Sequence[GateResult], pairs: Pairs | None, settings: GateSettings
) -> Verdict:
    unsound = [gate for gate in sound if gate.passed is not True]
    if unsound:
        return Verdict(Outcome.REFUSED, f"Not safe to serve: {_listed(unsound)}.")
    if not pairs:
        reason = f"No evidence: no example labelled by a person was answered; at least {MIN_CLUSTERS} are needed."
        return Verdict(Outcome.UNDECIDED, reason, MIN_CLUSTERS)
    if pairs.champion == pairs.challenger or not _anything_changed(pairs):
        return Verdict(Outcome.UNDECIDED, f"Nothing changed: the same answers on all {len(pairs)} examples.")
    primary, *harm = evidence
    harmful = [gate for gate in harm if gate.passed is False]
    if harmful:
        return Verdict(Outcome.REFUSED, f"Harm found: {_listed(harmful)}. Overall the challenger {_figures(pairs)}.")
    if primary.passed:
        return Verdict(Outcome.PROMOTED, f"Better on people's labels: it {primary.note}. {_harmless(harm)}")
    return _too_little(pairs, primary) if primary.passed is None else _not_shown(pairs, primary, settings)


def _too_little(pairs: Pairs, primary: GateResult) -> Verdict:
    missing = MIN_CLUSTERS - len(pairs.sums())
    blind = (MIN_UNCORRECTED_SHARE - _uncorrected_share(pairs)) * len(pairs) / (1 - MIN_UNCORRECTED_SHARE)
    more = max(1, missing, math.ceil(blind))
    return Verdict(Outcome.UNDECIDED, f"Too little to go by: {primary.note}. The challenger {pairs.changes()}.", more)


def _not_shown(pairs: Pairs, primary: GateResult, settings: GateSettings) -> Verdict:
    worse_p = sign_flip_p(-pairs.sums(), seed=pairs.seed)
    if worse_p <= settings.alpha:
        return Verdict(Outcome.REFUSED, f"Worse: the challenger {_figures(pairs)}; {_p(worse_p)} that this is chance.")
    if pairs.sums().mean < 0:
        return Verdict(Outcome.REFUSED, f"Rather worse than better: the challenger {_figures(pairs)}.")
    more = examples_needed(pairs.sums(), alpha=settings.alpha)
    if more is None:
        reason = f"No difference so far: the challenger {_figures(pairs)}. More examples alone would not settle it."
        return Verdict(Outcome.UNDECIDED, reason)
    needed = f"{primary.note}, at most {settings.alpha:g} is needed"
    settled = f"About {more} more labelled examples would settle it if they go on like these."
    return Verdict(Outcome.UNDECIDED, f"Better so far, but that can be chance: it {needed}. {settled}", more)


def _anything_changed(pairs: Pairs) -> bool:
    return any(p.difference != 0 or p.champion.answer != p.challenger.answer for p in pairs.pairs)


def _figures(pairs: Pairs) -> str:
    sums = pairs.sums()
    interval = difference_ci95(sums, seed=pairs.seed)
    between = f" (95% between {pairs.amount(interval[0])} and {pairs.amount(interval[1])})" if interval else ""
    return f"{pairs.changes()}, {pairs.amount(sums.mean)}{between}"


def _harmless(harm: Sequence[GateResult]) -> str:
    unknown = sum(gate.passed is None for gate in harm)
    return f"No sign of harm; {unknown} of {len(harm)} checks had too little to say." if unknown else "No sign of harm."


def _listed(gates: Sequence[GateResult]) -> str:
    return "; ".join(f"{gate.name} ({gate.note})" if gate.note else gate.name for gate in gates)


def _p(value: float) -> str:
    return "p below 0.001" if value < 0.001 else f"p = {value:.3f}"
