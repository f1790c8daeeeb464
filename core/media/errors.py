"""What can go wrong with a picture."""

from core.schema import NightshiftError, Unavailable

__all__ = ["BlobDamaged", "ImageRefused"]


class ImageRefused(NightshiftError):
    """A picture that is not taken in. `reason` says why; the message puts the file's name before it, where known."""

    def __init__(self, reason: str, name: str | None = None) -> None:
        super().__init__(f"{name}: {reason}" if name else f"the picture {reason}")
        self.reason = reason
        self.name = name


class BlobDamaged(Unavailable):
    """A stored file is no longer what was stored."""
