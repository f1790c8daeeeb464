"""What a night makes, and from what."""

from typing import ClassVar

from pydantic import Field, JsonValue

from core.schema.base import Record, content_id

__all__ = ["JUDGED", "SET_ASIDE", "Checkpoint", "DatasetVersion", "Release", "Run", "StageResult"]

JUDGED = "judged/"
"""Begins the roles of labels that a judge gave: `judged/1`, `judged/2` and so on are trained on, easy ones first."""
SET_ASIDE = "judged/validation"


class Checkpoint(Record):
    """Saved weights: the id is the hash of every file in the folder."""

    kind: ClassVar[str] = "checkpoint"
    environment: str
    policy: str
    "Registered name of the policy class that loads it."
    parent: str | None = None
    run: str | None = None


class Release(Record):
    """The named checkpoints that serve together. Its id follows from theirs."""

    kind: ClassVar[str] = "release"
    environment: str
    checkpoints: dict[str, str]
    "Role (for example `policy`) to checkpoint id."

    @classmethod
    def make(cls, environment: str, checkpoints: dict[str, str]) -> "Release":
        """A release whose id follows from the checkpoints in it."""
        return cls(id=content_id(environment, dict(checkpoints)), environment=environment, checkpoints=checkpoints)


class DatasetVersion(Record):
    """A manifest: which content ids a night saw. The id is the hash of the sorted ids."""

    kind: ClassVar[str] = "dataset_version"
    environment: str
    items: dict[str, tuple[str, ...]]
    "Role (train, golden, variants, ...) to sorted content ids."

    @property
    def trained(self) -> tuple[str, ...]:
        """What is trained on: people's labels, and a judge's that are not set aside."""
        roles = ("train", *(role for role in self.items if role.startswith(JUDGED) and role != SET_ASIDE))
        return tuple(item for role in roles for item in self.items.get(role, ()))

    @property
    def judged(self) -> frozenset[str]:
        """What no person said: labels that a judge gave."""
        return frozenset(item for role, items in self.items.items() if role.startswith(JUDGED) for item in items)

    @property
    def labels(self) -> dict[str, tuple[str, str]]:
        """Role and answer by example."""
        named = ((role, item.partition("=")) for role, items in self.items.items() for item in items)
        return {example: (role, answer) for role, (example, _, answer) in named}

    @classmethod
    def make(cls, environment: str, items: dict[str, tuple[str, ...]]) -> "DatasetVersion":
        """A manifest with its ids sorted, whose own id follows from them."""
        sorted_items = {role: tuple(sorted(ids)) for role, ids in sorted(items.items())}
        return cls(
            id=content_id(environment, {role: list(ids) for role, ids in sorted_items.items()}),
            environment=environment,
            items=sorted_items,
        )


class Run(Record):
    """One night: what it was asked to do and with what."""

    kind: ClassVar[str] = "run"
    environment: str
    seed: int
    config: dict[str, JsonValue] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    trigger: str = "request"


class StageResult(Record):
    """What one stage of a run left behind: ids and figures, small enough for a row."""

    kind: ClassVar[str] = "stage_result"
    run: str
    stage: str
    result: dict[str, JsonValue]
    seconds: float
