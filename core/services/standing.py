"""How the judges of a home stand: what audits found, what they cost, what they contradict each other on."""

from datetime import datetime
from typing import NamedTuple

from core.judge import Spent
from core.schema import Example, JudgeAudit, Judgment, Prediction, Rollout, Run
from core.services.night import nights
from core.services.review import RECENT, contradictions
from core.services.workspace import Workspace
from core.settings import JudgingSettings

__all__ = ["Rewarded", "Standing", "judges_standing", "open_contradictions", "rewards_of_last_night"]

SHOWN_AUDITS = 60
MOST_JUDGMENTS = 50_000
PANEL = "panel"


class Standing(NamedTuple):
    """One judge, or the panel of all."""

    judge: str
    audits: list[JudgeAudit]
    "Oldest first."
    spent: Spent
    "On judgments since the last night began."
    since: datetime | None
    "When that was; None before the first night."
    limits: JudgingSettings | None
    "Where its budgets stand; a panel has none of its own."


class Rewarded(NamedTuple):
    """What the answers to one example earned in a night."""

    example: Example
    rollouts: list[Rollout]


def judges_standing(ws: Workspace, environment: str) -> list[Standing]:
    """The judges of the settings in their order, and their panel where there are several. Asks nobody."""
    names = ws.settings.judge_names
    run = next(iter(ws.store.find(Run, environment=environment, limit=1, newest_first=True)), None)
    since = run.at if run else None
    standing = []
    for name in names if len(names) == 1 else (*names, PANEL):
        audits = ws.store.find(JudgeAudit, environment=environment, judge=name, limit=SHOWN_AUDITS, newest_first=True)
        limits = None if name == PANEL else ws.settings.judges.get(name, ws.settings.judging)
        standing.append(Standing(name, audits[::-1], _spent(ws, environment, name, since), since, limits))
    return standing


def open_contradictions(ws: Workspace, environment: str) -> int:
    """How many examples wait for a person because the judges contradict each other."""
    recent = ws.store.find(Prediction, environment=environment, limit=RECENT, newest_first=True)
    answered = {label.example for label in ws.store.labels(environment)}
    return len(contradictions(ws, environment, list({each.example for each in recent} - answered)))


def rewards_of_last_night(ws: Workspace, environment: str, most: int = 12) -> list[Rewarded]:
    """What answers earned in the last night that trained, part by part; of at most so many examples."""
    for night in nights(ws, environment, 10):
        rollouts = ws.store.find(Rollout, run=str(night["run_id"]))
        if rollouts:
            of_example: dict[str, list[Rollout]] = {}
            for rollout in rollouts:
                of_example.setdefault(rollout.example, []).append(rollout)
            shown = list(of_example)[:most]
            examples = ws.store.get_many(Example, shown)
            return [Rewarded(example, of_example[example.id]) for example in examples]
    return []


def _spent(ws: Workspace, environment: str, judge: str, since: datetime | None) -> Spent:
    if since is None:
        return Spent()
    mine = ws.store.find(Judgment, environment=environment, judge=judge, newest_first=True, limit=MOST_JUDGMENTS)
    return Spent.on([judgment for judgment in mine if judgment.at >= since])
