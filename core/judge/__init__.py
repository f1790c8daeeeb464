"""The teacher: judges answers that no person has labelled."""

from core.judge.backends import BACKENDS, chosen_judge, remote_judge
from core.judge.base import Group, Judge, Rewrite, Rewritten, Spent
from core.judge.budget import is_spent_budget
from core.judge.group import GroupPrompt
from core.judge.panel import Panel, disagreement, panel_weights
from core.judge.prompt import JudgePrompt
from core.judge.reading import ReadingJudge
from core.judge.remote import RemoteJudge

__all__ = [
    "BACKENDS",
    "Group",
    "GroupPrompt",
    "Judge",
    "JudgePrompt",
    "Panel",
    "ReadingJudge",
    "RemoteJudge",
    "Rewrite",
    "Rewritten",
    "Spent",
    "chosen_judge",
    "disagreement",
    "is_spent_budget",
    "panel_weights",
    "remote_judge",
]
