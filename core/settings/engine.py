"""How a server answers many at once."""

from pydantic import Field

from core.settings.section import Section

__all__ = ["EngineSettings"]


class EngineSettings(Section):
    """What waits, what is answered together, and for how long."""

    places: int = Field(64, ge=1, description="Pictures that are read, wait or are answered; more are sent away (429).")
    batch: int = Field(16, ge=1, description="Pictures that the model answers in one call, at most.")
    company_ms: float = Field(
        5.0,
        ge=0,
        le=25,
        description="How long a picture that could be answered waits, at most, for others that are on their way.",
    )
    deadline_s: float = Field(
        60.0, gt=0, le=600, description="What is not answered by then is given up (504), unless a request says sooner."
    )
