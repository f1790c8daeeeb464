"""Pictures: how they come in, in which form they are kept, and where."""

from core.media.blobs import Blobs, blob_key
from core.media.errors import BlobDamaged, ImageRefused
from core.media.intake import as_kept, hamming, intake, pixel_hash, read_file
from core.media.normalise import open_image
from core.media.versions import count_versions_below, remove_versions_below

__all__ = [
    "BlobDamaged",
    "Blobs",
    "ImageRefused",
    "as_kept",
    "blob_key",
    "count_versions_below",
    "hamming",
    "intake",
    "open_image",
    "pixel_hash",
    "read_file",
    "remove_versions_below",
]
