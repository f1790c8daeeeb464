"""What becomes of a release beside being champion: marks that people and upkeep leave, trials, and what a hub has.

A trial is what stands between a decision that
promotes and the promotion: a share of live screens answered in silence, a person's approval, a share answered in
earnest; each only where the settings ask for it.
"""

from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from core.schema.base import Record, content_id

__all__ = ["HubStep", "Mark", "ShadowAnswer", "Trial", "TrialStage", "TrialStep"]

TrialStage = Literal["shadow", "approval", "canary", "promotion"]


class Mark(Record):
    """Something said about a release for good. A quarantined one never serves again."""

    kind: ClassVar[str] = "mark"
    environment: str
    release: str
    mark: Literal["rejected", "quarantined", "removed"]
    "`removed`: its weights were collected; pulling them back makes it whole again."
    reason: str
    by: str = "nightshift"

    @classmethod
    def make(
        cls, environment: str, release: str, mark: Literal["rejected", "quarantined"], reason: str, by: str
    ) -> "Mark":
        """A mark that a release has once: the first one stands."""
        id = content_id("mark", environment, release, mark)
        return cls(id=id, environment=environment, release=release, mark=mark, reason=reason, by=by)


class Trial(Record):
    """A challenger that its decision promotes, on its way through the steps that the settings ask for."""

    kind: ClassVar[str] = "trial"
    environment: str
    release: str
    champion: str
    "The champion it was compared with, and takes the place of."
    decision: str
    plan: tuple[TrialStage, ...]
    "Its steps in order, the promotion last."
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    "`[rollout]` as it was when the trial began: a change of settings does not change a trial that runs."


class TrialStep(Record):
    """How one step of a trial ended. Its id follows from trial and stage, so that a stage ends once."""

    kind: ClassVar[str] = "trial_step"
    environment: str
    trial: str
    stage: TrialStage
    passed: bool
    reason: str
    by: str = "nightshift"
    figures: dict[str, JsonValue] = Field(default_factory=dict)

    @classmethod
    def make(
        cls, trial: Trial, stage: TrialStage, *, passed: bool, reason: str, by: str, figures: dict[str, JsonValue]
    ) -> "TrialStep":
        """The end of a stage; where it has ended already, the first end stands."""
        id = content_id("trial step", trial.id, stage)
        return cls(
            id=id, environment=trial.environment, trial=trial.id, stage=stage, passed=passed, reason=reason, by=by,
            figures=figures,
        )  # fmt: skip


class ShadowAnswer(Record):
    """What a challenger would have answered to a live screen. Nobody saw it, and it counts as nobody's answer."""

    kind: ClassVar[str] = "shadow_answer"
    environment: str
    trial: str
    prediction: str
    "The live prediction it stands beside."
    example: str
    release: str
    answer: JsonValue
    probability: float
    agrees: bool
    "With what the champion said."
    latency_ms: float
    "Of the verdict alone, the screen having been read."
    champion_latency_ms: float
    "Of the champion's verdict on the same screen, asked again in the same way."


class HubStep(Record):
    """One thing done, or not done, with a release on a hub."""

    kind: ClassVar[str] = "hub_step"
    environment: str
    release: str
    repo: str
    step: Literal["uploaded", "evaluated", "promoted", "tagged", "pulled", "dataset", "failed"]
    commit: str | None = None
    reason: str = ""
