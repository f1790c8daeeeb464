"""The teacher: judges answers that no person has labelled."""

from core.judge.backends import BACKENDS, remote_judge
from core.judge.base import Judge, Spent
from core.judge.budget import is_spent_budget
from core.judge.prompt import JudgePrompt
from core.judge.reading import ReadingJudge
from core.judge.remote import RemoteJudge
from core.judge.weight import earned_weight

__all__ = [
    "BACKENDS",
    "Judge",
    "JudgePrompt",
    "ReadingJudge",
    "RemoteJudge",
    "Spent",
    "earned_weight",
    "is_spent_budget",
    "remote_judge",
]
