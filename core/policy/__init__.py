"""The student: the contract and the policies behind it."""

from core.policy.base import Completions, Features, Library, Policy, Sampling, TokenScores

__all__ = ["Completions", "Features", "Library", "Policy", "Sampling", "TokenScores"]
