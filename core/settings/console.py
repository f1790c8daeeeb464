"""What the console offers to everybody."""

from pydantic import Field, field_validator

from core.settings.section import Section

__all__ = ["ConsoleSettings"]

MOST_WORKS = 50


class ConsoleSettings(Section):
    """What everybody who opens the console finds there."""

    works: tuple[str, ...] = Field(
        (), description="Descriptions of work that are offered to everybody, beside those used in the same browser."
    )

    @field_validator("works")
    @classmethod
    def _are_texts(cls, works: tuple[str, ...]) -> tuple[str, ...]:
        tidy = tuple(dict.fromkeys(text for work in works if (text := " ".join(work.split()))))
        if len(tidy) > MOST_WORKS:
            raise ValueError(f"{len(tidy)} descriptions are more than anybody looks through; at most {MOST_WORKS}")
        return tidy
