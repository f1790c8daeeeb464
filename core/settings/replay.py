"""What makes a label urgent to train on."""

from pydantic import Field

from core.settings.section import Section

__all__ = ["ReplaySettings"]


class ReplaySettings(Section):
    """Priorities of replay: a label without any of these weighs 1 times its reviewer's trust."""

    disagreement: float = Field(1.0, ge=0, description="More for a label that the verdict before it contradicts.")
    doubt: float = Field(0.5, ge=0, description="More for one on which that verdict was unsure.")
    recency: float = Field(1.0, ge=0, description="More for one said since the last night; it fades with age.")
    novelty: float = Field(0.5, ge=0, description="More for one whose screen has few near-duplicates with a label.")
    half_life: int = Field(1_000, ge=1, description="Words after which half of what recency adds is left.")
    least_trust: float = Field(
        0.05, gt=0, le=1, description="Weight of a reviewer who agrees with others no more than chance would."
    )
    prior_comparisons: float = Field(
        10.0, gt=0, description="What the trust that all reviewers begin with counts for, in comparisons with others."
    )
