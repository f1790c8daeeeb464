"""How good the present champion is on the evidence of the last night that measured it. Axes: N examples."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from core.evaluation import Figures, Summary, accuracy, figures, share_ci95, summarise
from core.schema import Evaluation, ItemScore
from core.services.night.evaluate import SUITE
from core.services.workspace import Workspace

__all__ = ["Bin", "Quality", "champion_quality"]

BINS = 10
LEAST_IN_DOMAIN = 3


class Bin(NamedTuple):
    """Answers whose stated confidence lies in one tenth of its range, and how many of them are right."""

    low: float
    high: float
    n: int
    confidence: float
    "Their mean."
    right: float
    ci95: tuple[float, float]


class Quality(NamedTuple):
    """What is known of a release from one evaluation."""

    release: str
    at: datetime
    run: str | None
    overall: Figures
    confusion: dict[tuple[str, str], int]
    "Right answer and given answer to number of examples."
    reliability: list[Bin]
    by_domain: dict[str, Summary]


def champion_quality(ws: Workspace, environment: str) -> Quality | None:
    """Of the present champion; None where no night has measured it yet."""
    champion = ws.store.champion(environment)
    found = ws.store.find(
        Evaluation, environment=environment, release=champion, suite=SUITE, newest_first=True, limit=1
    )
    answers = ws.environment(environment).answers or ()
    if not found or not found[0].scores or not answers:
        return None
    (measured,) = found
    scores = measured.scores
    confusion: dict[tuple[str, str], int] = {}
    for item in scores:
        key = (str(item.expected), str(item.answer))
        confusion[key] = confusion.get(key, 0) + 1
    return Quality(
        release=measured.release,
        at=measured.at,
        run=measured.run,
        overall=figures(scores, positive=answers[0]),
        confusion=confusion,
        reliability=_reliability(scores),
        by_domain=_by_domain(scores),
    )


def _reliability(scores: Sequence[ItemScore]) -> list[Bin]:
    """The tenths of stated confidence that hold any example (DeGroot and Fienberg, The Statistician 32, 1983)."""
    bins: dict[int, list[ItemScore]] = {}
    for item in scores:
        if item.probability is not None:
            bins.setdefault(min(BINS - 1, int(item.probability * BINS)), []).append(item)
    return [
        Bin(
            low=tenth / BINS,
            high=(tenth + 1) / BINS,
            n=len(items),
            confidence=accuracy([item.probability or 0.0 for item in items]) or 0.0,
            right=accuracy([item.score for item in items]) or 0.0,
            ci95=share_ci95([item.score for item in items], [item.cluster for item in items]),
        )
        for tenth, items in sorted(bins.items())
    ]


def _by_domain(scores: Sequence[ItemScore]) -> dict[str, Summary]:
    """Most examples first; kinds of work with fewer than three are left out."""
    domains: dict[str, list[ItemScore]] = {}
    for item in scores:
        if item.domain:
            domains.setdefault(item.domain, []).append(item)
    large = sorted(domains.items(), key=lambda each: (-len(each[1]), each[0]))
    return {name: summarise(items) for name, items in large if len(items) >= LEAST_IN_DOMAIN}
