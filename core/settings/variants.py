"""What a night makes of labels besides the labels."""

from pydantic import Field

from core.settings.section import Section

__all__ = ["VariantSettings"]


class VariantSettings(Section):
    """How variants are made; how many of one label stands in `learning.variants_per_correction`."""

    off: tuple[str, ...] = Field((), description="Kinds that are neither made nor trained on.")
    picture_seconds: float = Field(
        60.0, ge=0, description="Stated seconds a night may spend on variants with other pixels; 0 makes none."
    )
    processes: int = Field(2, ge=1, le=64, description="Processes that make and read these pictures.")
    written: int = Field(
        40, ge=0, description="New descriptions a night has the judge's model say otherwise, if it writes; 0: none."
    )
