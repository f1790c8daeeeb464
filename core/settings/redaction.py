"""What is painted over before a picture is kept."""

from pydantic import Field, field_validator

from core.settings.section import Section

__all__ = ["RedactionSettings"]

SHORTEST_NAME = 2


class RedactionSettings(Section):
    """Nothing, unless it is asked for."""

    emails: bool = Field(False, description="Whether e-mail addresses are painted over.")
    cards: bool = Field(False, description="Whether payment card numbers are, by their check digit.")
    phones: bool = Field(False, description="Whether phone numbers are.")
    phone_regions: tuple[str, ...] = Field(
        ("US", "GB"), description="Countries (ISO 3166) whose numbers are known without their country code."
    )
    names: tuple[str, ...] = Field((), description="Names that are painted over wherever they stand.")

    @field_validator("names")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        tidy = tuple(" ".join(name.split()) for name in names)
        short = [name for name in tidy if sum(sign.isalnum() for sign in name) < SHORTEST_NAME]
        if short:
            raise ValueError(f"{short[0]!r} is too short for a name: it would be painted over in every other word")
        return tidy

    @field_validator("phone_regions")
    @classmethod
    def _are_countries(cls, regions: tuple[str, ...]) -> tuple[str, ...]:
        from phonenumbers import SUPPORTED_REGIONS

        unknown = [region for region in regions if region not in SUPPORTED_REGIONS]
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no country whose phone numbers are known; write two letters, like DE")
        return regions

    @property
    def is_on(self) -> bool:
        """Whether anything is painted over."""
        return self.emails or self.cards or self.phones or bool(self.names)
