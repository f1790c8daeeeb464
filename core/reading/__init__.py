"""What can be read off a screen: lines of text with their boxes, and what text means."""

from core.reading.cache import DerivedCache
from core.reading.encoder import TextEncoder, text_encoder
from core.reading.incremental import Sessions
from core.reading.lines import Line, Reading
from core.reading.ocr import ENGINE, read_image

__all__ = [
    "ENGINE",
    "DerivedCache",
    "Line",
    "Reading",
    "Sessions",
    "TextEncoder",
    "read_image",
    "text_encoder",
]
