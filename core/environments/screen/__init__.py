"""Screenshots: is this screen on task or off task for the work described?"""

from core.environments.screen.elements import Element, screen_elements, signals
from core.environments.screen.environment import ScreenEnvironment
from core.environments.screen.titles import window_title

__all__ = ["Element", "ScreenEnvironment", "screen_elements", "signals", "window_title"]
