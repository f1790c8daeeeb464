"""What is true of a drawn screen, read from the page it was drawn from."""

from pydantic import BaseModel, ConfigDict

from core.environments.screen.elements import ElementKind
from core.environments.screen.regions import Box

__all__ = ["ElementTruth", "LineTruth", "ScreenTruth", "WindowTruth"]


class WindowTruth(BaseModel):
    """A window; `box` is left, top, right, bottom as fractions of width and height, covered or not."""

    model_config = ConfigDict(frozen=True)
    app: str
    title: str
    box: Box
    front: bool
    visible: float
    "Share of it that nothing covers."


class ElementTruth(BaseModel):
    """A part of a screen of which at least half is visible."""

    model_config = ConfigDict(frozen=True)
    kind: ElementKind
    box: Box
    text: str = ""


class LineTruth(BaseModel):
    """A line of text, as far as it is visible."""

    model_config = ConfigDict(frozen=True)
    text: str
    box: Box


class ScreenTruth(BaseModel):
    """One line of `truth.jsonl`."""

    model_config = ConfigDict(frozen=True)
    file: str
    width: int
    height: int
    "Of the picture, in pixels."
    kind: str
    language: str
    theme: str
    arrangement: str
    title: str
    "Of the window in front: what its title bar, its tab or its head says."
    windows: tuple[WindowTruth, ...]
    elements: tuple[ElementTruth, ...]
    lines: tuple[LineTruth, ...]
