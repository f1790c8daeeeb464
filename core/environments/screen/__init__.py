"""Screenshots: is this screen on task or off task for the work described?"""

from core.environments.screen.environment import ScreenEnvironment

__all__ = ["ScreenEnvironment"]
