"""How far people agree with each other, and judges with people."""

from collections.abc import Sequence
from datetime import datetime
from itertools import combinations
from typing import NamedTuple

from core.evaluation import cohen_kappa, kappa_ci95
from core.schema import CANNOT_TELL, Agreement, Example, JudgeAudit
from core.services.workspace import Workspace
from core.store import Word

__all__ = ["BetweenPeople", "JudgeKappa", "between_people", "judge_kappas"]


class BetweenPeople(NamedTuple):
    """Agreement of two reviewers on what both answered; `cannot tell` is an answer like any other here."""

    first: str
    second: str
    n: int
    same: int
    kappa: float | None
    kappa_ci95: tuple[float, float] | None
    could_not_tell: int
    "Examples of which at least one of them could not tell."


class JudgeKappa(NamedTuple):
    """A judge's last audit."""

    judge: str
    at: datetime
    overall: Agreement


def between_people(ws: Workspace, environment: str) -> list[BetweenPeople]:
    """Every two reviewers who answered the same examples, most examples first."""
    words = ws.store.words_of_several(environment)
    examples = ws.store.get_many(Example, {word.example for word in words})
    cluster_of = {example.id: example.cluster or example.id for example in examples}
    by_example: dict[str, list[Word]] = {}
    for word in words:
        by_example.setdefault(word.example, []).append(word)
    pairs: dict[tuple[str, str], list[tuple[Word, Word]]] = {}
    for said in by_example.values():
        for one, other in combinations(sorted(said, key=lambda word: word.reviewer), 2):
            pairs.setdefault((one.reviewer, other.reviewer), []).append((one, other))
    found = [_agreement(*names, said, cluster_of) for names, said in pairs.items()]
    return sorted(found, key=lambda each: (-each.n, each.first, each.second))


def _agreement(first: str, second: str, said: Sequence[tuple[Word, Word]], cluster_of: dict[str, str]) -> BetweenPeople:
    ones, others = [one.answer for one, _ in said], [other.answer for _, other in said]
    return BetweenPeople(
        first=first,
        second=second,
        n=len(said),
        same=sum(one == other for one, other in zip(ones, others, strict=True)),
        kappa=cohen_kappa(ones, others),
        kappa_ci95=kappa_ci95(ones, others, [cluster_of[one.example] for one, _ in said]),
        could_not_tell=sum(CANNOT_TELL in pair for pair in zip(ones, others, strict=True)),
    )


def judge_kappas(ws: Workspace, environment: str) -> list[JudgeKappa]:
    """The last audit of every judge that was ever audited here, by name."""
    last: dict[str, JudgeAudit] = {}
    for audit in ws.store.find(JudgeAudit, environment=environment, newest_first=True, limit=200):
        last.setdefault(audit.judge, audit)
    return [JudgeKappa(name, audit.at, audit.overall) for name, audit in sorted(last.items())]
