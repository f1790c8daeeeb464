"""The student: the contract and the policies behind it."""

from core.policy.base import Features, Library, Policy

__all__ = ["Features", "Library", "Policy"]
