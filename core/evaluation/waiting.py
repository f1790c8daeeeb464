"""The claim about a frozen challenger: better on what people labelled since it was frozen.

It has not trained on any of that, and the champion answered it before anybody said what is right: test, then train.
The evidence is one challenger's against one champion. Evidence of another challenger, or from before it was frozen,
is never multiplied with it: each has a test martingale of its own (`core.evaluation.betting`).
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from core.evaluation.betting import FRACTIONS_F, bets, e_value, lower_bound
from core.evaluation.gate import PRIMARY, Claim, Verdict, conclude
from core.evaluation.looks import FROZEN_SHARE
from core.evaluation.pairs import BLIND, Pairs, pair, pairing_fault
from core.schema import Decision, Evaluation, GateResult, Outcome
from core.settings import GateSettings

__all__ = ["SINCE_FROZEN", "decide_frozen", "frozen_level", "is_promising"]

SINCE_FROZEN = "better_since_frozen"
MIN_FRESH = 30
"With as many independent examples and more losses than gains, waiting on is in vain."


def frozen_level(settings: GateSettings) -> float:
    """The level of one frozen challenger: the part of `alpha` that its first test left, and `alpha` for all that wait
    at a time together (Bonferroni)."""
    return settings.alpha * min(FROZEN_SHARE, 1 / settings.frozen_at_once)


def is_promising(decision: Decision) -> bool:
    """Whether the challenger looks better and does no harm, and only evidence is lacking: such a one is frozen."""
    primary = next((gate for gate in decision.gates if gate.name == PRIMARY), None)
    assessed = primary is not None and primary.passed is False
    return assessed and decision.outcome is Outcome.UNDECIDED and decision.more_examples_needed is not None


def decide_frozen(
    champion: Evaluation,
    challenger: Evaluation,
    *,
    settings: GateSettings,
    run: str,
    integrity: Sequence[GateResult],
    at: datetime | None = None,
) -> Decision:
    """As `decide`, but the claim rests on the examples marked fresh alone; harm is looked for in all of them.

    Both sides answered golden examples and whatever was labelled since the challenger was frozen.
    """
    fault = pairing_fault(champion, challenger)
    pairs = pair(champion, challenger) if fault is None else None
    claim = _better_since(pairs, settings) if pairs else None
    return conclude((champion, challenger), fault, pairs, claim, settings=settings, run=run, integrity=integrity, at=at)


def _better_since(pairs: Pairs, settings: GateSettings) -> Claim:
    """`value` is the e-value, `bound` what it has to reach."""
    # How often the champion is wrong is no evidence about the challenger: older blind examples may say it too.
    known = pairs.of_mistakes.at_least if pairs.of_mistakes else None
    fresh = replace(pairs, pairs=tuple(each for each in pairs.pairs if each.champion.fresh), known_share=known)
    laid_C = bets(fresh.all_sums) if fresh.pairs else np.zeros(0)
    level = frozen_level(settings)
    found, needed = e_value(laid_C), 1 / level
    note = f"{fresh.changes()} labelled since, evidence {found:.3g} of {needed:.3g}{_at_least(fresh)}"
    gate = GateResult(name=SINCE_FROZEN, value=found, bound=needed, passed=found >= needed, note=note)
    return Claim(gate, lambda: _waits(laid_C, gate, needed))


def _at_least(fresh: Pairs) -> str:
    """What examples that were drawn blindly, on which alone a difference in points can be stated, bound it by."""
    blind = fresh.where(lambda each: each.champion.chosen_by in BLIND)
    if not blind.any():
        return ""
    lowest = lower_bound(bets(fresh.sums(blind)), level=0.05)
    return f"; on the {int(blind.sum())} drawn blindly at least {fresh.amount(lowest)} (95%, whenever one looks)"


def _waits(laid_C: np.ndarray, gate: GateResult, needed: float) -> Verdict:
    if e_value(-laid_C) >= needed:
        return Verdict(Outcome.REFUSED, f"Worse since it was frozen: it {gate.note}.")
    if len(laid_C) >= MIN_FRESH and laid_C.mean() <= 0:
        return Verdict(Outcome.REFUSED, f"No better since it was frozen: it {gate.note}.")
    more = _clusters_needed(laid_C, needed)
    settled = f" About {more} more independent examples like these would settle it." if more else ""
    return Verdict(Outcome.UNDECIDED, f"Waits for evidence: it {gate.note}.{settled}", more)


def _clusters_needed(laid_C: np.ndarray, needed: float) -> int | None:
    """How many more clusters the best of the bets needs at the growth it had; None where it had none.

    The fortune of the mixture is at least the best bettor's divided by their number.
    """
    growth = float(np.log1p(np.outer(FRACTIONS_F, laid_C)).mean(axis=1).max()) if len(laid_C) else 0.0
    if growth <= 0:
        return None
    return max(1, math.ceil((math.log(needed) - math.log(e_value(laid_C))) / growth))
