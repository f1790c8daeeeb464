"""Golden accuracy night by night, and when the champion changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from core.evaluation import Summary, summarise
from core.schema import Decision, Evaluation, Promotion
from core.services.night.evaluate import SUITE
from core.services.night.ingest import is_golden
from core.services.workspace import Workspace

__all__ = ["ChampionChange", "GoldenHistory", "GoldenPoint", "golden_history"]

MOST_NIGHTS = 60


class GoldenPoint(NamedTuple):
    """What the release that served after a night is worth on the golden examples of that night."""

    at: datetime
    run: str
    release: str
    golden: Summary
    challenger: Summary
    "Of the night's challenger, whether it served or not."


class ChampionChange(NamedTuple):
    """A change of champion, and after how many of the points it came."""

    at: datetime
    action: str
    release: str
    reason: str
    after: int


class GoldenHistory(NamedTuple):
    """Points oldest first, and the changes among them; the first champion's installation is none."""

    points: list[GoldenPoint]
    changes: list[ChampionChange]


def golden_history(ws: Workspace, environment: str, remembered: dict[str, Summary]) -> GoldenHistory:
    """The last nights that compared. `remembered` keeps each evaluation's summary, since evaluations never change."""
    decisions = ws.store.find(Decision, environment=environment, newest_first=True, limit=MOST_NIGHTS)[::-1]
    promotions = ws.store.find(Promotion, environment=environment)
    promoted = {each.decision for each in promotions if each.decision}
    points = []
    for decision in decisions:
        sides = _summaries(ws, decision, remembered)
        champion, challenger = sides.get(decision.champion), sides.get(decision.challenger)
        if champion is None or challenger is None or not champion.n:
            continue
        serves = decision.id in promoted
        points.append(
            GoldenPoint(
                at=decision.at,
                run=decision.run,
                release=decision.challenger if serves else decision.champion,
                golden=challenger if serves else champion,
                challenger=challenger,
            )
        )
    return GoldenHistory(points, _changes(promotions, points))


def _summaries(ws: Workspace, decision: Decision, remembered: dict[str, Summary]) -> dict[str, Summary]:
    keys = {release: f"{decision.run}/{release}" for release in (decision.champion, decision.challenger)}
    if not all(key in remembered for key in keys.values()):
        share = ws.settings.gate.golden_share
        for each in ws.store.find(Evaluation, run=decision.run, release=list(keys), suite=SUITE):
            golden = [item for item in each.scores if is_golden(item.cluster, share)]
            remembered.setdefault(keys[each.release], summarise(golden))
    return {release: remembered[key] for release, key in keys.items() if key in remembered}


def _changes(promotions: Sequence[Promotion], points: Sequence[GoldenPoint]) -> list[ChampionChange]:
    changes = [each for each in promotions if each.action != "install"]
    return [
        ChampionChange(each.at, each.action, each.release, each.reason, sum(point.at <= each.at for point in points))
        for each in changes
    ]
