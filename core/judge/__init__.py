"""The teacher: judges answers that no person has labelled."""

from core.judge.base import Judge
from core.judge.reading import ReadingJudge
from core.judge.weight import earned_weight

__all__ = ["Judge", "ReadingJudge", "earned_weight"]
