"""What a person is shown, and why."""

from pydantic import Field

from core.settings.section import Section

__all__ = ["ReviewSettings"]


class ReviewSettings(Section):
    """What a person is shown, and why."""

    audit_share: float = Field(0.2, ge=0, le=1, description="Share of the review queue drawn blindly at random.")
    audits_per_night: int = Field(10, ge=0, description="Blind audits a night; until done, each second item is one.")
    duplicate_distance: int = Field(6, description="Perceptual hashes this many bits apart are near-duplicates.")
    overlap_share: float = Field(0.1, ge=0, le=1, description="Share of items shown to two people, for agreement.")
    claim_s: float = Field(
        600.0,
        ge=360,
        description="Seconds an item is kept for the reviewer who has it in hand; a page renews it every 180.",
    )
    blind: bool = Field(False, description="Whether no reviewer ever sees the model's verdict before answering.")
    drift_days: int = Field(7, ge=1, description="Days whose screens are held against all earlier ones.")
