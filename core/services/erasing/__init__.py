"""Erasure: what was asked for goes, with all that was made of it; what is left says that it went, and nothing of it."""

from core.services.erasing.erasure import forget, open_erasures, pictures_erased
from core.services.erasing.manifests import unexplained
from core.services.erasing.wanted import Wanted

__all__ = ["Wanted", "forget", "open_erasures", "pictures_erased", "unexplained"]
