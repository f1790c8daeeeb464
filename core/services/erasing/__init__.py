"""Erasure: what was asked for goes, with all that was made of it; what is left says that it went, and nothing of it."""

from core.services.erasing.erasure import forget, open_erasures, pictures_erased
from core.services.erasing.manifests import erased_entries, unexplained
from core.services.erasing.wanted import Wanted

__all__ = ["Wanted", "erased_entries", "forget", "open_erasures", "pictures_erased", "unexplained"]
