"""How the sample screens are drawn: a canvas, the frames around a screen, and one layout per kind of application."""

from core.environments.screen.drawing.canvas import Canvas, Theme
from core.environments.screen.drawing.frames import framed
from core.environments.screen.drawing.leisure import LEISURE
from core.environments.screen.drawing.office import OFFICE
from core.environments.screen.drawing.workshop import WORKSHOP

__all__ = ["LAYOUTS", "Canvas", "Theme", "framed"]

LAYOUTS = WORKSHOP | OFFICE | LEISURE
"""Name of a layout to the function that fills a box with it."""
