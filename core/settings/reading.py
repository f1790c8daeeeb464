"""What may be read off a picture."""

from typing import Literal

from pydantic import Field

from core.settings.section import Section

__all__ = ["ReadingSettings"]


class ReadingSettings(Section):
    """How much of a screen is read, by whoever reads it."""

    privacy: Literal["full", "ui_text"] = Field(
        "full",
        description="`ui_text` keeps the title and the text of menus, tabs, buttons and headings alone; all else on a "
        "screen is forgotten as soon as it is read.",
    )
