"""How the judges of a home stand: what audits found, what they cost, what they contradict each other on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import JsonValue

from core.judge import Spent
from core.schema import Example, JudgeAudit, Judgment, Prediction, Rollout, Run
from core.services.review import review_queue
from core.services.workspace import Workspace
from core.settings import JudgingSettings

__all__ = ["Disagreement", "Rewarded", "Standing", "judges_standing", "open_disagreements", "rewards_of"]

SHOWN_AUDITS = 60
MOST_JUDGMENTS = 50_000
LOOKED_AT = 500
"Items of the review queue that disagreements are looked for in."
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


class Disagreement(NamedTuple):
    """An open verdict on which a judge says otherwise."""

    example: Example
    prediction: Prediction
    judgments: tuple[Judgment, ...]
    between: Literal["judges", "model"]
    "Whether judges contradict each other, or one contradicts the model."


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


def open_disagreements(ws: Workspace, environment: str) -> list[Disagreement]:
    """What waits for a person and is not agreed on, by stored judgments alone; those between judges first.

    A judge contradicts the model where its best answer is another one. Whatever a person is to answer blindly is left
    out: to see the verdict here would spoil that.
    """
    waiting = [each for each in review_queue(ws, environment, limit=LOOKED_AT) if not each.blind]
    judged = _last_judgments(ws, environment, [each.example.id for each in waiting])
    found = []
    for each in waiting:
        judgment = judged.get(each.example.id)
        if each.contradicting:
            found.append(Disagreement(each.example, each.prediction, each.contradicting, "judges"))
        elif judgment is not None and _best(judgment) != each.prediction.answer:
            found.append(Disagreement(each.example, each.prediction, (judgment,), "model"))
    return sorted(found, key=lambda each: each.between != "judges")


def _last_judgments(ws: Workspace, environment: str, examples: Sequence[str]) -> dict[str, Judgment]:
    """Of the first judge of the settings, the last judgment that scored, by example."""
    if not examples:
        return {}
    found = ws.store.find(Judgment, environment=environment, judge=ws.settings.judge_names[0], example=set(examples))
    return {each.example: each for each in found if each.unscored is None}


def _best(judgment: Judgment) -> JsonValue:
    return max(judgment.scores, key=lambda each: each.score).answer


def rewards_of(ws: Workspace, run_id: str, most: int = 12) -> list[Rewarded]:
    """What answers earned in a night, part by part; of at most so many examples."""
    of_example: dict[str, list[Rollout]] = {}
    for rollout in ws.store.find(Rollout, run=run_id):
        of_example.setdefault(rollout.example, []).append(rollout)
    examples = ws.store.get_many(Example, list(of_example)[:most])
    return [Rewarded(example, of_example[example.id]) for example in examples]


def _spent(ws: Workspace, environment: str, judge: str, since: datetime | None) -> Spent:
    if since is None:
        return Spent()
    mine = ws.store.find(Judgment, environment=environment, judge=judge, newest_first=True, limit=MOST_JUDGMENTS)
    return Spent.on([judgment for judgment in mine if judgment.at >= since])
