"""What an answer is worth: one file per reward, and how they combine."""

from core.reward.base import Question, Reward, combine, reward_parts
from core.reward.exact_verdict import exact_verdict
from core.reward.judged import judged

__all__ = ["Question", "Reward", "combine", "exact_verdict", "judged", "reward_parts"]
