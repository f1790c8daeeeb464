"""Telling other programs what happened: notices follow from the store's records, and are posted until they arrive."""

from core.notices.courier import Courier, Standing, deliver_again, standing
from core.notices.happened import what_happened

__all__ = ["Courier", "Standing", "deliver_again", "standing", "what_happened"]
