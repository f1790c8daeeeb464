"""An answer that costs more than others where it is wrong: how often a challenger gives it so, domain by domain."""

from collections.abc import Sequence

from scipy import stats

from core.evaluation.pairs import Pair, Pairs
from core.schema import GateResult, ItemScore
from core.settings import GateSettings

__all__ = ["costly_answers"]


def costly_answers(pairs: Pairs, settings: GateSettings) -> list[GateResult]:
    """Whether `gate.costly_answer` may be given wrongly more often than `gate.costly_rate` in any domain.

    `value` is the one-sided upper bound of that share among independent examples of which it is wrong (Clopper and
    Pearson, Biometrika 26, 1934), at level `harm_alpha`. Where even a faultless record would be too short to show that
    it is low, nothing can be said, unless its lower bound shows that it is high, or it was seen more often than that
    and more often than of the champion.
    """
    if not settings.costly_answer:
        return []
    wrong_of: dict[str, list[Pair]] = {}
    for pair in pairs.pairs:
        if pair.challenger.expected not in (None, settings.costly_answer):
            wrong_of.setdefault(pair.challenger.domain or "all", []).append(pair)
    return [_bounded(name, wrong_of[name], settings) for name in sorted(wrong_of)]


def _bounded(name: str, pairs: Sequence[Pair], settings: GateSettings) -> GateResult:
    answer = settings.costly_answer
    n, given = _clusters([pair.challenger for pair in pairs], answer)
    _, before = _clusters([pair.champion for pair in pairs], answer)
    upper, lower = _upper(given, n, settings.harm_alpha), _lower(given, n, settings.harm_alpha)
    note = f"{answer} on {given} of {n} independent examples of which it is wrong; the champion on {before}"
    passed: bool | None = upper <= settings.costly_rate
    if _upper(0, n, settings.harm_alpha) > settings.costly_rate:
        seen_more = given > before and given / n > settings.costly_rate
        passed = False if seen_more or lower > settings.costly_rate else None
    if passed is None:
        note += "; too few to say that it is rare enough"
    return GateResult(name=f"false {answer}:{name}", value=upper, bound=settings.costly_rate, passed=passed, note=note)


def _clusters(items: Sequence[ItemScore], answer: str) -> tuple[int, int]:
    """Independent examples, and on how many of them the answer is given."""
    clusters = {item.cluster or item.example: False for item in items}
    for item in items:
        clusters[item.cluster or item.example] |= item.answer == answer
    return len(clusters), sum(clusters.values())


def _upper(given: int, n: int, alpha: float) -> float:
    return 1.0 if given == n else float(stats.beta.ppf(1 - alpha, given + 1, n - given))


def _lower(given: int, n: int, alpha: float) -> float:
    return 0.0 if given == 0 else float(stats.beta.ppf(alpha, given, n - given + 1))
