"""Whether the model gets better: figures computed from the store, and remembered while it stands as it did."""

from core.services.metrics.board import Board
from core.services.metrics.champion import Bin, Quality
from core.services.metrics.golden import ChampionChange, GoldenHistory, GoldenPoint
from core.services.metrics.live import Drifts, Live
from core.services.metrics.people import BetweenPeople, JudgeKappa
from core.services.metrics.taught import Group, Lesson, Taught, taught_by

__all__ = [
    "BetweenPeople",
    "Bin",
    "Board",
    "ChampionChange",
    "Drifts",
    "GoldenHistory",
    "GoldenPoint",
    "Group",
    "JudgeKappa",
    "Lesson",
    "Live",
    "Quality",
    "Taught",
    "taught_by",
]
