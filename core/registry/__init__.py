"""Where releases live: checkpoint folders, the champion and its history."""

from core.registry.collect import Folder, collect, survey
from core.registry.history import former_champions
from core.registry.registry import Registry
from core.registry.shelf import Shelf

__all__ = ["Folder", "Registry", "Shelf", "collect", "former_champions", "survey"]
