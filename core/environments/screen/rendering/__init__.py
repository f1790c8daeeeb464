"""Realistic screens from templates, rendered in Chromium, with what is true of them by construction."""

from core.environments.screen.rendering.catalogue import Application, Catalogue, Matter, load_catalogue
from core.environments.screen.rendering.chromium import QUIET, render
from core.environments.screen.rendering.page import html_of
from core.environments.screen.rendering.scene import KINDS, Asked, Kind, Scene, asked_of, make_scene
from core.environments.screen.rendering.truth import ElementTruth, LineTruth, ScreenTruth, WindowTruth

__all__ = [
    "KINDS",
    "QUIET",
    "Application",
    "Asked",
    "Catalogue",
    "ElementTruth",
    "Kind",
    "LineTruth",
    "Matter",
    "Scene",
    "ScreenTruth",
    "WindowTruth",
    "asked_of",
    "html_of",
    "load_catalogue",
    "make_scene",
    "render",
]
