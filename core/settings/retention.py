"""How long things are kept that nobody asked to be kept."""

from pydantic import Field

from core.settings.section import Section

__all__ = ["RetentionSettings"]


class RetentionSettings(Section):
    """What each night erases by its age."""

    without_feedback_days: float | None = Field(
        30.0,
        ge=0,
        description="Screens nobody gave feedback on go so many days after they were last seen; 0 or null keeps them.",
    )
